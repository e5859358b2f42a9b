# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova.conductor import manager as upstream
from nova.conductor.tasks import migrate as upstream_migrate
from nova import context as nova_context
from nova import objects
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.conductor import manager
from nova_coldmig.conductor.tasks import migrate


class ComputeTaskManagerTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(test.fixtures.MockPatchObject(
            upstream.ComputeTaskManager, 'report_client',
            new_callable=mock.PropertyMock))
        self.manager = manager.compute_task_manager(
            upstream.ComputeTaskManager, None)()
        self.context = nova_context.get_admin_context()
        self.flavor = objects.Flavor(id=1, extra_specs={})
        self.instance = objects.Instance(
            uuid=uuids.instance, flavor=self.flavor, host='source')

    def _task(self, filter_properties, host_list=None, request_spec=None):
        spec = self.manager._get_request_spec_for_cold_migrate(
            self.context, self.instance, self.flavor, filter_properties,
            request_spec or objects.RequestSpec(flavor=self.flavor))
        return self.manager._build_cold_migrate_task(
            self.context, self.instance, self.flavor, spec, True, host_list)

    def test_forced(self):
        task = self._task({'nova_coldmig:force': True})
        self.assertIs(migrate.ForcedMigrationTask, type(task))
        self.assertIsNone(task.query_client)

    def test_only_true_is_force(self):
        """What is in the message is not what a schema has checked."""
        for value in ('true', 1, [True], 'yes', False, None):
            task = self._task({'nova_coldmig:force': value})
            self.assertIs(upstream_migrate.MigrationTask, type(task), value)
        self.assertIs(upstream_migrate.MigrationTask, type(self._task({})))

    def test_a_reschedule_is_never_forced(self):
        for host_list in ([], [objects.Selection()]):
            task = self._task({'nova_coldmig:force': True}, host_list)
            self.assertIs(upstream_migrate.MigrationTask, type(task))
            self.assertIs(host_list, task.host_list)

    def test_force_is_not_part_of_the_request_spec(self):
        spec = objects.RequestSpec(flavor=self.flavor)
        self._task({'nova_coldmig:force': True}, request_spec=spec)
        self.assertNotIn('force', str(spec.obj_to_primitive()))
        self.assertFalse(hasattr(spec.obj_clone(), 'coldmig_force'))
        self.assertEqual({'flavor'}, set(spec.obj_what_changed()))

    def test_the_rpc_interface_is_the_one_of_nova(self):
        self.assertIs(upstream.ComputeTaskManager.target,
                      type(self.manager).target)
