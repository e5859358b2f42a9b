# SPDX-License-Identifier: Apache-2.0

"""Every persona of Nova's policy tests, and the rule for force."""

import fixtures
from nova.api.openstack.compute import migrate_server
from nova.compute import api as compute
from nova.compute import vm_states
from nova import exception
from nova.tests.unit.api.openstack import fakes
from nova.tests.unit import fake_instance
from nova.tests.unit.policies import base
from oslo_config import cfg
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.policies import migrate_server as policies
from nova_coldmig import seams
from nova_coldmig import series
from nova_coldmig.tests import fixtures as coldmig_fixtures

HOST_RULE = 'os_compute_api:os-migrate-server:migrate:host'


class ForcePersonasTest(base.BasePolicyTest):

    scope = True

    def setUp(self):
        self.useFixture(coldmig_fixtures.ColdmigFixture([seams.API]))
        super().setUp()
        try:
            self.flags(enforce_scope=self.scope, group='oslo_policy')
        except cfg.NoSuchOptError:
            # Newer oslo.policy enforces it always.
            if not self.scope:
                self.skipTest('The scope can not be ignored here.')
        self.request = fakes.HTTPRequest.blank(
            '', version=series.detect().microversion)
        self.controller = migrate_server.MigrateServerController()
        self.resize = self.useFixture(fixtures.MockPatchObject(
            compute.API, 'resize', autospec=True)).mock
        self.instance = fake_instance.fake_instance_obj(
            self.project_member_context, project_id=self.project_id, id=1,
            uuid=uuids.server, vm_state=vm_states.ACTIVE, task_state=None)
        self.useFixture(fixtures.MockPatch(
            'nova.api.openstack.common.get_instance',
            return_value=self.instance))
        self.admins = {self.legacy_admin_context, self.project_admin_context}
        if not self.scope:
            self.admins.add(self.system_admin_context)

    def _force(self, context):
        self.request.environ['nova.context'] = context
        self.controller._migrate(
            self.request, self.instance.uuid,
            body={'migrate': {'host': 'host2', 'force': True}})

    def _check(self, allowed, rule):
        for context in self.all_contexts:
            self.resize.reset_mock()
            if context in allowed:
                self._force(context)
                self.resize.assert_called_once_with(
                    context, self.instance, host_name='host2')
                continue
            e = self.assertRaises(
                exception.PolicyNotAuthorized, self._force, context)
            if rule:
                self.assertIn(rule, str(e))
            self.resize.assert_not_called()

    def test_default(self):
        self._check(self.admins, None)

    def test_host_alone_does_not_force(self):
        self.policy.set_rules({HOST_RULE: '@'}, overwrite=False)
        self._check(self.admins, None)

    def test_force_alone_names_no_host(self):
        self.policy.set_rules({policies.FORCE: '@'}, overwrite=False)
        self._check(self.admins, HOST_RULE)

    def test_nobody(self):
        self.policy.set_rules({policies.FORCE: '!'}, overwrite=False)
        self._check(set(), None)


class ForcePersonasNewDefaultsTest(ForcePersonasTest):
    without_deprecated_rules = True


class ForcePersonasNoScopeTest(ForcePersonasTest):
    scope = False
