# SPDX-License-Identifier: Apache-2.0

import uuid

from nova_coldmig_client.tests.functional import base


class TestNova(base.CloudTestCase):
    def nova(self, *args):
        """Return what the nova program is run with."""
        return self.run_ok(*args, program='nova')

    def environment(self, user):
        # Newer than novaclient knows, as is force itself.
        return dict(super().environment(user), OS_COMPUTE_API_VERSION='')

    def test_forced(self):
        result = self.nova('migrate', '--force', 'True', self.server.name,
                           self.hosts[2])
        self.assertEqual('', result.output)
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    def test_forced_and_polled(self):
        result = self.nova('migrate', '--force', 'True', '--poll',
                           self.server.id, self.hosts[2])
        self.assertEqual('VERIFY_RESIZE', result.lines[-1])
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    def test_not_forced(self):
        self.nova('migrate', '--force', 'False', self.server.name,
                  self.hosts[2])
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    def test_stock(self):
        self.nova('migrate', '--host', self.hosts[2], '--poll',
                  self.server.name)
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    def test_refused_at_once(self):
        sentence = self.run_refused(
            'migrate', '--force', 'True', self.server.name, 'nowhere',
            program='nova')
        self.assertIn('nowhere', sentence)
        self.assertIn('(HTTP 400)', sentence)
        self.assertUntouched()

    def test_without_the_right(self):
        own = self.boot('öwn %s' % uuid.uuid4().hex[:8], user='member')
        sentence = self.run_refused(
            'migrate', '--force', 'True', own.name, self.hosts[2],
            program='nova', user='member')
        self.assertIn("Policy doesn't allow", sentence)
        self.assertUntouched(own)

    def test_refused_by_placement(self):
        big = self.boot_big()
        sentence = self.run_refused(
            'migrate', '--force', 'True', '--poll', big.id, self.hosts[2],
            program='nova')
        self.assertTrue(sentence.startswith(
            'ERROR (Refused): The server is ACTIVE on %s: Placement has '
            'nothing on host %s' % (self.hosts[0], self.hosts[2])), sentence)
        self.assertIsOn(self.hosts[0], 'ACTIVE', big)
