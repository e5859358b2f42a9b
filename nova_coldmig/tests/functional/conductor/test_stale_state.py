# SPDX-License-Identifier: Apache-2.0

"""A move that was forced leaves no mark: the next one is as any other."""

from nova import context as nova_context
from nova import objects
from oslo_serialization import jsonutils

from nova_coldmig.tests.functional import base


class StaleStateTestCase(base.ColdmigTestCase):

    def force_and_confirm(self, server, host):
        source = server['OS-EXT-SRV-ATTR:host']
        self.force(server, host)
        self.assertMoved(server, source, host)
        self.confirm(server)

    def assertScheduled(self, server, status='ACTIVE'):
        """Check that the scheduler was asked, and left to choose."""
        (_context, spec, *_rest), _kwargs = self.scheduler_calls[-1]
        self.assertSchedulerCalls(1)
        destination = spec.requested_destination
        if destination:
            self.assertFalse('host' in destination and destination.host)
            self.assertFalse('node' in destination and destination.node)
        self.assertIsNone(spec.force_hosts)
        self.assertIsNone(spec.force_nodes)
        self.assertFalse(getattr(spec, 'coldmig_force', False))
        server = self.api.get_server(server['id'])
        self.assertEqual(status, server['status'])
        return server['OS-EXT-SRV-ATTR:host']

    def fill(self, host):
        """Leave no room on a host, so that another must be chosen."""
        self.set_inventory(host, 'VCPU', allocation_ratio=1.0, reserved=10)


class NextMoveTest(StaleStateTestCase):

    def _boot(self):
        return self.boot('host1')

    def setUp(self):
        super().setUp()
        self.server = self._boot()
        self.force_and_confirm(self.server, 'host2')

    def test_migrate(self):
        self.fill('host1')
        self.api.post_server_action(self.server['id'], {'migrate': None})
        self._wait_for_state_change(self.server, 'VERIFY_RESIZE')
        host = self.assertScheduled(self.server, 'VERIFY_RESIZE')
        self.assertEqual('host3', host)
        self.assertNotIn('coldmig_force', self.events(self.server))
        migration = self.last_migration(self.server)
        self.assertHeld(host2=migration['uuid'], host3=self.server['id'])

    def test_migrate_to_a_host(self):
        """Named and not forced: what the scheduler refuses is refused."""
        self.fill('host1')
        self.migrate(self.server, 'host1')
        self.wait_for_error(self.server, 'conductor_migrate_server')
        self.assertSchedulerCalls(1)
        self.assertOn(self.server, 'host2')
        self.assertHeld(host2=self.server['id'])

    def test_live_migrate(self):
        self.fill('host1')
        self.api.post_server_action(self.server['id'], {'os-migrateLive': {
            'host': None, 'block_migration': 'auto'}})
        self._wait_for_server_parameter(self.server, {
            'OS-EXT-SRV-ATTR:host': 'host3', 'status': 'ACTIVE'})
        self.assertScheduled(self.server)
        self._wait_for_assert(
            lambda: self.assertHeld(host3=self.server['id']))

    def test_evacuate(self):
        self.fill('host1')
        self.computes['host2'].stop()
        self.force_down('host2')
        self.api.post_server_action(self.server['id'], {'evacuate': {}})
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-SRV-ATTR:host': 'host3',
                          'OS-EXT-STS:task_state': None})
        self.assertSchedulerCalls(1)
        self.assertHeld(host2=self.server['id'], host3=self.server['id'])

    def test_shelve_and_unshelve(self):
        self._shelve_server(self.server)
        self.assertHeld()
        self.fill('host1')
        self.fill('host2')
        self._unshelve_server(self.server)
        self.assertEqual('host3', self.assertScheduled(self.server))
        self.assertHeld(host3=self.server['id'])

    def test_resize(self):
        self.fill('host1')
        flavor = self._create_flavor(
            memory_mb=1024, vcpu=1, disk=1, ephemeral=0)
        self.api.post_server_action(
            self.server['id'], {'resize': {'flavorRef': flavor}})
        self._wait_for_state_change(self.server, 'VERIFY_RESIZE')
        host = self.assertScheduled(self.server, 'VERIFY_RESIZE')
        self.assertEqual('host3', host)


class NextMoveOfPinnedServerTest(NextMoveTest):
    """The same for a server that was booted onto a host by name.

    Nova remembers that host and, at the first cold migration, forgets it.
    """

    def _boot(self):
        server = self._create_server(
            az='nova:host1', networks='none', flavor_id=self.flavor['id'])
        self.scheduler_calls.clear()
        return server


class RequestSpecTest(StaleStateTestCase):
    """What is stored of a server's request."""

    def _stored(self, server):
        """Read the stored request spec, without what differs by server."""
        context = nova_context.get_admin_context()
        row = objects.RequestSpec._get_by_instance_uuid_from_db(
            context, server['id'])
        text = row['spec'].replace(server['id'], 'uuid')
        stored = jsonutils.loads(text)['nova_object.data']
        stored.pop('id', None)
        return stored

    def test_after_a_forced_move_and_after_another(self):
        forced, unforced = self.boot('host1'), self.boot('host1')
        self.assertEqual(self._stored(forced), self._stored(unforced))
        self.force_and_confirm(forced, 'host2')
        self.migrate(unforced, 'host2')
        self._wait_for_state_change(unforced, 'VERIFY_RESIZE')
        self.assertEqual(self._stored(forced), self._stored(unforced))
        self._check_no_residue(forced)

    def test_after_a_refused_move(self):
        server = self.boot('host1')
        before = self._stored(server)
        self.fill('host2')
        self.assertRefused(server, 'it is full')
        self.assertEqual(before, self._stored(server))

    def test_of_a_server_booted_onto_a_host(self):
        server = self._create_server(
            az='nova:host1', networks='none', flavor_id=self.flavor['id'])
        self.scheduler_calls.clear()
        self.assertEqual(['host1'], self._stored(server)['force_hosts'])
        self.force_and_confirm(server, 'host2')
        self._check_no_residue(server)

    def _check_no_residue(self, server):
        stored = self._stored(server)
        self.assertNotIn('coldmig', str(stored))
        for field in ('requested_destination', 'requested_resources',
                      'retry', 'ignore_hosts', 'force_hosts', 'force_nodes'):
            self.assertFalse(stored.get(field), field)
        self.assertNotIn('host2', str(stored))
