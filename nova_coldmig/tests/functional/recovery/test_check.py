# SPDX-License-Identifier: Apache-2.0

"""nova-coldmig-manage migration check, after moves that broke."""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional import base

import threading
import types
from unittest import mock

from keystoneauth1 import exceptions as ks_exc
from nova.cmd import manage as nova_manage
from nova.compute import rpcapi
from nova import context as nova_context
from nova import objects
from nova.scheduler.client import report
from nova.tests.unit import fake_requests
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.cmd import manage
from nova_coldmig.recovery import cells
from nova_coldmig.recovery import findings


class TestCheck(base.ColdmigTestCase):

    def setUp(self):
        super().setUp()
        self.server = self._create_server(networks='none', host='host1')
        # Between the two reads, here, nothing goes on.
        self.useFixture(base.fixtures.MockPatchObject(findings, 'WAIT', 0))

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

    def lose_allocation(self, server):
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), server['id'])

    def test_missing_allocation(self):
        self.lose_allocation(self.server)
        self.assertEqual(['missing-allocation'], self.found())
        self.assertEqual(['missing-allocation'], self.found(host='host1'))
        self.assertEqual([], self.found(host='host2'))

    def test_server(self):
        other = self._create_server(networks='none', host='host1')
        self.lose_allocation(other)
        self.assertEqual([], self.found(server=self.server['id']))
        self.assertEqual(['missing-allocation'],
                         self.found(server=other['id']))

    def test_not_there(self):
        for scope in ({'server': uuids.nowhere}, {'host': 'host9'}):
            self.assertRaises(
                manage.NothingToRead, self.found, **scope)
        # Its node is gone and its servers are not.
        objects.ComputeNode.get_first_node_by_host_for_old_compat(
            nova_context.get_admin_context(), 'host1').destroy()
        self.found(host='host1')

    def test_node_without_provider(self):
        """Of a host that was registered anew; all others are still read."""
        self.lose_allocation(self.server)
        provider = self._get_provider_uuid_by_name('host3')
        self.assertEqual(204, self.placement.delete(
            '/resource_providers/%s' % provider).status)
        self.assertEqual(['missing-allocation'], self.found())
        self.assertEqual([], self.found(host='host3'))
        self.assertIn('Compute node %s of host host3 has no resource provider'
                      % provider, self.stdlog.logger.output)

    def test_placement_refuses(self):
        provider = self._get_provider_uuid_by_name('host3')
        get = report.SchedulerReportClient.get

        def refuse(client, url, *args, **kwargs):
            if url.startswith('/resource_providers/%s' % provider):
                return fake_requests.FakeResponse(500, '{}')
            return get(client, url, *args, **kwargs)

        self.replace(
            'nova.scheduler.client.report.SchedulerReportClient.get', refuse)
        self.assertIn('HTTP 500', str(
            self.assertRaises(ks_exc.HttpError, self.found)))

    def test_soft_deleted(self):
        self.flags(reclaim_instance_interval=3600)
        self.lose_allocation(self.server)
        self.api.delete_server(self.server['id'])
        self._wait_for_state_change(self.server, 'SOFT_DELETED')
        for scope in ({}, {'host': 'host1'}, {'server': self.server['id']}):
            self.assertEqual(['missing-allocation'], self.found(**scope))
        self.assertEqual(['by-hand'], self.outcomes())
        self.api.post_server_action(self.server['id'], {'restore': None})
        self._wait_for_state_change(self.server, 'ACTIVE')
        self.assertEqual(['repaired'], self.outcomes())
        self.assertEqual([], self.found())

    def outcomes(self):
        return [done['outcome'] for done in manage.repair(bound=0, yes=True)]

    def test_batches(self):
        servers = [self.server] + [
            self._create_server(networks='none', host=host)
            for host in ('host1', 'host2', 'host3', 'host1')]
        for server in servers:
            self.lose_allocation(server)
        for size in (1, 2, 5):
            with mock.patch.object(cells, 'BATCH', size):
                self.assertEqual(
                    sorted(server['id'] for server in servers),
                    sorted(one['server'] for one in manage.check()))
                self.assertEqual(['missing-allocation'] * 3,
                                 self.found(host='host1'))

    def waiting(self, meanwhile):
        # Not time.sleep itself, which the services call too.
        return mock.patch.object(
            findings, 'time', types.SimpleNamespace(sleep=meanwhile))

    def test_gone_when_looked_at_again(self):
        """The two reads are apart, so that one step of Nova lies between."""
        self.lose_allocation(self.server)
        waits = []

        def heal(seconds):
            waits.append(seconds)
            self.assertEqual(0, nova_manage.PlacementCommands(
                ).heal_allocations(instance_uuid=self.server['id']))

        with self.waiting(heal):
            self.assertEqual([], self.found())
        self.assertEqual([findings.WAIT], waits)

    def test_deleted_when_looked_at_again(self):
        self.lose_allocation(self.server)
        with self.waiting(lambda seconds: self._delete_server(self.server)):
            self.assertEqual([], self.found())

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
