# SPDX-License-Identifier: Apache-2.0

import os
import pty
import select
import signal
import time
import uuid

from nova_coldmig_client.tests.functional import base
from nova_coldmig_client.tests.functional import cloud

FORBIDDEN = "Policy doesn't allow"


class TestForced(base.CloudTestCase):
    def test_by_name_and_confirmed(self):
        result = self.run_ok('server', 'migrate', '--host', self.hosts[2],
                             '--force', '--confirm', self.server.name)
        self.assertEqual('ACTIVE', result.lines[-1])
        # Each is shown once.
        self.assertEqual(sorted(set(result.lines)), sorted(result.lines))
        self.assertIsOn(self.hosts[2], 'ACTIVE')

    def test_by_id(self):
        result = self.run_ok('server', 'migrate', '--host', self.hosts[2],
                             '--force', '--wait', self.server.id)
        self.assertEqual('VERIFY_RESIZE', result.lines[-1])
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    def test_without_waiting(self):
        result = self.run_ok('server', 'migrate', '--host', self.hosts[2],
                             '--force', self.server.name)
        self.assertEqual('', result.output)
        self.assertEqual('', result.errors)
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    def test_server_that_is_off(self):
        self.compute.stop_server(self.server)
        self.assertIsOn(self.hosts[0], 'SHUTOFF')
        result = self.run_ok('server', 'migrate', '--host', self.hosts[2],
                             '--force', '--confirm', self.server.name)
        self.assertEqual('SHUTOFF', result.lines[-1])
        self.assertIsOn(self.hosts[2], 'SHUTOFF')

    def test_refused_by_placement(self):
        big = self.boot_big()
        sentence = self.run_refused(
            'server', 'migrate', '--host', self.hosts[2], '--force',
            '--wait', big.id)
        # That is what the event coldmig_refused says, and no more.
        self.assertTrue(sentence.startswith(
            'The server is ACTIVE on %s: Placement has nothing on host %s' % (
                self.hosts[0], self.hosts[2])), sentence)
        self.assertEqual(1, sentence.count('it is full'))
        self.assertIsOn(self.hosts[0], 'ACTIVE', big)

    def test_refused_at_once(self):
        # The scheduler's refusal reads as the other.
        for options in (['--force', '--wait'], ['--force'], ['--wait'], []):
            sentence = self.run_refused(
                'server', 'migrate', '--host', 'nowhere', self.server.name,
                *options)
            self.assertRegex(
                sentence, r'^[A-Z][^:]* nowhere .*\. \(HTTP 400\) '
                r'\(Request-ID: req-[-0-9a-f]+\)$')
        self.assertUntouched()

    def test_no_such_server(self):
        self.assertIn('nobody', self.run_refused(
            'server', 'migrate', '--host', self.hosts[2], '--force',
            'nobody', code=1))

    def test_name_of_two(self):
        self.boot(self.server.name, self.hosts[0])
        self.assertIn(self.server.name, self.run_refused(
            'server', 'migrate', '--host', self.hosts[2], '--force',
            self.server.name, code=1))
        self.assertUntouched()

    def test_without_the_right(self):
        own = self.boot('öwn %s' % uuid.uuid4().hex[:8], user='member')
        sentence = self.run_refused(
            'server', 'migrate', '--host', self.hosts[2], '--force',
            '--wait', own.name, user='member')
        self.assertIn(FORBIDDEN, sentence)
        self.assertIn('(HTTP 403)', sentence)
        self.assertUntouched(own)

    def test_usage(self):
        for args, message in (
                (['--force'], '--force needs --host'),
                (['--force', '--host', self.hosts[2], '--live-migration'],
                 '--force can not be used with --live-migration'),
                (['--timeout', '3'], '--timeout needs --wait or --confirm')):
            result = self.run_any('server', 'migrate', *args,
                                  self.server.name)
            self.assertEqual(2, result.code)
            self.assertIn('usage: openstack server migrate', result.errors)
            self.assertIn(message, result.errors)
        self.assertUntouched()

    def test_timeout(self):
        # There are two things to be too late for.
        sentence = self.run_refused(
            'server', 'migrate', '--host', self.hosts[2], '--force',
            '--confirm', '--timeout', '0', self.server.name, code=5)
        self.assertIn('After 0 s the server is ', sentence)
        self.assertIn('The migration goes on; look at it with "openstack '
                      'server show %s"' % self.server.id, sentence)
        self.wait_for_the_end()

    def wait_for_the_end(self):
        """Wait for a migration that may have been confirmed."""
        end = time.monotonic() + base.SECONDS
        while True:
            server = self.compute.get_server(self.server)
            if server.task_state is None and (
                    server.compute_host == self.hosts[2]):
                return
            self.assertLess(time.monotonic(), end, server)
            time.sleep(0.5)

    def test_interrupted(self):
        process = self.start('server', 'migrate', '--host', self.hosts[2],
                             '--force', '--confirm', self.server.name)
        self.assertNotEqual('', process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _output, errors = process.communicate(timeout=base.SECONDS)
        self.assertEqual(130, process.returncode, errors)
        self.assertIn('The migration goes on;', errors)
        self.assertIn('"openstack server event list %s"' % self.server.id,
                      errors)
        self.assertNotIn('Traceback', errors)
        self.wait_for_the_end()

    def on_terminal(self, *args, until=None, say=b''):
        """Run openstack on a terminal of its own.

        :param until: bytes, when to say something.
        :param say: bytes, what to type then.
        :returns: tuple of the exit status and all bytes on the terminal.
        """
        pid, terminal = pty.fork()
        if not pid:
            # Nothing may come back from here.
            try:
                base.hear_ctrl_c()
                os.execve(str(base.BIN / 'openstack'),
                          ('openstack',) + args, self.environment('admin'))
            finally:
                os._exit(127)
        self.addCleanup(os.close, terminal)
        seen = b''
        end = time.monotonic() + base.SECONDS
        while True:
            ready, _, _ = select.select([terminal], [], [], 1)
            try:
                data = os.read(terminal, 4096) if ready else None
            except OSError:
                # So Linux says that nobody has it open any more.
                data = b''
            if data == b'' or time.monotonic() > end:
                break
            seen += data or b''
            if until and until in seen:
                os.write(terminal, say)
                until = None
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        _pid, status = os.waitpid(pid, 0)
        self.assertTrue(os.WIFEXITED(status), seen)
        return os.WEXITSTATUS(status), seen

    def test_terminal(self):
        code, seen = self.on_terminal(
            'server', 'migrate', '--host', self.hosts[2], '--force',
            '--confirm', self.server.name)
        self.assertEqual(0, code, seen)
        *_more, last, rest = seen.split(b'\r\n')
        self.assertEqual(b'', rest)
        # One line, which is overwritten.
        shown = last.split(b'\r')
        self.assertEqual(b'', shown.pop(0))
        self.assertLessEqual(2, len(shown))
        for text in shown:
            self.assertRegex(text, rb'^[A-Z_]+( \(\w+\))?, \d+ s *$')
        self.assertTrue(shown[-1].startswith(b'ACTIVE, '), seen)

    def test_ctrl_c(self):
        code, seen = self.on_terminal(
            'server', 'migrate', '--host', self.hosts[2], '--force',
            '--confirm', self.server.name, until=b'RESIZE', say=b'\x03')
        self.assertEqual(130, code, seen)
        self.assertIn(b'\r\nThe migration goes on;', seen)
        self.wait_for_the_end()


class TestChecked(base.CloudTestCase):
    def test_success(self):
        result = self.run_ok('server', 'migrate', '--host', self.hosts[2],
                             '--wait', self.server.name)
        self.assertEqual('VERIFY_RESIZE', result.lines[-1])
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    def test_any_host(self):
        result = self.run_ok('server', 'migrate', '--confirm', '--timeout',
                             '100', self.server.name)
        self.assertEqual('ACTIVE', result.lines[-1])
        server = self.compute.get_server(self.server)
        self.assertIn(server.compute_host, self.hosts[1:])

    def test_refused_with_the_reason(self):
        disabled = self.hosts[1]
        (service,) = self.compute.services(
            binary='nova-compute', host=disabled)
        self.compute.disable_service(service)
        self.addCleanup(self.compute.enable_service, service)
        sentence = self.run_refused(
            'server', 'migrate', '--host', disabled, '--wait',
            self.server.name, code=4)
        self.assertIn('The server is ACTIVE on %s: ' % self.hosts[0],
                      sentence)
        self.assertIn('No valid host', sentence)
        # That is what force is for.
        self.run_ok('server', 'migrate', '--host', disabled, '--force',
                    '--wait', self.server.name)
        self.assertIsOn(disabled, 'VERIFY_RESIZE')

    def test_stock_output(self):
        result = self.run_ok('server', 'migrate', '--host', self.hosts[2],
                             self.server.name)
        self.assertEqual('', result.output)
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')


class TestWithoutThePackage(base.CloudTestCase):
    @staticmethod
    def get_cloud():
        return cloud.without_coldmig()

    def test_forced(self):
        for more in ([], ['--wait']):
            self.assertIn(
                'Nova does not have the package nova-coldmig.',
                self.run_refused('server', 'migrate', '--host',
                                 self.hosts[2], '--force', self.server.name,
                                 *more))
        self.assertIn(
            'Nova does not have the package nova-coldmig.',
            self.run_refused('migrate', '--force', 'True', self.server.name,
                             self.hosts[2], program='nova'))
        self.assertUntouched()

    def test_checked(self):
        result = self.run_ok('server', 'migrate', '--host', self.hosts[2],
                             '--confirm', self.server.name)
        self.assertEqual('ACTIVE', result.lines[-1])
        self.assertIsOn(self.hosts[2], 'ACTIVE')
