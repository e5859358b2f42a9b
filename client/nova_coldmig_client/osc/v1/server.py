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

from openstack import exceptions as sdk_exceptions
from openstackclient.compute.v2 import server
from osc_lib import exceptions as osc_exceptions

from nova_coldmig_client import exceptions
from nova_coldmig_client import migration

# What a shell makes of SIGINT.
INTERRUPTED = 130


class MigrateServer(server.MigrateServer):
    __doc__ = server.MigrateServer.__doc__
    _description = server.MigrateServer._description

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--force', action='store_true',
            help='Bypass the scheduler on a cold migration; needs --host, '
                 'and a Nova that has the package nova-coldmig')
        parser.add_argument(
            '--confirm', action='store_true',
            help='Wait for the cold migration and confirm it')
        parser.add_argument(
            '--timeout', type=float, metavar='<seconds>',
            help='Wait no longer than this for the cold migration')
        return parser

    @staticmethod
    def _check(parsed_args):
        if parsed_args.live_migration:
            for option in ('force', 'confirm', 'timeout'):
                if getattr(parsed_args, option):
                    raise osc_exceptions.CommandError(
                        '--%s can not be used with --live-migration' % option)
        elif parsed_args.force:
            if not parsed_args.host:
                raise osc_exceptions.CommandError('--force needs --host')
            if parsed_args.block_migration or parsed_args.disk_overcommit:
                raise osc_exceptions.CommandError(
                    '--block-migration and --disk-overcommit can not be used '
                    'with --force')
        if parsed_args.timeout is not None and not (
                parsed_args.wait or parsed_args.confirm):
            raise osc_exceptions.CommandError(
                '--timeout needs --wait or --confirm')

    def take_action(self, parsed_args):
        self._check(parsed_args)
        if parsed_args.live_migration:
            return super().take_action(parsed_args)
        waits = parsed_args.wait or parsed_args.confirm
        if not waits and not parsed_args.force:
            return super().take_action(parsed_args)

        client = self.app.client_manager.coldmig
        found = client.find_server(parsed_args.server, ignore_missing=False)
        watch = None
        if waits:
            watch = migration.Watch(
                client, found.id, parsed_args.host, parsed_args.timeout,
                self._show)
        try:
            if parsed_args.force:
                sdk_exceptions.raise_from_response(
                    migration.force(client, found.id, parsed_args.host))
            else:
                parsed_args.wait = False
                super().take_action(parsed_args)
        except exceptions.NotSupported as exc:
            raise osc_exceptions.CommandError(str(exc))
        if watch:
            return self._wait(watch, found.id, parsed_args.confirm)

    def _show(self, status):
        if self.app.stdout.isatty():
            self.app.stdout.write('\r\033[K' + status)
        else:
            self.app.stdout.write(status + '\n')
        self.app.stdout.flush()

    def _wait(self, watch, server_id, confirm):
        look = ('The migration goes on; look at it with "openstack server '
                'show %s" and "openstack server event list %s".' % (
                    server_id, server_id))
        try:
            watch.wait(confirm)
        except exceptions.MigrationFailed as exc:
            raise osc_exceptions.CommandError(str(exc))
        except exceptions.TimedOut as exc:
            raise osc_exceptions.CommandError('%s %s' % (exc, look))
        except KeyboardInterrupt:
            self.app.stderr.write('\n%s\n' % look)
            return INTERRUPTED
        finally:
            if self.app.stdout.isatty():
                self.app.stdout.write('\n')
