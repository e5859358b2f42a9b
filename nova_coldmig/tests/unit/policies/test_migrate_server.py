# SPDX-License-Identifier: Apache-2.0

import io

from nova import policies as nova_policies
from nova import test
from oslo_policy import generator

from nova_coldmig import policies
from nova_coldmig.policies import migrate_server


class PoliciesTest(test.NoDBTestCase):

    def test_default_is_that_of_a_named_host(self):
        rule, = policies.list_rules()
        upstream = {rule.name: rule for rule in nova_policies.list_rules()}[
            'os_compute_api:os-migrate-server:migrate:host']
        self.assertEqual(migrate_server.FORCE, rule.name)
        self.assertEqual(upstream.check_str, rule.check_str)
        self.assertEqual(upstream.scope_types, rule.scope_types)
        self.assertEqual(upstream.operations, rule.operations)

    def test_sample(self):
        output = self.useFixture(_Output()).stream
        generator._generate_sample(['nova_coldmig'])
        self.assertIn('#"%s": "rule:context_is_admin"' % migrate_server.FORCE,
                      output.getvalue())
        self.assertIn('POST  /servers/{server_id}/action (migrate)',
                      output.getvalue())


class _Output(test.nova_fixtures.fixtures.Fixture):

    def _setUp(self):
        self.stream = io.StringIO()
        self.useFixture(test.nova_fixtures.fixtures.MonkeyPatch(
            'sys.stdout', self.stream))
