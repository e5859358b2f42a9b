# SPDX-License-Identifier: Apache-2.0

import ipaddress
import json
import os
import signal
import sys
import time

from cloud.processes import process

from nova_coldmig.tests.unit import cloud

ENDED = (None, 'dead')
# They tell that they are ready, in their logs.
SLEEP = 'print("ready", flush=True); import time; time.sleep(60)'
STUBBORN = ('import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); '
            + SLEEP)
FORK = 'import os; os.fork(); ' + SLEEP
LISTEN = ('import socket; s = socket.create_server(("127.0.0.1", 0)); '
          'print(s.getsockname()[1], flush=True); ' + SLEEP)
HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr ...\n'


class ProcessTest(cloud.CloudTest):

    def setUp(self):
        super().setUp()
        self.process = process.Process(
            'one', self.folder / 'run' / 'one.json',
            self.folder / 'logs' / 'one.log')
        self.addCleanup(self.process.kill)

    def start(self, code, times=1):
        self.process.start([sys.executable, '-c', code], dict(os.environ),
                           self.folder)
        deadline = time.monotonic() + 30
        while self.process.log.read_text().count('ready') < times:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return self.process.pid

    def test_never_started(self):
        self.assertIsNone(self.process.pid)
        self.assertEqual('down', self.process.state)
        self.assertEqual([], self.process.members())
        self.assertTrue(self.process.stop(1))

    def test_start_and_stop(self):
        pid = self.start(SLEEP)
        self.assertEqual(pid, os.getpgid(pid))
        self.assertEqual('running', self.process.state)
        self.assertEqual([pid], self.process.members())
        self.assertGreater(self.process.rss, 1 << 20)
        self.assertLess(self.process.uptime, 60)
        self.assertTrue(self.process.stop(30))
        self.assertEqual('down', self.process.state)
        self.assertFalse(self.process.recorded)

    def test_another_program_finds_it(self):
        pid = self.start(SLEEP)
        other = process.Process(
            'one', self.process.record, self.process.log)
        self.assertEqual(pid, other.pid)

    def test_killed(self):
        self.start(SLEEP)
        self.process.kill()
        self.assertEqual(ENDED, (self.process.pid, self.process.state))
        # It is known that it was wanted.
        self.assertTrue(self.process.recorded)

    def test_what_it_forked(self):
        self.start(FORK, times=2)
        self.assertEqual(2, len(self.process.members()))
        self.process.stop(30)
        self.assertEqual([], self.process.members())

    def test_stubborn(self):
        self.start(STUBBORN)
        self.assertFalse(self.process.stop(0.3))
        self.assertEqual('down', self.process.state)
        self.assertEqual([], self.process.members())

    def test_stopped_by_a_signal(self):
        self.start(SLEEP)
        self.process.signal(signal.SIGSTOP)
        deadline = time.monotonic() + 30
        while self.process.state != 'stopped':
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertTrue(self.process.stop(30))

    def test_pid_of_another_process(self):
        """A pid alone proves nothing: this test would kill itself."""
        self.process.record.parent.mkdir()
        self.process.record.write_text(json.dumps(
            {'pid': os.getpid(), 'start_time': '1', 'argv': []}))
        self.assertEqual(ENDED, (self.process.pid, self.process.state))
        self.process.signal(0)
        self.assertTrue(self.process.stop(1))

    def test_record_that_was_not_written(self):
        self.process.record.parent.mkdir()
        self.process.record.write_text('{"pid": 1')
        self.assertEqual('down', self.process.state)

    def test_listens(self):
        self.start(LISTEN)
        port = int(self.process.log.read_text().split()[0])
        self.assertEqual([(ipaddress.ip_address('127.0.0.1'), port)],
                         self.process.listens)

    def test_listens_on_nothing(self):
        self.start(SLEEP)
        self.assertEqual([], self.process.listens)


class ListenersTest(cloud.CloudTest):
    """Lines as this kernel writes them, on a little-endian machine."""

    def setUp(self):
        super().setUp()
        if sys.byteorder != 'little':
            self.skipTest('The lines are of a little-endian machine')

    def _line(self, address, state='0A', inode=7):
        return ('   0: %s 00000000:0000 %s 00000000:00000000 00:00000000 '
                '00000000     0        0 %d 1 0000 100 0 0 10 0\n' % (
                    address, state, inode))

    def test_addresses(self):
        for text, address in (
                ('0100007F:1F90', '127.0.0.1'), ('00000000:1F90', '0.0.0.0'),
                ('0500A8C0:1F90', '192.168.0.5'),
                ('00000000000000000000000001000000:1F90', '::1'),
                ('0000000000000000FFFF00000100007F:1F90',
                 '::ffff:127.0.0.1'),
                ('00000000000000000000000000000000:1F90', '::')):
            self.assertEqual(
                {'7': (ipaddress.ip_address(address), 8080)},
                process.listeners(HEADER + self._line(text)))

    def test_connections_are_left_out(self):
        text = HEADER + self._line('0100007F:1F90', state='01', inode=1) + (
            self._line('0100007F:1F91', inode=2))
        self.assertEqual(['2'], list(process.listeners(text)))
