# SPDX-License-Identifier: Apache-2.0

"""Tell the story of the feature, or serve a cloud that has it."""

import argparse
import contextlib
import json
import logging
import os
import pathlib
import signal
import socket
import sys
import time
import traceback
import warnings

from nova_coldmig import series
from nova_coldmig.tests.sandbox import exception
from nova_coldmig.tests.sandbox import table

# nova-api's own.
PORT = 8774
# The client, in the source tree that this is a part of.
CLIENT = pathlib.Path(__file__).resolve().parents[3] / 'client'
NATIVE_THREADS = 34


class Stopped(Exception):
    """Somebody asked to stop."""


class Signals:
    """Stop in good order on the first Ctrl-C or SIGTERM, on a second at once.

    The handler raises nothing: with green threads it may run in any of them,
    which would end instead of the program.
    """

    def __init__(self):
        self._asked = False
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self._handle)

    def _handle(self, signum, frame):
        self._asked = True
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        os.write(2, b'\nStopping; again to stop at once\n')

    def check(self):
        """Raise Stopped if somebody asked to stop."""
        if self._asked:
            raise Stopped()


def parse(args):
    """Parse the command line.

    :param args: list of str
    :returns: argparse.Namespace
    """
    parser = argparse.ArgumentParser(
        prog='sandbox', description=__doc__)
    parser.add_argument(
        '--serve', action='store_true',
        help='do not tell the story, serve until Ctrl-C')
    parser.add_argument(
        '--port', type=int, metavar='N',
        help='port of 127.0.0.1 to serve on (default: %d with --serve, else '
             'any)' % PORT)
    parser.add_argument(
        '--paste-ini', metavar='PATH',
        help="api-paste.ini of Nova (default: the one installed with it)")
    parser.add_argument(
        '--without-coldmig', action='store_true',
        help='serve a plain Nova')
    parser.add_argument(
        '--directory', metavar='PATH', default='.',
        help='where the log and the credentials are written')
    args = parser.parse_args(args)
    if args.without_coldmig and not args.serve:
        parser.error('--without-coldmig needs --serve')
    if args.port is None:
        args.port = PORT if args.serve else 0
    # One for each cloud that may run at the same time.
    args.directory = os.path.join(
        os.path.abspath(args.directory),
        'serve-%d' % args.port if args.serve else 'story')
    return args


def check_port(port):
    """Tell early, and before anything is overwritten, if a port is taken.

    :param port: int
    :raises: nova_coldmig.tests.sandbox.exception.SandboxError
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
        except OSError as exc:
            raise exception.SandboxError(
                'Port %d of 127.0.0.1 can not be had (%s); name another with '
                '--port.' % (port, exc.strerror))


def boot(args, terminal):
    """Make a cloud.

    :param args: argparse.Namespace
    :param terminal: nova_coldmig.tests.sandbox.table.Terminal
    :returns: nova_coldmig.tests.sandbox.cloud.Cloud, not started.
    """
    check_port(args.port)
    os.makedirs(args.directory, exist_ok=True)
    log_file = os.path.join(args.directory, 'nova.log')
    # Nova's log and Python's warnings are not for the terminal.
    logging.basicConfig(filename=log_file, filemode='w')
    warnings.showwarning = lambda *args, **kwargs: None
    logging.raiseExceptions = False
    tree = series.detect()
    if tree.major >= NATIVE_THREADS:
        # What Nova's services choose there. Nova's fixtures choose green
        # threads in all series, and need them in older ones.
        os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', 'true')
    terminal.line('Booting Nova %s (%s), Placement and three computes' % (
        series.installed(), tree.name))
    terminal.line('Log: %s' % log_file)
    # Importing it takes seconds and selects the kind of threads.
    from nova_coldmig.tests.sandbox import cloud
    options = {'halves': ()} if args.without_coldmig else {}
    return cloud.Cloud(port=args.port, paste=args.paste_ini,
                       log_file=log_file, **options)


def tell(cloud, terminal, signals):
    """Tell the story.

    :param cloud: nova_coldmig.tests.sandbox.cloud.Cloud
    :param terminal: nova_coldmig.tests.sandbox.table.Terminal
    :param signals: Signals
    """
    from nova_coldmig.tests.sandbox import story
    story.Story(cloud, terminal, signals.check).tell()
    terminal.line()
    terminal.line(terminal.paint('All is as it should be.', 'green'))


def commands(paths, image, compute, microversion, with_coldmig):
    """Return what to type in another terminal: the story, by command.

    :param paths: dict of file name to path, of the credentials
    :param image: str, the name of an image
    :param compute: str, the URL of Nova
    :param microversion: str, the newest of Nova
    :param with_coldmig: bool, whether Nova has the package
    :returns: list of tuples of a str, the heading, and a list of str
    """
    found = [('From another terminal, with openstackclient', [
        '. %s' % paths['openrc-admin'],
        'export OS_COMPUTE_API_VERSION=2.84',
        'openstack server create --flavor m1.small --image %s \\' % image,
        '    --nic none --host host1 --wait demo',
        'openstack server migrate --host host2 --wait demo',
        'openstack server migration confirm demo',
    ]), ('host3 is disabled: Nova refuses to move the server there', [
        "openstack compute service set --disable \\",
        "    --disable-reason 'being taken into service' \\",
        '    host3 nova-compute',
        'openstack server migrate --host host3 --wait demo',
    ])]
    if with_coldmig:
        found.append(('Force it, with the client of the package', [
            'pip install %s' % CLIENT,
            'openstack server migrate --host host3 --force --confirm demo',
            'openstack server event list demo',
        ]))
    body = {'host': 'host1'}
    if with_coldmig:
        body['force'] = True
    found.append(('To host1 with curl, at microversion %s' % microversion, [
        'curl -K %s \\' % paths['curlrc-admin'],
        "    -d '%s' \\" % json.dumps({'migrate': body}),
        '    %s/servers/$(openstack server show demo -f value -c id)/action'
        % compute]))
    return found


def serve(cloud, terminal, signals, args):
    """Serve until a signal.

    :param cloud: nova_coldmig.tests.sandbox.cloud.Cloud
    :param terminal: nova_coldmig.tests.sandbox.table.Terminal
    :param signals: Signals
    :param args: argparse.Namespace, with the directory to write credentials
        to.
    """
    from nova_coldmig.tests.sandbox import client
    microversion = client.Client(cloud.admin).max_microversion()
    paths = cloud.write_credentials(args.directory, microversion)
    terminal.heading('Endpoints')
    for service_type, url in sorted(cloud.endpoints().items()):
        terminal.line('   %-10s %s' % (service_type, url))
    for heading, lines in commands(
            paths, cloud.image, cloud.endpoints()['compute'], microversion,
            not args.without_coldmig):
        terminal.heading(heading)
        for line in lines:
            terminal.line('   ' + line)
    terminal.line()
    terminal.line('%s and %s are of a user who is no administrator.' % (
        os.path.basename(paths['openrc-member']),
        os.path.basename(paths['curlrc-member'])))
    terminal.line(terminal.paint('Serving. Ctrl-C stops it.', 'green'))
    try:
        with contextlib.suppress(Stopped):
            while True:
                signals.check()
                time.sleep(0.2)
    finally:
        for path in paths.values():
            os.unlink(path)


def run(args, terminal, signals):
    """Boot, do what is asked for and stop.

    :param args: argparse.Namespace
    :param terminal: nova_coldmig.tests.sandbox.table.Terminal
    :param signals: Signals
    :returns: int, the exit status.
    """
    started = time.monotonic()
    try:
        with boot(args, terminal) as cloud:
            terminal.line('Up after %.1f s' % (time.monotonic() - started))
            try:
                if args.serve:
                    serve(cloud, terminal, signals, args)
                else:
                    tell(cloud, terminal, signals)
                    terminal.line('%.1f s in all' % (
                        time.monotonic() - started))
            finally:
                # The end of it all is nothing to read.
                logging.disable(logging.CRITICAL)
        return 0
    except Stopped:
        terminal.line('Stopped before the end')
        return 130
    except (exception.SandboxError, series.UnsupportedNova) as exc:
        terminal.line(terminal.paint(str(exc), 'red'))
    except Exception:
        traceback.print_exc()
    return 1


def main():
    """Run as a program."""
    args = parse(sys.argv[1:])
    # Nova reads the command line on import.
    del sys.argv[1:]
    sys.exit(run(args, table.Terminal(sys.stdout), Signals()))


if __name__ == '__main__':
    main()
