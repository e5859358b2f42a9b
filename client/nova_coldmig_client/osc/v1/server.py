# SPDX-License-Identifier: Apache-2.0

"""The commands of openstackclient that are about servers."""

import argparse
import contextlib
import functools
import inspect
import math

from keystoneauth1 import exceptions as ksa_exceptions
from openstack import exceptions as sdk_exceptions
from openstack import utils as sdk_utils
from openstackclient.compute.v2 import server

try:
    # Older releases of openstackclient use it.
    from novaclient import exceptions as nova_exceptions
except ImportError:
    nova_exceptions = None

from nova_coldmig_client import api
from nova_coldmig_client import command
from nova_coldmig_client import exceptions
from nova_coldmig_client import migration

NOVACLIENT_ERRORS = (
    (nova_exceptions.ClientException,) if nova_exceptions else ())
# What a shell makes of SIGINT.
INTERRUPTED = 130
ADVICE = (('openstack server show', 'openstack server event list'),
          'openstack server migration confirm',
          'openstack server migration revert')


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


@contextlib.contextmanager
def _before():
    """Have what SDK asks before read as Nova said it."""
    try:
        yield
    except sdk_exceptions.HttpException as exc:
        if exc.response is None:
            raise
        raise exceptions.RequestFailed.from_response(exc.response)


@contextlib.contextmanager
def _stock():
    """Tell the outcomes of the stock command apart.

    It looks for the server and asks for the migration, each once.
    """
    try:
        yield
    except sdk_exceptions.HttpException as exc:
        if exc.response is None:
            raise
        failed = exceptions.RequestFailed.from_response(exc.response)
        asked = exc.response.request.method == 'POST'
    except NOVACLIENT_ERRORS as exc:
        failed = exceptions.RequestFailed(str(exc), exc.code)
        asked = exc.method == 'POST'
    except ksa_exceptions.ClientException as exc:
        failed = exceptions.RequestFailed(
            str(exc), getattr(exc, 'http_status', None))
        # Either of the two; Keystone answers with a status.
        asked = failed.status is None
    else:
        return
    raise migration.outcome(failed) if asked else failed


class MigrateServer(server.MigrateServer):
    """A cold migration can be forced, and is waited for until it arrived.

    With ``--force`` a cold migration to a named host bypasses the scheduler:
    a service disabled by a person, filters and zones do not keep the server
    from it. Capacity and what the server needs to run still do. This takes a
    Nova that has the package nova-coldmig.

    With ``--wait`` a cold migration succeeds if the server is on the host: in
    VERIFY_RESIZE, or with ``--confirm`` in ACTIVE or SHUTOFF. Otherwise the
    reason is printed. The status is shown on the way.

    The exit status of a cold migration:
    """

    _description = '%s\n\n%s\n\n%s' % (
        inspect.cleandoc(server.MigrateServer._description),
        inspect.cleandoc(__doc__), exceptions.exit_statuses())

    def get_parser(self, prog_name):
        """Return the parser of the stock command with more options.

        :param prog_name: str
        """
        parser = super().get_parser(prog_name)
        # The table of exit statuses has lines.
        parser.formatter_class = type(
            'HelpFormatter', (argparse.RawDescriptionHelpFormatter,
                              parser.formatter_class), {})
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
        :raises: osc_lib.exceptions.CommandError by the stock command.
        """
        if parsed_args.live_migration:
            return super().take_action(parsed_args)
        try:
            return self._migrate(parsed_args)
        except exceptions.ClientError as exc:
            # As openstackclient shows an exception, for which it has only
            # one exit status.
            self.app.LOG.error(exc)
            self.app.LOG.debug('It was raised here:', exc_info=True)
            return exc.exit_status

    def _migrate(self, parsed_args):
        compute = self.app.client_manager.coldmig
        host = parsed_args.host
        waits = parsed_args.wait or parsed_args.confirm
        if not parsed_args.force and (
                not waits
                # The stock command says what is wrong with these.
                or parsed_args.block_migration or parsed_args.disk_overcommit
                or host and not sdk_utils.supports_microversion(
                    compute, migration.HOST_MICROVERSION)):
            try:
                with _stock():
                    return super().take_action(parsed_args)
            except exceptions.ClientError as exc:
                raise command.Advice(parsed_args.server, *ADVICE).told(exc)
        with _before():
            found = compute.find_server(parsed_args.server,
                                        ignore_missing=False)
        client = api.plain(compute)
        if parsed_args.force:
            ask = functools.partial(migration.force, client, found.id, host)
        else:
            ask = functools.partial(migration.migrate, client, found.id, host,
                                    compute.default_microversion)
        try:
            command.migrate(
                client, found.id, host, ask,
                command.Advice(found.id, *ADVICE), self.app.stdout,
                self.app.stderr, parsed_args.wait, parsed_args.confirm,
                parsed_args.timeout)
        except KeyboardInterrupt:
            return INTERRUPTED
