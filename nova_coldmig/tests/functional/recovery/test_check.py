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

"""nova-coldmig-manage migration check, after moves that broke."""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional import base

import threading
from unittest import mock

from nova.compute import rpcapi
from nova import context as nova_context
from nova import objects
from nova.scheduler.client import report

from nova_coldmig.cmd import manage


class TestCheck(base.ColdmigTestCase):

    def setUp(self):
        super().setUp()
        self.server = self._create_server(networks='none', host='host1')

    def found(self, bound=3600, **scope):
        return [finding['finding'] for finding in
                manage.check(bound=bound, **scope)]

    def hold(self):
        """Lose the cast to the destination: the move stays in the middle."""
        sent = threading.Event()
        self.useFixture(base.fixtures.MonkeyPatch(
            'nova.compute.rpcapi.ComputeAPI.prep_resize',
            lambda *args, **kwargs: sent.set()))
        self.migrate(self.server, 'host2', force=True)
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': 'resize_prep'})
        self._wait_for_migration_status(self.server, ['pre-migrating'])
        self.assertTrue(sent.wait(20))

    def test_healthy(self):
        self.assertEqual([], self.found(bound=0))
        self.force(self.server, 'host2')
        self.assertEqual([], self.found(bound=0))
        self.confirm(self.server)
        self.assertEqual([], self.found(bound=0))

    def test_running(self):
        self.hold()
        self.assertEqual([], self.found())

    def test_stuck_resize_prep(self):
        self.hold()
        self.assertEqual(['stuck-resize-prep'], self.found(bound=0))

    def test_down(self):
        self.hold()
        self.force_down('host2')
        self.assertEqual(['stuck-resize-prep'], self.found())

    def test_missing_allocation(self):
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        self.assertEqual(['missing-allocation'], self.found())
        self.assertEqual(['missing-allocation'], self.found(host='host1'))
        self.assertEqual([], self.found(host='host2'))

    def test_zombie_that_holds(self):
        self.hold()
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}})
        self.assertEqual(['zombie-migration'], self.found(bound=0))

    def test_ended_migration_holds(self):
        self.hold()
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}})
        with self.cell_context() as context:
            migration, = objects.MigrationList.get_by_filters(
                context, {'instance_uuid': self.server['id']})
            migration.status = 'error'
            migration.save()
        self.assertEqual(['leaked-allocation'], self.found())

    def test_stuck_confirming(self):
        self.force(self.server, 'host2')
        with mock.patch.object(rpcapi.ComputeAPI, 'confirm_resize',
                               autospec=True):
            self.api.post_server_action(
                self.server['id'], {'confirmResize': None},
                check_response_status=[204])
        self.assertEqual([], self.found())
        self.assertEqual(['stuck-confirming'], self.found(bound=0))
