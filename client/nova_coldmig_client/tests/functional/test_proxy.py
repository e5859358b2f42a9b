# SPDX-License-Identifier: Apache-2.0

"""What becomes of a forced migration behind a proxy that spoils it."""

import itertools
import re

from nova_coldmig_client.tests.functional import base
from nova_coldmig_client.tests.functional import proxy


def _is_migration(method, body):
    return method == 'POST' and b'"migrate"' in body


class Forgetful(proxy.Proxy):
    """It passes on no microversion."""

    def handle(self, method, path, headers, body):
        return self.forward(
            method, path, proxy.without_microversion(headers), body)


class ForgetfulLast(proxy.Proxy):
    """It passes on no microversion of the request that matters."""

    def handle(self, method, path, headers, body):
        if _is_migration(method, body):
            headers = proxy.without_microversion(headers)
        return self.forward(method, path, headers, body)


class Silent(proxy.Proxy):
    """It passes on all answers but that of the migration."""

    def handle(self, method, path, headers, body):
        answer = self.forward(method, path, headers, body)
        return proxy.TIMEOUT if _is_migration(method, body) else answer


class Shut(proxy.Proxy):
    """It does not pass on the migration."""

    def handle(self, method, path, headers, body):
        if _is_migration(method, body):
            return proxy.UNAVAILABLE
        return self.forward(method, path, headers, body)


class Babbling(proxy.Proxy):
    """Most of its answers are none while somebody looks at the server."""

    def __init__(self, nova):
        super().__init__(nova)
        self._answers = itertools.cycle((
            proxy.GARBAGE, proxy.EMPTY, proxy.CHOICES, proxy.UNAVAILABLE,
            None))
        self.begun = False

    def handle(self, method, path, headers, body):
        self.begun = self.begun or _is_migration(method, body)
        looks = re.search(r'/servers/[^/]+$', path)
        spoiled = self.begun and looks and next(self._answers)
        return spoiled or self.forward(method, path, headers, body)


class TestProxy(base.CloudTestCase):
    def setUp(self):
        super().setUp()
        self.proxy = None

    def environment(self, user):
        values = super().environment(user)
        if self.proxy:
            values['OS_COMPUTE_ENDPOINT_OVERRIDE'] = self.proxy.url
            # The client of 2024.1 heeds the catalog alone.
            values['OS_AUTH_URL'] = self.proxy.way(values['OS_AUTH_URL'])
        return values

    def use(self, kind):
        """Have the programs ask Nova by way of a proxy."""
        self.proxy = kind(self.compute.get_endpoint())
        self.proxy.start()
        self.addCleanup(self.proxy.stop)

    def migrate(self, *args):
        return ('server', 'migrate', '--host', self.hosts[2],
                self.server.id) + args

    def assertBegan(self):
        """Wait for the end of a migration that nobody waited for."""
        self.compute.wait_for_server(
            self.server, status='VERIFY_RESIZE', interval=0.5,
            wait=base.SECONDS)

    def test_nothing_is_spoiled(self):
        self.use(proxy.Proxy)
        self.run_ok(*self.migrate('--force', '--confirm'))
        self.assertIsOn(self.hosts[2], 'ACTIVE')

    def test_microversion_is_lost(self):
        self.use(Forgetful)
        for more in (['--force'], ['--force', '--wait'], ['--confirm']):
            sentence = self.run_refused(*self.migrate(*more))
            self.assertIn('Nova took it at 2.1.', sentence)
            self.assertIn('so the migration was not asked for', sentence)
        self.assertUntouched()

    def test_microversion_is_lost_at_last(self):
        self.use(ForgetfulLast)
        sentence = self.run_refused(*self.migrate('--force', '--confirm'),
                                    code=7)
        self.assertIn('Nova took the request at microversion 2.1 and not at ',
                      sentence)
        self.assertIn('"openstack server migration revert %s" takes it back' %
                      self.server.id, sentence)
        # Nobody confirms what nobody wanted.
        self.assertBegan()

    def test_answer_is_lost(self):
        self.use(Silent)
        result = self.run_ok(*self.migrate('--force', '--confirm'))
        self.assertEqual('ACTIVE', result.lines[-1])
        self.assertIn('A migration of the server began meanwhile',
                      result.errors)
        self.assertIsOn(self.hosts[2], 'ACTIVE')

    def test_answer_is_lost_and_nobody_waits(self):
        self.use(Silent)
        self.assertIn(
            'A migration of the server began meanwhile',
            self.run_refused(*self.migrate('--force'), code=6))
        self.assertBegan()

    def test_request_is_lost(self):
        self.use(Shut)
        for more in ([], ['--wait']):
            self.assertIn(
                'So far no migration of the server began; it is ACTIVE on '
                '%s.' % self.hosts[0],
                self.run_refused(*self.migrate('--force', *more), code=6))
        self.assertUntouched()

    def test_answers_are_spoiled(self):
        self.use(Babbling)
        result = self.run_ok(*self.migrate('--force', '--confirm'))
        self.assertIn('Nova does not answer', result.lines)
        self.assertEqual('ACTIVE', result.lines[-1])
        self.assertIsOn(self.hosts[2], 'ACTIVE')
