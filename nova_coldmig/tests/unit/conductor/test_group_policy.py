# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova import context as nova_context
from nova import exception
from nova import objects
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.conductor import group_policy
from nova_coldmig import exception as coldmig_exc


@mock.patch.object(objects.InstanceGroup, 'get_by_instance_uuid',
                   autospec=True)
class GroupPolicyTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.context = nova_context.get_admin_context()
        self.there = self.useFixture(test.fixtures.MockPatchObject(
            objects.InstanceList, 'get_uuids_by_host', return_value=[])).mock
        self.moving = self.useFixture(test.fixtures.MockPatchObject(
            objects.MigrationList, 'get_in_progress_by_host_and_node',
            return_value=[])).mock
        self.members_at = self.useFixture(test.fixtures.MockPatchObject(
            objects.InstanceGroup, 'get_hosts', return_value=[])).mock

    def _group(self, policy, **rules):
        return objects.InstanceGroup(
            uuid=uuids.group, policy=policy, rules=rules,
            members=[uuids.instance, uuids.other, uuids.third])

    def _check(self):
        group_policy.check(
            self.context, objects.Instance(uuid=uuids.instance),
            objects.ComputeNode(host='dest', hypervisor_hostname='node'))

    def _refused(self, *parts):
        exc = self.assertRaises(
            coldmig_exc.MoveRefused, self._check)
        for part in parts:
            self.assertIn(part, exc.reason)

    def test_no_group(self, get_group):
        get_group.side_effect = exception.InstanceGroupNotFound(
            group_uuid=uuids.group)
        self._check()

    def test_soft_policies_are_wishes(self, get_group):
        self.there.return_value = [uuids.other]
        self.members_at.return_value = ['elsewhere']
        for policy in ('soft-affinity', 'soft-anti-affinity'):
            get_group.return_value = self._group(policy)
            self._check()

    def test_anti_affinity(self, get_group):
        get_group.return_value = self._group('anti-affinity')
        self._check()
        self.there.return_value = [uuids.instance, uuids.stranger]
        self._check()
        self.there.return_value = [uuids.other]
        self._refused('host dest runs or receives 1', 'may have 1')

    def test_anti_affinity_counts_who_is_on_the_way(self, get_group):
        get_group.return_value = self._group('anti-affinity')
        self.moving.return_value = [
            objects.Migration(instance_uuid=uuids.other)]
        self._refused('runs or receives 1')
        self.moving.assert_called_once_with(self.context, 'dest', 'node')

    def test_max_server_per_host(self, get_group):
        get_group.return_value = self._group(
            'anti-affinity', max_server_per_host=2)
        self.there.return_value = [uuids.other]
        self._check()
        self.there.return_value = [uuids.other, uuids.third]
        self._refused('receives 2', 'may have 2')

    def test_workaround_does_not_turn_it_off(self, get_group):
        self.flags(disable_group_policy_check_upcall=True,
                   group='workarounds')
        get_group.return_value = self._group('anti-affinity')
        self.there.return_value = [uuids.other]
        self._refused('runs or receives 1')

    def test_affinity(self, get_group):
        get_group.return_value = self._group('affinity')
        self._check()
        self.members_at.return_value = ['dest']
        self._check()
        self.members_at.return_value = ['other', 'another']
        self._refused('are on another, other. Name that host')
        self.members_at.assert_called_with(exclude=[uuids.instance])
