# SPDX-License-Identifier: Apache-2.0

"""Servers whose records do not add up are refused, with the way out."""

from nova.cmd import manage
from nova import objects
from oslo_db import exception as db_exc
from oslo_serialization import jsonutils

from nova_coldmig.cmd import manage as coldmig_manage
from nova_coldmig.compute import api as compute
from nova_coldmig.recovery import consent
from nova_coldmig.recovery import findings
from nova_coldmig.tests.functional import base


class AllocationTest(base.ColdmigTestCase):
    """A claim on top of a wrong allocation would be wrong for ever."""

    ELSEWHERE = (
        "Host %(host)s holds an allocation of the server, of a move cut "
        "short. 'nova-coldmig-manage migration repair --server %(uuid)s' says "
        "how to put that right; then migrate again.")

    def setUp(self):
        super().setUp()
        self.useFixture(base.fixtures.MockPatchObject(findings, 'WAIT', 0))

    def hold(self, server, *hosts):
        """Give a server allocations on hosts, and no other."""
        response = self.placement.put('/allocations/%s' % server['id'], {
            'allocations': {
                self._get_provider_uuid_by_name(host): {
                    'resources': self.resources} for host in hosts},
            'project_id': server['tenant_id'],
            'user_id': server['user_id'],
            'consumer_generation': self._generation(server),
        }, version='1.28')
        self.assertEqual(204, response.status, response.body)

    def _generation(self, server):
        return self.placement.get(
            '/allocations/%s' % server['id'], version='1.28',
        ).body.get('consumer_generation')

    def repair(self, server, restarted=(), ended=False):
        """Do what the reason says.

        :returns: tuple of the name of the repair, its outcome, and what it
            says.
        """
        done, = coldmig_manage.repair(
            server=server['id'], bound=0, yes=True, word=consent.Word(
                restarted=frozenset(restarted), ended=ended))
        return done['repair'], done['outcome'], done['what']

    def moves_again(self, server, host):
        self.force(server, host)
        self.assertMoved(server, 'host1', host)
        self.confirm(server)
        self.assertHeld(**{host: server['id']})

    def test_allocation_elsewhere_too(self):
        server = self.boot('host1')
        self.hold(server, 'host1', 'host3')
        self.assertRefused(
            server, self.ELSEWHERE % {'host': 'host3', 'uuid': server['id']},
            host1=server['id'], host3=server['id'])
        # No record tells which of the two is the right one.
        self.assertEqual(
            (None, 'by-hand', 'See on which host the guest runs, and remove '
             'what the server holds on the other.'), self.repair(server))
        self.hold(server, 'host1')
        self.moves_again(server, 'host2')

    def test_allocation_on_the_destination_already(self):
        server = self.boot('host1')
        self.hold(server, 'host1', 'host2')
        self.assertRefused(
            server, self.ELSEWHERE % {'host': 'host2', 'uuid': server['id']},
            host1=server['id'], host2=server['id'])

    def test_allocation_elsewhere_only(self):
        server = self.boot('host1')
        self.hold(server, 'host3')
        self.assertRefused(
            server, self.ELSEWHERE % {'host': 'host3', 'uuid': server['id']},
            host3=server['id'])
        self.assertEqual(
            (None, 'by-hand', 'The server holds only a host that it is not '
             'on. Run nova-manage placement heal_allocations --force for it.'),
            self.repair(server))
        self.assertEqual(0, manage.PlacementCommands().heal_allocations(
            instance_uuid=server['id'], force=True))
        self.assertHeld(host1=server['id'])
        self.moves_again(server, 'host2')

    def test_no_allocation(self):
        server = self.boot('host1')
        self.hold(server)
        self.assertHeld()
        self.assertRefused(
            server, "The server holds no allocation on its host host1. "
            "'nova-coldmig-manage migration repair --server %s' says how to "
            "give it one; then migrate again." % server['id'])
        self.assertEqual(('heal', 'repaired'), self.repair(server)[:2])
        self.assertHeld(host1=server['id'])
        self.moves_again(server, 'host2')

    def test_conductor_dies_after_the_claim(self):
        """Then source and destination are held, and no one goes on.

        An operator resets the state. The retry finds the record of the first
        attempt, and the reason says how to put that right.
        """
        server = self.boot('host1')
        mend = self.replace('nova.compute.rpcapi.ComputeAPI.prep_resize',
                            lambda *args, **kwargs: None)
        self.migrate(server, 'host2', force=True)
        self._wait_for_assert(
            lambda: self.assertIn('coldmig_force', self.events(server)))
        mend()
        migration = self.last_migration(server)
        self.assertOn(server, 'host1', 'RESIZE', 'resize_prep')
        self.assertHeld(host1=migration['uuid'], host2=server['id'])

        self.api.post_server_action(
            server['id'], {'os-resetState': {'state': 'active'}})
        message = self.refused(server, 409, {'host': 'host3', 'force': True})
        self.assertIn("'nova-coldmig-manage migration repair --server %s'"
                      % server['id'], message)
        self.assertEqual(1, len(self.migrations(server)))
        self.assertHeld(host1=migration['uuid'], host2=server['id'])
        # No record tells that the message to the destination is lost, or that
        # nobody works with it.
        for said in ({}, {'ended': True}, {'restarted': ['host2']},
                     {'restarted': ['host1', 'host2']}):
            self.assertEqual(('give-back', 'refused'),
                             self.repair(server, **said)[:2])
        self.assertEqual(('give-back', 'repaired'), self.repair(
            server, restarted=['host1', 'host2'], ended=True)[:2])
        self.assertHeld(host1=server['id'])
        self.moves_again(server, 'host3')


class CellTest(base.ColdmigTestCase):
    """A conductor that does not know the cell starts no cross-cell move."""

    def test_api_database_is_away(self):
        """Nova goes on without a cell then, as in a conductor of a cell."""
        server = self.boot('host1')
        # The option says whether Nova takes it for normal.
        self.flags(connection=None, group='api_database')
        self.replace('nova.conductor.manager.objects', _WithoutMappings())
        self.assertRefused(
            server, "The conductor was not told the host, or does not know "
            "the cell of the server. Check 'nova-manage cell_v2 "
            "verify_instance --uuid %s', then migrate again." % server['id'])


class _WithoutMappings:
    """The objects of Nova with the instance mappings out of reach."""

    class InstanceMapping:

        @staticmethod
        def get_by_instance_uuid(*args):
            raise db_exc.CantStartEngineError()

    def __getattr__(self, name):
        return getattr(objects, name)


class KeyTest(base.ColdmigTestCase):
    """Only what the API says, and only to begin with, is forced."""

    def _send(self, **changes):
        def change(sent):
            if 'key' in changes:
                sent['scheduler_hint']['filter_properties'][
                    compute.FORCE_KEY] = changes['key']
            if 'host_list' in changes:
                sent['host_list'] = changes['host_list']

        self.before_conductor(change)

    def test_nothing_but_true_is_true(self):
        for value in (1, 'true', 'True', ['host2'], {'force': True}, None):
            server = self.boot('host1')
            self._send(key=value)
            self.force(server, 'host2')
            self.assertSchedulerCalls(1)
            self.assertNotIn('coldmig_force', self.events(server))
            self._delete_server(server)

    def test_a_reschedule_is_not_forced(self):
        """A compute that sends a server on names hosts of the scheduler."""
        server = self.boot('host1')
        with self.cell_context() as context:
            node = self.node_record(context, 'host3')
        selection = objects.Selection(
            compute_node_uuid=node.uuid, service_host='host3',
            nodename='host3', limits=None,
            cell_uuid=self.cell_mappings['cell1'].uuid,
            allocation_request=jsonutils.dumps({'allocations': {
                node.uuid: {'resources': self.resources}}}),
            allocation_request_version='1.36')
        self._send(host_list=[selection])
        self.force(server, 'host2')
        migration = self.last_migration(server)
        self.assertOn(server, 'host3', 'VERIFY_RESIZE')
        self.assertHeld(host1=migration['uuid'], host3=server['id'])
        self.assertNotIn('coldmig_force', self.events(server))

    def test_a_reschedule_without_hosts_is_not_forced(self):
        server = self.boot('host1')
        self._send(host_list=[])
        self.migrate(server, 'host2', force=True)
        # What Nova says if there is no host left.
        self.assertIn(
            'No valid host found for cold migrate', self.wait_for_error(
                server, 'conductor_migrate_server')['details'])
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
