# SPDX-License-Identifier: Apache-2.0

"""Requests to Nova, and what counts as an answer of Nova."""

import contextlib
import re

from keystoneauth1 import adapter
from keystoneauth1 import discover as ksa_discover
from keystoneauth1 import exceptions as ksa_exceptions

from nova_coldmig_client import exceptions

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


def taken_at(response):
    """Return the microversion that Nova took a request at.

    :param response: requests.Response
    :returns: str, such as 2.105, or None if the answer does not tell.
    """
    for header, pattern in (
            ('OpenStack-API-Version', r'\bcompute (\d+\.\d+)'),
            ('X-OpenStack-Nova-API-Version', r'(\d+\.\d+)')):
        found = re.search(pattern, response.headers.get(header, ''))
        if found:
            return found.group(1)


def send(client, method, path, expected, **kwargs):
    """Make a request.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param method: str
    :param path: str
    :param expected: tuple of int, the statuses with which Nova answers it.
    :param kwargs: see keystoneauth1.session.Session.request.
    :returns: requests.Response
    :raises: nova_coldmig_client.exceptions.RequestFailed
    """
    with _translated():
        response = client.request(path, method, raise_exc=False, **kwargs)
    if response.status_code not in expected:
        raise exceptions.RequestFailed.from_response(response)
    return response


def get(client, path, key, kind=dict, exact=False, **kwargs):
    """Read something.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param path: str
    :param key: str, what is wanted of the answer.
    :param kind: dict or list, what that is.
    :param exact: bool, whether the microversion has to be the one asked for.
    :param kwargs: see keystoneauth1.session.Session.request.
    :returns: dict or list, as kind says.
    :raises: nova_coldmig_client.exceptions.MicroversionLost,
        nova_coldmig_client.exceptions.RequestFailed
    """
    response = send(client, 'GET', path, (200,), **kwargs)
    try:
        value = response.json()[key]
    except (ValueError, TypeError, KeyError):
        value = None
    if not isinstance(value, kind):
        raise exceptions.RequestFailed.from_response(response)
    if exact and taken_at(response) != kwargs['microversion']:
        raise exceptions.MicroversionLost(
            kwargs['microversion'], taken_at(response))
    return value


def act(client, server_id, body, **kwargs):
    """Ask for an action of a server, once.

    A request that is sent again after its answer was lost is refused if Nova
    took the first one.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param body: dict
    :param kwargs: see keystoneauth1.session.Session.request.
    :returns: str, the microversion that Nova took it at, or None if the answer
        does not tell.
    :raises: nova_coldmig_client.exceptions.RequestFailed
    """
    return taken_at(send(
        client, 'POST', '/servers/%s/action' % server_id, (202, 204),
        json=body, connect_retries=0, **kwargs))


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
