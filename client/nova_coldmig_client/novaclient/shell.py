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

"""Extension of the nova shell."""

from keystoneauth1 import adapter
from novaclient import exceptions as nova_exceptions
from novaclient import utils
from novaclient.v2 import shell
from oslo_utils import strutils

from nova_coldmig_client import exceptions
from nova_coldmig_client import migration

_stock = shell.do_migrate


def _boolean(text):
    return strutils.bool_from_string(text, strict=True)


@utils.arg('server', metavar='<server>', help='Name or ID of server.')
@utils.arg('target', metavar='<host>', nargs='?', default=None,
           help='Destination host name.')
@utils.arg('--host', metavar='<host>', default=None,
           help='Destination host name.')
@utils.arg('--force', metavar='<True|False>', type=_boolean, default=False,
           help='Bypass the scheduler; needs a host.')
@utils.arg('--poll', dest='poll', action='store_true', default=False,
           help='Report the server migration progress until it completes.')
def do_migrate(cs, args):
    """Migrate a server."""
    if args.host and args.target and args.host != args.target:
        raise nova_exceptions.CommandError('Two hosts are named.')
    args.host = args.host or args.target
    if not args.force:
        if args.host and cs.api_version < shell.api_versions.APIVersion(
                '2.56'):
            raise nova_exceptions.CommandError(
                'A host needs --os-compute-api-version 2.56 or greater.')
        return _stock(cs, args)
    if not args.host:
        raise nova_exceptions.CommandError('--force needs a host.')
    server = shell._find_server(cs, args.server)
    # The client itself sends no microversion above its own maximum.
    client = adapter.Adapter(
        cs.client.session, auth=cs.client.auth,
        service_type=cs.client.service_type or 'compute',
        service_name=cs.client.service_name, interface=cs.client.interface,
        region_name=cs.client.region_name,
        endpoint_override=cs.client.endpoint_override)
    # Neither is anything left of what novaclient asks of the response.
    try:
        response = migration.force(client, server.id, args.host)
    except exceptions.NotSupported as exc:
        raise nova_exceptions.CommandError(str(exc))
    if response.status_code >= 400:
        raise nova_exceptions.from_response(
            response, response.json(), response.url, 'POST')
    if args.poll:
        shell._poll_for_status(cs.servers.get, server.id, 'migrating',
                               ['active', 'verify_resize'])


# Nothing else may be called do_something here: argparse refuses two commands
# of one name from Python 3.11 on, so the shell's own is replaced instead.
migrate = do_migrate
del do_migrate


def __pre_parse_args__():
    """Replace the command, before the parser is made of it."""
    shell.do_migrate = migrate
