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

"""The programs that operators type, on a Nova that tools/sandbox serves."""

import atexit
import functools
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import uuid

from oslotest import base

ROOT = pathlib.Path(__file__).parents[4]
BIN = pathlib.Path(sys.executable).parent


@functools.lru_cache(maxsize=None)
def sandbox():
    """Serve a cloud until the end of this process.

    :returns: pathlib.Path of the directory with the credentials.
    """
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(ROOT / 'tools' / 'sandbox'), '--serve', '--port', str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, universal_newlines=True)
    atexit.register(process.wait)
    atexit.register(process.terminate)
    output = []
    for line in process.stdout:
        output.append(line)
        found = re.match(r'\s+\. (\S+)/openrc-admin$', line)
        if found:
            directory = pathlib.Path(found.group(1))
        if 'Serving.' in line:
            return directory
    raise RuntimeError('No sandbox: %s' % ''.join(output))


def environment(user):
    values = {key: value for key, value in os.environ.items()
              if not key.startswith('OS_')}
    values['OS_COMPUTE_API_VERSION'] = '2.74'
    text = (sandbox() / ('openrc-' + user)).read_text()
    for word in shlex.split(text, comments=True):
        name, sign, value = word.partition('=')
        if sign:
            values[name] = value
    return values


class TestCommands(base.BaseTestCase):
    def setUp(self):
        super().setUp()
        self.name = 'dém o-%s' % uuid.uuid4().hex[:8]
        self.server_id = self.run_ok(
            'server', 'create', '--flavor', 'm1.small', '--image', 'cirros',
            '--nic', 'none', '--host', 'host1', '--wait', self.name,
            '-f', 'value', '-c', 'id').strip()
        self.addCleanup(self.run_ok, 'server', 'delete', self.server_id)

    def start(self, *args, program='openstack', user='admin'):
        return subprocess.Popen(
            [str(BIN / program)] + list(args), env=environment(user),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding='utf-8')

    def run_any(self, *args, **kwargs):
        process = self.start(*args, **kwargs)
        output, errors = process.communicate(timeout=100)
        return process.returncode, output, errors

    def run_ok(self, *args, **kwargs):
        code, output, errors = self.run_any(*args, **kwargs)
        self.assertEqual(0, code, errors)
        return output

    def assertIsOn(self, host, status, seconds=30):
        end = time.monotonic() + seconds
        while True:
            shown = self.run_ok(
                'server', 'show', self.server_id, '-f', 'value',
                '-c', 'status', '-c', 'OS-EXT-SRV-ATTR:host')
            if set(shown.split()) == {host, status}:
                return
            self.assertLess(time.monotonic(), end, shown)

    def test_forced_by_name_and_confirmed(self):
        output = self.run_ok('server', 'migrate', '--host', 'host3',
                             '--force', '--confirm', self.name)
        self.assertEqual('ACTIVE', output.splitlines()[-1])
        self.assertIsOn('host3', 'ACTIVE')

    def test_forced_by_id(self):
        output = self.run_ok('server', 'migrate', '--host', 'host3',
                             '--force', '--wait', self.server_id)
        self.assertEqual('VERIFY_RESIZE', output.splitlines()[-1])
        self.assertIsOn('host3', 'VERIFY_RESIZE')

    def test_refused_with_the_reason(self):
        self.run_ok('compute', 'service', 'set', '--disable', 'host2',
                    'nova-compute')
        self.addCleanup(self.run_ok, 'compute', 'service', 'set', '--enable',
                        'host2', 'nova-compute')
        code, _output, errors = self.run_any(
            'server', 'migrate', '--host', 'host2', '--wait', self.name)
        self.assertEqual(1, code)
        self.assertIn('ACTIVE on host1: ', errors)
        self.assertIn('No valid host', errors)

    def test_timeout(self):
        code, _output, errors = self.run_any(
            'server', 'migrate', '--host', 'host3', '--force', '--wait',
            '--timeout', '0', self.name)
        self.assertEqual(1, code)
        self.assertIn('The migration goes on', errors)
        self.assertIsOn('host3', 'VERIFY_RESIZE')

    def test_interrupted(self):
        process = self.start('server', 'migrate', '--host', 'host3',
                             '--force', '--wait', self.name)
        self.assertIn('resize', process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _output, errors = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)
        self.assertIn('openstack server event list ' + self.server_id, errors)
        self.assertIsOn('host3', 'VERIFY_RESIZE')

    def test_without_the_right(self):
        code, _output, errors = self.run_any(
            'server', 'migrate', '--host', 'host3', '--force', self.name,
            user='member')
        self.assertEqual(1, code)
        self.assertIn('403', errors)
        self.assertIsOn('host1', 'ACTIVE')

    def test_usage(self):
        for args in (['--force'],
                     ['--force', '--host', 'host3', '--live-migration']):
            code, _output, errors = self.run_any(
                'server', 'migrate', *args, self.name)
            self.assertEqual(1, code)
            self.assertIn('--force', errors)

    def test_nova(self):
        self.run_ok('migrate', '--force', 'True', self.name, 'host3',
                    program='nova')
        self.assertIsOn('host3', 'VERIFY_RESIZE')
