# SPDX-License-Identifier: Apache-2.0

"""Extension of the nova shell."""

import argparse
import functools
import sys

import novaclient
from novaclient import api_versions
from novaclient import exceptions as nova_exceptions
from novaclient import utils
from novaclient.v2 import shell
from oslo_utils import strutils

from nova_coldmig_client import api
from nova_coldmig_client import command
from nova_coldmig_client import exceptions
from nova_coldmig_client import migration

OLDEST = (18, 6)
ADVICE = (('nova show', 'nova instance-action-list'), 'nova resize-confirm',
          'nova resize-revert')

OUTCOMES = ', '.join(
    '%d %s' % (outcome.exit_status, outcome.__name__)
    for outcome in exceptions.OUTCOMES)

# None in a release that has the extension hook, but not this.
_stock = getattr(shell, 'do_migrate', None)


def _boolean(text):
    try:
        return strutils.bool_from_string(text, strict=True)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc))


def _require():
    """Refuse a novaclient that this can not be used with."""
    version = novaclient.__version__
    if tuple(int(part) for part in version.split('.')[:2]) < OLDEST:
        raise nova_exceptions.CommandError(
            'A forced migration needs python-novaclient %d.%d or newer, and '
            'this is %s.' % (OLDEST + (version,)))
    if not (_stock and hasattr(shell, '_find_server')):
        raise nova_exceptions.CommandError(
            'A migration can not be forced with python-novaclient %s. Use '
            '"openstack server migrate --force".' % version)


@utils.arg('server', metavar='<server>', help='Name or ID of server.')
@utils.arg('target', metavar='<host>', nargs='?', default=None,
           help='Destination host name.')
@utils.arg('--host', metavar='<host>', default=None,
           help='Destination host name.')
@utils.arg('--force', metavar='<True|False>', type=_boolean, default=False,
           help='Bypass the scheduler; needs a host, and a Nova that has the '
                'package nova-coldmig. The exit status tells what came of it: '
                '%s.' % OUTCOMES)
@utils.arg('--poll', dest='poll', action='store_true', default=False,
           help='Report the server migration progress until it completes.')
def migrate(cs, args):
    """Migrate a server."""
    if args.host and args.target and args.host != args.target:
        raise nova_exceptions.CommandError('Two hosts are named.')
    args.host = args.host or args.target
    if args.force and not args.host:
        raise nova_exceptions.CommandError('--force needs a host.')
    if args.force or not _stock:
        _require()
        try:
            return _force(cs, args)
        except exceptions.ClientError as exc:
            # As the shell shows an exception, for which it has only one exit
            # status.
            sys.stderr.write('ERROR (%s): %s\n' % (type(exc).__name__, exc))
            sys.exit(exc.exit_status)
    if args.host and cs.api_version < api_versions.APIVersion('2.56'):
        raise nova_exceptions.CommandError(
            'A host needs --os-compute-api-version 2.56 or greater.')
    return _stock(cs, args)


def _force(cs, args):
    server_id = shell._find_server(cs, args.server).id
    # The client itself sends no microversion above its own maximum.
    client = api.plain(cs.client)
    command.migrate(
        client, server_id, args.host,
        functools.partial(migration.force, client, server_id, args.host),
        command.Advice(server_id, *ADVICE), sys.stdout, sys.stderr, args.poll)


# Nothing here may be called do_migrate: argparse refuses two commands of one
# name from Python 3.11 on, so the shell's own is replaced instead.
def __pre_parse_args__():
    """Replace the command, before the parser is made of it."""
    shell.do_migrate = migrate
