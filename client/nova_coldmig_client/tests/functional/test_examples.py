# SPDX-License-Identifier: Apache-2.0

"""The examples that the documentation shows."""

import sys

import ddt

from nova_coldmig_client.tests.functional import base
from nova_coldmig_client.tests.functional import cloud

EXAMPLES = cloud.ROOT / 'client' / 'examples'


@ddt.ddt
class TestExamples(base.CloudTestCase):
    def environment(self, user):
        """Return the environment of a user, and no more."""
        return self.cloud.environment(user)

    @ddt.data('with_openstacksdk.py', 'with_keystoneauth.py')
    def test_success(self, name):
        result = self.run_ok(str(EXAMPLES / name), self.server.id,
                             self.hosts[2], program=sys.executable)
        self.assertEqual('%s is on %s' % (self.server.id, self.hosts[2]),
                         result.lines[-1])
        self.assertIsOn(self.hosts[2], 'VERIFY_RESIZE')

    @ddt.data('with_openstacksdk.py', 'with_keystoneauth.py')
    def test_refused_at_once(self, name):
        self.assertIn('nowhere', self.run_refused(
            str(EXAMPLES / name), self.server.id, 'nowhere',
            program=sys.executable, code=1))
        self.assertUntouched()

    @ddt.data('with_openstacksdk.py', 'with_keystoneauth.py')
    def test_refused_by_placement(self, name):
        big = self.boot_big()
        self.assertIn(
            'Placement has nothing on host %s' % self.hosts[2],
            self.run_refused(str(EXAMPLES / name), big.id, self.hosts[2],
                             program=sys.executable, code=1))
        self.assertIsOn(self.hosts[0], 'ACTIVE', big)
