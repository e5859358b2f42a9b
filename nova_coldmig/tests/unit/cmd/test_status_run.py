# SPDX-License-Identifier: Apache-2.0

"""nova-coldmig-status ends, with a verdict, whatever is away.

The command runs in a process of its own, against sockets that are closed,
silent or refuse.
"""

import contextlib
import json
import os
from pathlib import Path
import re
import socket
import struct
import subprocess
import sys
import threading

from nova import test

#: The time it takes to import Nova is not what is measured.
COMMAND = '''
import sys
import time
from nova_coldmig.cmd import status
began = time.monotonic()
code = status.main()
print('It took %f' % (time.monotonic() - began), file=sys.stderr)
sys.exit(code)
'''


def method_frame(*method, arguments=b''):
    """Make a frame of AMQP 0-9-1 with a method of the connection."""
    payload = struct.pack('>HH', *method) + arguments
    return struct.pack('>BHI', 1, 0, len(payload)) + payload + b'\xce'


def long_string(text):
    return struct.pack('>I', len(text)) + text


START = method_frame(10, 10, arguments=(
    b'\0\x09' + long_string(b'') + long_string(b'PLAIN AMQPLAIN') +
    long_string(b'en_US')))
REFUSAL = b'ACCESS_REFUSED - Login was refused'
CLOSE = method_frame(10, 50, arguments=(
    struct.pack('>HB', 403, len(REFUSAL)) + REFUSAL + b'\0' * 4))


class StatusRunTest(test.NoDBTestCase):

    TIMEOUT_SCALING_FACTOR = 2

    def _listen(self):
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)
        return listener

    def _port(self):
        """Find a port that nobody listens on."""
        with socket.create_server(('127.0.0.1', 0)) as listener:
            return listener.getsockname()[1]

    def _run(self, *arguments, port=None, database=None):
        """Run the command.

        :param port: int, of the broker.
        :param database: str, URL.
        :returns: tuple of an int, the exit status, and a str, the output.
        """
        conf = Path(self.useFixture(test.fixtures.TempDir()).join('nova.conf'))
        conf.write_text(
            '[DEFAULT]\ntransport_url = rabbit://nova:secret@127.0.0.1:%s/\n'
            '[database]\n%s' % (
                port or self._port(),
                'connection = %s\n' % database if database else ''))
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', COMMAND, '--config-file',
             str(conf), 'upgrade', 'check', *arguments],
            env=dict(os.environ, OS_NOVA_CONFIG_DIR=str(conf.parent)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=600)
        self.assertNotIn('Traceback', done.stdout)
        self.assertNotIn('secret', done.stdout)
        # All that it waits for ends within 28 seconds. The rest is for what
        # else goes on on the machine.
        took = re.search('It took (.*)', done.stderr).group(1)
        self.assertLess(float(took), 90)
        return done.returncode, done.stdout

    def assertSays(self, output, *texts):
        """Check texts of the table, which breaks lines."""
        output = ' '.join(output.replace('|', ' ').split())
        for text in texts + ('Check: Supported Nova', 'was tested with'):
            self.assertIn(text, output)
        self.assertNotIn('SELECT', output)

    def test_closed_port(self):
        port = self._port()
        status, output = self._run('--json', port=port)
        self.assertEqual(2, status, output)
        checks = {check['check']: check
                  for check in json.loads(output)['checks']}
        self.assertEqual(
            {'Supported Nova': 0, 'API activation': 1, 'Super conductors': 2},
            {name: check['result'] for name, check in checks.items()})
        self.assertIn('127.0.0.1:%d: Connection refused' % port,
                      checks['Super conductors']['details'])

    def test_silent_broker(self):
        """It accepts the connection and says nothing."""
        listener = self._listen()
        status, output = self._run(port=listener.getsockname()[1])
        self.assertEqual(2, status, output)
        self.assertSays(output, 'takes connections and did not answer within')

    def test_broker_refuses_the_login(self):
        listener = self._listen()

        def serve():
            # Until the listener is closed.
            with contextlib.suppress(OSError):
                while True:
                    client, _address = listener.accept()
                    with client, contextlib.suppress(OSError):
                        client.settimeout(30)
                        if client.recv(8):
                            client.sendall(START)
                            client.recv(65536)
                            client.sendall(CLOSE)
                            client.recv(65536)

        threading.Thread(target=serve, daemon=True).start()
        status, output = self._run(port=listener.getsockname()[1])
        self.assertEqual(2, status, output)
        self.assertSays(output, 'The super conductors can not be asked on '
                        '[DEFAULT]transport_url', REFUSAL.decode())

    def test_tables_are_missing(self):
        path = self.useFixture(test.fixtures.TempDir()).join('nova.sqlite')
        status, output = self._run(database='sqlite:///' + path)
        self.assertEqual(2, status, output)
        self.assertSays(output, 'can not be read', 'no such table: services')

    def test_silent_database(self):
        listener = self._listen()
        status, output = self._run(
            database='mysql+pymysql://nova:secret@127.0.0.1:%d/nova' %
            listener.getsockname()[1])
        self.assertEqual(2, status, output)
        self.assertSays(output, 'did not answer within 10 seconds')
