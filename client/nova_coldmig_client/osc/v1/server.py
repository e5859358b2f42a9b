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


"""The commands of openstackclient that are about servers."""

import argparse
import inspect
import math

from openstackclient.compute.v2 import server
from osc_lib import exceptions as osc_exceptions

from nova_coldmig_client import display
from nova_coldmig_client import exceptions
from nova_coldmig_client import migration
from nova_coldmig_client import watch

# What a shell makes of SIGINT.
INTERRUPTED = 130
LOOK = ('look at it with "openstack server show %s" and "openstack server '
        'event list %s".')


def _seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(
            '%s is not a number of seconds' % text)
    return value


def _misuse(parsed_args):
    """Return what is wrong with arguments that are valid one by one."""
    if parsed_args.live_migration:
        for option, given in (('force', parsed_args.force),
                              ('confirm', parsed_args.confirm),
                              ('timeout', parsed_args.timeout is not None)):
            if given:
                return '--%s can not be used with --live-migration' % option
    if parsed_args.force:
        if not parsed_args.host:
            return '--force needs --host'
        if parsed_args.block_migration or parsed_args.disk_overcommit:
            return ('--block-migration and --disk-overcommit can not be used '
                    'with --force')
    if parsed_args.timeout is not None and not (
            parsed_args.wait or parsed_args.confirm):
        return '--timeout needs --wait or --confirm'


class MigrateServer(server.MigrateServer):
    """A cold migration can be forced, and is waited for until it arrived.

    With ``--force`` a cold migration to a named host bypasses the scheduler:
    a disabled service, filters and availability zones do not keep the server
    from it. Capacity and what the server needs to run still do. This takes a
    Nova that has the package nova-coldmig.

    With ``--wait`` a cold migration succeeds if the server is on the host: in
    VERIFY_RESIZE, or with ``--confirm`` in ACTIVE or SHUTOFF. Otherwise the
    reason is printed. The status is shown on the way.
    """

    _description = '%s\n\n%s' % (
        inspect.cleandoc(server.MigrateServer._description),
        inspect.cleandoc(__doc__))

    def get_parser(self, prog_name):
        """Return the parser of the stock command with more options.

        :param prog_name: str
        """
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--force', action='store_true',
            help='Bypass the scheduler on a cold migration; needs ``--host``, '
                 'and a Nova that has the package nova-coldmig')
        parser.add_argument(
            '--confirm', action='store_true',
            help='Wait for the cold migration and confirm it')
        parser.add_argument(
            '--timeout', type=_seconds, metavar='<seconds>',
            help='Wait no longer than this for the cold migration; it goes on '
                 'without')
        parse_args = parser.parse_args

        def checked(args=None, namespace=None):
            parsed_args = parse_args(args, namespace)
            problem = _misuse(parsed_args)
            if problem:
                parser.error(problem)
            return parsed_args

        # Argparse has no hook for what concerns several options.
        parser.parse_args = checked
        return parser

    def take_action(self, parsed_args):
        """Migrate a server.

        :param parsed_args: argparse.Namespace
        :returns: int, the exit status, or None for success.
        :raises: osc_lib.exceptions.CommandError
        """
        waits = parsed_args.wait or parsed_args.confirm
        if parsed_args.live_migration or not (waits or parsed_args.force):
            return super().take_action(parsed_args)
        try:
            return self._migrate(parsed_args, waits)
        except exceptions.ClientError as exc:
            raise osc_exceptions.CommandError(str(exc))

    def _migrate(self, parsed_args, waits):
        compute = self.app.client_manager.coldmig
        found = compute.find_server(parsed_args.server, ignore_missing=False)
        client = migration.plain(compute)
        if not waits:
            migration.force(client, found.id, parsed_args.host)
            return
        progress = display.Display(self.app.stdout)
        watched = watch.Watch(client, found.id, parsed_args.host,
                              progress.show)
        begun = False
        try:
            try:
                if parsed_args.force:
                    migration.force(client, found.id, parsed_args.host)
                else:
                    # The same server, whatever its name is by now.
                    stock = argparse.Namespace(**vars(parsed_args))
                    stock.server, stock.wait = found.id, False
                    super().take_action(stock)
                begun = True
                watched.wait(parsed_args.timeout, parsed_args.confirm)
            finally:
                progress.close()
        except exceptions.GaveUp as exc:
            raise osc_exceptions.CommandError(
                '%s The migration goes on; %s' % (
                    exc, LOOK % (found.id, found.id)))
        except KeyboardInterrupt:
            self.app.stderr.write('\nThe migration %s; %s\n' % (
                'goes on' if begun else 'may have begun',
                LOOK % (found.id, found.id)))
            return INTERRUPTED
