#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.


"""The requests to Nova, without a command around them."""

import contextlib
import re

from keystoneauth1 import adapter
from keystoneauth1 import discover as ksa_discover
from keystoneauth1 import exceptions as ksa_exceptions

from nova_coldmig_client import exceptions

EXTENSION = '/extensions/os-migrate-server-force'
# Where a client finds Nova, and how it gets there.
_LOCATION = ('auth', 'service_name', 'interface', 'region_name',
             'endpoint_override', 'version', 'min_version', 'max_version',
             'user_agent', 'connect_retries')


def plain(client):
    """Return an adapter for the Nova of another client.

    It sends what it is given: no cache, and no maximum of the client's own.

    :param client: keystoneauth1.adapter.Adapter or one of its subclasses.
    :returns: keystoneauth1.adapter.Adapter
    """
    return adapter.Adapter(
        client.session, service_type=client.service_type or 'compute',
        **{name: getattr(client, name) for name in _LOCATION})


@contextlib.contextmanager
def _translated():
    try:
        yield
    except ksa_exceptions.ClientException as exc:
        # An HTTP error is one of Keystone, if a new token is needed.
        raise exceptions.RequestFailed(
            str(exc), getattr(exc, 'http_status', None))


def send(client, method, path, **kwargs):
    """Make a request.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param method: str
    :param path: str
    :param kwargs: see keystoneauth1.session.Session.request.
    :returns: requests.Response, no error.
    :raises: nova_coldmig_client.exceptions.RequestFailed
    """
    with _translated():
        response = client.request(path, method, raise_exc=False, **kwargs)
    if response.status_code >= 400:
        raise exceptions.RequestFailed.from_response(response)
    return response


def negotiate(client, wanted):
    """Return the microversion to use, such as 2.84.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param wanted: str, the newest one of use.
    :returns: str, that or Nova's maximum, or None if Nova has none.
    :raises: nova_coldmig_client.exceptions.RequestFailed
    """
    with _translated():
        try:
            found = client.get_endpoint_data()
        except ksa_exceptions.DiscoveryFailure:
            # Its version document is not for everybody, it seems.
            return None
    if found is None or found.max_microversion is None:
        return None
    return ksa_discover.version_to_string(min(
        ksa_discover.normalize_version_number(wanted),
        found.max_microversion))


def discover(client):
    """Ask Nova for the microversion of force.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :returns: str, such as 2.105
    :raises: nova_coldmig_client.exceptions.NotSupported,
        nova_coldmig_client.exceptions.RequestFailed
    """
    try:
        response = send(client, 'GET', EXTENSION, microversion='2.1')
    except exceptions.RequestFailed as exc:
        if exc.status == 404:
            raise exceptions.NotSupported()
        raise
    found = re.search(r'microversion (\d+\.\d+)',
                      response.json()['extension']['description'])
    if not found:
        raise exceptions.NotSupported()
    return found.group(1)


def force(client, server_id, host):
    """Migrate a server past the scheduler.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str
    :raises: nova_coldmig_client.exceptions.NotSupported,
        nova_coldmig_client.exceptions.RequestFailed
    """
    microversion = discover(client)
    try:
        send(client, 'POST', '/servers/%s/action' % server_id,
             json={'migrate': {'host': host, 'force': True}},
             microversion=microversion)
    except exceptions.RequestFailed as exc:
        if exc.status is None:
            raise exceptions.RequestFailed(
                '%s. Whether the migration began is not known.' % exc)
        raise
