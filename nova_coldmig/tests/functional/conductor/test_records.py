# SPDX-License-Identifier: Apache-2.0

"""Migration records of earlier moves, and a move after them.

A server has many records in its life. None is that of the move at hand
because of its status alone.
"""

from nova_coldmig.tests.functional import base

from unittest import mock

import fixtures
from nova.cmd import manage as nova_manage
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.objects import fields
from nova.scheduler.client import report
from oslo_utils import timeutils

from nova_coldmig.cmd import manage
from nova_coldmig import events
from nova_coldmig import exception
from nova_coldmig import records
from nova_coldmig.recovery import consent
from nova_coldmig.recovery import findings

OPEN = ('pre-migrating', 'migrating', 'post-migrating', 'finished',
        'confirming', 'reverting')


class RecordsTestCase(base.ColdmigTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(findings, 'WAIT', 0))
        self.server = self.boot('host1')

    def add_record(self, status, source='host1', destination='host2',
                   migration_type='migration'):
        """Leave a record behind.

        :returns: nova.objects.Migration
        """
        with self.cell_context() as context:
            migration = objects.Migration(
                context, instance_uuid=self.server['id'], status=status,
                migration_type=migration_type,
                source_compute=source, source_node=source,
                project_id=self.api.project_id, user_id='admin',
                old_instance_type_id=1, new_instance_type_id=1)
            if destination:
                migration.dest_compute = migration.dest_node = destination
                if 'dest_compute_id' in migration.fields:
                    migration.dest_compute_id = self.node_record(
                        context, destination).id
            migration.create()
            return migration

    def give(self, consumer, host):
        """Have a consumer hold a flavor on a host."""
        held = self.placement.get('/allocations/%s' % consumer,
                                  version='1.28').body['allocations']
        held[self._get_provider_uuid_by_name(host)] = {
            'resources': self.resources}
        response = self.placement.put('/allocations/%s' % consumer, {
            'allocations': held, 'project_id': self.api.project_id,
            'user_id': 'admin', 'consumer_generation': None},
            version='1.28')
        self.assertEqual(204, response.status, response.body)

    def live_migrate(self, host):
        self.api.post_server_action(self.server['id'], {'os-migrateLive': {
            'host': host, 'block_migration': 'auto'}})
        self._wait_for_server_parameter(self.server, {
            'OS-EXT-SRV-ATTR:host': host, 'status': 'ACTIVE',
            'OS-EXT-STS:task_state': None})
        self._wait_for_assert(
            lambda: self.assertHeld(**{host: self.server['id']}))
        self.scheduler_calls.clear()

    def reset(self):
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}})

    def refused_by_api(self, host='host3'):
        """Force the server, which nova-api refuses without a change."""
        held, migrations = self.held(), self.migrations(self.server)
        message = self.refused(
            self.server, 409, {'host': host, 'force': True})
        self.assertEqual(held, self.held())
        self.assertEqual(migrations, self.migrations(self.server))
        return message

    def repair(self, yes=False, ended=False, restarted=()):
        """Run the command that a refusal names.

        :returns: list of tuples of str, what was done and how it ended.
        """
        return [(done['repair'], done['outcome']) for done in manage.repair(
            server=self.server['id'], bound=0, yes=yes, word=consent.Word(
                ended=ended, restarted=frozenset(restarted)))]

    def found(self):
        return {one['finding'] for one in manage.check(
            server=self.server['id'], bound=0)}


class UnfinishedTest(RecordsTestCase):

    def test_open_records(self):
        """Both halves refuse each, and check sees it at once."""
        self.assertEqual(set(), set(OPEN) & set(records.ENDED))
        for migration_type in records.COLD:
            for status in OPEN:
                left = self.add_record(status, migration_type=migration_type)
                message = self.refused_by_api()
                self.assertIn('%d from host host1 (%s)' % (left.id, status),
                              message)
                self.assertIn('nova-coldmig-manage migration repair --server '
                              + self.server['id'], message)
                # Without waiting until the server was idle for long.
                self.assertNotEqual([], list(manage.check(
                    server=self.server['id'])), status)
                self.assertNotEqual([], self.repair(), status)
                left.status = 'error'
                left.save()
                self.assertEqual(set(), self.found())
        self.force(self.server, 'host3')

    def test_between_the_api_and_the_conductor(self):
        for status in OPEN:
            left = []

            def add(_kwargs, status=status, left=left):
                left.append(self.add_record(status))

            self.before_conductor(add)
            details = self.force_refused(self.server, 'host3')
            self.assertIn('%d from host host1 (%s)' % (left[0].id, status),
                          details)
            self.assertOn(self.server, 'host1')
            self.assertHeld(host1=self.server['id'])
            left[0].status = 'error'
            left[0].save()

    def test_ended_records_that_hold(self):
        """One that failed may hold the host with the only disk."""
        for status in ('error', 'reverted', 'failed'):
            left = self.add_record(status, 'host2', 'host1')
            self.give(left.uuid, 'host2')
            details = self.force_refused(self.server, 'host3')
            self.assertIn('%d from host host2 (%s)' % (left.id, status),
                          details)
            self.assertEqual({'leaked-allocation'}, self.found())
            self.assertEqual([('release', 'repaired')], self.repair(yes=True))
            self.assertHeld(host1=self.server['id'])

    def test_records_that_are_done_with(self):
        for status in records.ENDED:
            self.add_record(status)
        # What Nova has not taken away yet, after a confirmation.
        self.give(self.add_record('confirmed').uuid, 'host2')
        for migration_type in (fields.MigrationType.LIVE_MIGRATION,
                               fields.MigrationType.EVACUATION):
            self.add_record('completed', migration_type=migration_type)
        self.force(self.server, 'host3')
        self._wait_for_migration_status(self.server, ['finished'])

    def test_placement_does_not_tell(self):
        left = self.add_record('error')
        get = report.SchedulerReportClient.get_allocs_for_consumer

        def away(client, context, consumer):
            if consumer == left.uuid:
                raise nova_exception.ConsumerAllocationRetrievalFailed(
                    consumer_uuid=consumer, error='away')
            return get(client, context, consumer)

        self.replace('nova.scheduler.client.report.SchedulerReportClient.'
                     'get_allocs_for_consumer', away)
        self.assertIn('Placement did not answer',
                      self.force_refused(self.server, 'host3'))
        self.assertHeld(host1=self.server['id'])


class LeftBehindTest(RecordsTestCase):
    """What used to end on a host where the server has no disk."""

    def never_began(self):
        """Nova would go on with this record, and with its source."""
        self.add_record('pre-migrating', destination=None)
        self.live_migrate('host2')

    def end(self, action):
        self.api.post_server_action(self.server['id'], {action: None})
        self._wait_for_state_change(self.server, 'ACTIVE')

    def test_never_began(self):
        self.never_began()
        self.refused_by_api()
        self.assertEqual({'zombie-migration'}, self.found())
        # Only a person can tell that no message is queued.
        self.assertEqual([('end', 'refused')], self.repair(yes=True))
        self.assertEqual([('end', 'would-repair')], self.repair(ended=True))
        self.assertEqual([('end', 'repaired')],
                         self.repair(yes=True, ended=True))
        self.assertEqual(set(), self.found())
        for action, host in (('revertResize', 'host2'),
                             ('confirmResize', 'host3')):
            self.force(self.server, 'host3')
            self.assertMoved(self.server, 'host2', 'host3')
            self.end(action)
            self.assertOn(self.server, host)
            self._wait_for_assert(
                lambda: self.assertHeld(**{host: self.server['id']}))

    def test_never_began_on_its_source(self):
        self.add_record('pre-migrating', destination=None)
        self.refused_by_api()
        self.assertEqual([('give-back', 'refused')], self.repair(yes=True))
        self.assertEqual([('give-back', 'repaired')],
                         self.repair(yes=True, ended=True))
        self.force(self.server, 'host3')
        self.assertMoved(self.server, 'host1', 'host3')

    def test_state_was_reset_in_verify_resize(self):
        """Nova would confirm the first move, and leave the second open."""
        self.force(self.server, 'host2')
        self.reset()
        self.assertIn('(finished)', self.refused_by_api())
        self.assertEqual({'zombie-migration'}, self.found())
        self.assertEqual([('reopen', 'repaired')], self.repair(yes=True))
        self.assertOn(self.server, 'host2', 'VERIFY_RESIZE')
        self.assertEqual(set(), self.found())
        self.confirm(self.server)
        self.force(self.server, 'host3')
        self.confirm(self.server)

    def test_state_was_reset_and_it_moved_on(self):
        self.force(self.server, 'host2')
        self.reset()
        self.api.post_server_action(self.server['id'], {'os-migrateLive': {
            'host': 'host3', 'block_migration': 'auto'}})
        self._wait_for_server_parameter(self.server, {
            'OS-EXT-SRV-ATTR:host': 'host3', 'OS-EXT-STS:task_state': None})
        # Nova takes away what it held there after the server is at rest.
        self._wait_for_assert(
            lambda: self.assertEqual({}, self.held()['host2']))
        self.refused_by_api('host1')
        self.assertEqual([('end', 'refused')], self.repair(yes=True))
        self.assertEqual([('end', 'repaired')],
                         self.repair(yes=True, ended=True))
        self.assertEqual({'leaked-allocation'}, self.found())
        self.assertEqual([('release', 'repaired')], self.repair(yes=True))
        self._wait_for_assert(
            lambda: self.assertHeld(host3=self.server['id']))
        self.scheduler_calls.clear()
        self.force(self.server, 'host1')
        self.assertMoved(self.server, 'host3', 'host1')

    def test_state_was_reset_to_error(self):
        self.force(self.server, 'host2')
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'error'}})
        self.assertEqual({'zombie-migration'}, self.found())
        self.assertEqual([(None, 'by-hand')], self.repair(yes=True))
        # As it says.
        self.reset()
        self.assertEqual([('reopen', 'repaired')], self.repair(yes=True))

    def test_a_second_move_while_one_waits(self):
        """The older of two finished records is found, too."""
        self.add_record('finished', 'host3', 'host1')
        with mock.patch.object(records, 'check', autospec=True):
            self.force(self.server, 'host2')
        self.assertEqual({'zombie-migration'}, self.found())


class GuardTest(RecordsTestCase):
    """A move that the scheduler chooses the host for."""

    def setUp(self):
        super().setUp()
        self.flags(guard_checked_moves=True, group='coldmig')

    def _ask(self, action):
        self.api.post_server_action(self.server['id'], action)

    def test_left_over(self):
        left = self.add_record('pre-migrating', 'host2', None)
        for migrate in (None, {'host': 'host3'}):
            self._ask({'migrate': migrate})
            self.assertIn('%d from host host2' % left.id,
                          self.refusal(self.server))
            self.assertOn(self.server, 'host1')
            self.assertHeld(host1=self.server['id'])
        self.assertSchedulerCalls(0)

    def test_resize(self):
        self.add_record('finished', 'host2', 'host1')
        flavor = self._create_flavor(
            memory_mb=1024, vcpu=1, disk=1, ephemeral=0)
        self._ask({'resize': {'flavorRef': flavor}})

        def refused():
            self.assertIn(events.REFUSED, self.events(self.server, 'resize'))

        self._wait_for_assert(refused, max_retries=60)
        self._wait_for_server_parameter(
            self.server, {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None})
        self.assertHeld(host1=self.server['id'])

    def test_nova_goes_on_with_an_earlier_record(self):
        """Without the guard, and check tells before it is reverted."""
        self.flags(guard_checked_moves=False, group='coldmig')
        self.add_record('pre-migrating', destination=None)
        self.live_migrate('host2')
        self._ask({'migrate': {'host': 'host3'}})
        self._wait_for_state_change(self.server, 'VERIFY_RESIZE')
        self.assertEqual({'wrong-source'}, {
            one['finding'] for one in manage.check(server=self.server['id'])})
        done, = manage.repair(server=self.server['id'], yes=True)
        self.assertEqual('by-hand', done['outcome'])
        self.assertIn('Do not revert it: it would end on host1', done['what'])

    def test_off(self):
        self.flags(guard_checked_moves=False, group='coldmig')
        self.add_record('finished', 'host2', 'host1')
        self._ask({'migrate': {'host': 'host3'}})
        self._wait_for_state_change(self.server, 'VERIFY_RESIZE')

    def test_healthy(self):
        self._ask({'migrate': {'host': 'host3'}})
        self._wait_for_state_change(self.server, 'VERIFY_RESIZE')
        self.assertSchedulerCalls(1)
        self.confirm_checked()

    def confirm_checked(self):
        self._ask({'confirmResize': None})
        self._wait_for_state_change(self.server, 'ACTIVE')
        self._wait_for_assert(
            lambda: self.assertHeld(host3=self.server['id']))

    def test_rescheduled(self):
        """It goes on with the record of the attempt before it."""
        attempts = []

        def fail_first(host):
            manager = self.computes[host].manager
            prep_resize = manager._prep_resize

            def fail_once(*args, **kwargs):
                attempts.append(host)
                if len(attempts) == 1:
                    raise nova_exception.ComputeResourcesUnavailable(
                        reason='for the test')
                return prep_resize(*args, **kwargs)

            manager._prep_resize = fail_once

        for host in ('host2', 'host3'):
            fail_first(host)
        self._ask({'migrate': None})
        self._wait_for_state_change(self.server, 'VERIFY_RESIZE')
        self.assertEqual(['host2', 'host3'], sorted(attempts))
        self.assertEqual(1, len(self.migrations(self.server)))


class EvacuatedTest(RecordsTestCase):
    """A server holds the host that it was lost on until that host is back."""

    def setUp(self):
        super().setUp()
        self.computes['host1'].stop()
        self.force_down('host1')
        self.api.post_server_action(
            self.server['id'], {'evacuate': {'host': 'host3'}})
        self._wait_for_server_parameter(self.server, {
            'OS-EXT-SRV-ATTR:host': 'host3', 'OS-EXT-STS:task_state': None})
        self._wait_for_migration_status(self.server, ['done'])
        self.scheduler_calls.clear()
        # An evacuated server is stopped.
        self.status = self.api.get_server(self.server['id'])['status']
        self.assertHeld(host1=self.server['id'], host3=self.server['id'])

    def test_confirmed(self):
        self.assertEqual(set(), self.found())
        self.force(self.server, 'host2')
        migration = self.last_migration(self.server)
        self.assertHeld(host1=migration['uuid'], host3=migration['uuid'],
                        host2=self.server['id'])
        self.assertEqual(set(), self.found())
        self.api.post_server_action(self.server['id'], {'confirmResize': None})
        self._wait_for_state_change(self.server, self.status)
        self._wait_for_assert(
            lambda: self.assertHeld(host2=self.server['id']))

    def test_reverted(self):
        self.force(self.server, 'host2')
        self.revert(self.server, self.status)
        self.assertEqual(set(), self.found())

    def test_lost_host_is_over_its_capacity(self):
        if base.TREE.major >= 32:
            self.skipTest('Placement lets what is held there change hands.')
        self.set_inventory('host1', 'VCPU', total=1, allocation_ratio=1.0,
                           reserved=1)
        self.assertIn('Host host1, which the server holds, is over its '
                      'capacity', self.force_refused(self.server, 'host2'))

    def test_holds_another_host_as_well(self):
        """Of which no evacuation tells."""
        url = '/allocations/%s' % self.server['id']
        held = self.placement.get(url, version='1.28').body
        held['allocations'][self._get_provider_uuid_by_name('host2')] = {
            'resources': self.resources}
        response = self.placement.put(url, held, version='1.28')
        self.assertEqual(204, response.status, response.body)
        self.assertIn('Host host2 holds an allocation of the server',
                      self.force_refused(self.server, 'host2'))
        self.assertEqual({'two-hosts'}, self.found())

    def test_back_to_the_host_that_has_not_cleaned_up(self):
        """It would delete the server when it is restarted."""
        self.force_down('host1', False)
        with self.cell_context() as context:
            record = self.service_record(context, 'host1')
            record.last_seen_up = timeutils.utcnow()
            record.save()
        message = self.refused_by_api('host1')
        self.assertIn('The server was evacuated from host host1', message)
        with mock.patch.object(
                records, 'check_not_evacuated_from', autospec=True,
                side_effect=[None, exception.ForcedDestinationUnavailable(
                    reason='No.')]):
            self.assertEqual('No.', self.force_refused(self.server, 'host1'))


class RegisteredAnewTest(RecordsTestCase):
    """A compute node with another UUID than the provider of its name."""

    def test_source(self):
        old = self._get_provider_uuid_by_name('host1')
        node = self.register_anew('host1')
        details = self.force_refused(self.server, 'host2')
        self.assertIn('compute node %s' % node, details)
        self.assertIn('has no resource provider', details)
        self.assertEqual({'no-provider', 'unknown-provider'}, self.found())
        done, = manage.repair(server=self.server['id'], bound=0, yes=True)
        self.assertEqual('by-hand', done['outcome'])
        for word in (old, node, 'host1', 'resource provider set --name',
                     'heal_allocations --force'):
            self.assertIn(word, done['what'])
        # As it says, nova-compute's part by hand.
        self.assertEqual(200, self.placement.put(
            '/resource_providers/%s' % old, {'name': 'old-host1'},
            version='1.20').status)
        inventories = self.placement.get(
            '/resource_providers/%s/inventories' % old).body['inventories']
        self.assertEqual(200, self.placement.post(
            '/resource_providers', {'name': 'host1', 'uuid': node},
            version='1.20').status)
        self._update_inventory(node, {
            'resource_provider_generation': 0, 'inventories': inventories})
        self.assertIn('holds no allocation on its host host1. What it holds '
                      'is of other resource providers: %s.' % old,
                      self.force_refused(self.server, 'host2'))
        self.assertEqual({'unknown-provider'}, self.found())
        self.assertEqual([(None, 'by-hand')], self.repair(yes=True))
        self.assertEqual(0, nova_manage.PlacementCommands(
            ).heal_allocations(instance_uuid=self.server['id'], force=True))
        self.assertEqual(set(), self.found())
        self.assertHeld(host1=self.server['id'])
        self.force(self.server, 'host2')

    def test_destination(self):
        node = self.register_anew('host2')
        details = self.force_refused(self.server, 'host2')
        self.assertIn('compute node %s of host host2 has no resource provider'
                      % node, details)
        self.assertHeld(host1=self.server['id'])

    def test_holds_nothing(self):
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        details = self.force_refused(self.server, 'host2')
        self.assertIn('holds no allocation on its host host1. \'nova-coldmig',
                      details)
        self.assertEqual({'missing-allocation'}, self.found())
        self.assertEqual([('heal', 'repaired')], self.repair(yes=True))
        self.force(self.server, 'host2')


class OwnerTest(RecordsTestCase):

    def owner(self, consumer):
        allocations = self.placement.get(
            '/allocations/%s' % consumer, version='1.28').body
        return allocations['project_id'], allocations['user_id']

    def test_wrong_owner(self):
        """The server's is put right, as by a move of Nova's."""
        right = self.owner(self.server['id'])
        url = '/allocations/%s' % self.server['id']
        held = self.placement.get(url, version='1.28').body
        held.update(project_id='other-project', user_id='other-user')
        self.assertEqual(204, self.placement.put(
            url, held, version='1.28').status)
        self.force(self.server, 'host2')
        self.assertEqual(right, self.owner(self.server['id']))
        self.assertEqual(('other-project', 'other-user'), self.owner(
            self.last_migration(self.server)['uuid']))


class OwnerReadsTest(RecordsTestCase):
    """What the owner of a server can read names no host and no provider."""

    def test_refused(self):
        self.set_inventory('host2', 'VCPU', allocation_ratio=1.0, reserved=10)
        details = self.force_refused(self.server, 'host2')
        self.assertIn('host2', details)
        self.reset_to_error()
        owner = self.client(user='owner', roles=['member', 'reader'])
        texts = [str(owner.get_server(self.server['id'])['fault'])]
        for action in owner.get_instance_actions(self.server['id']):
            texts.append(str(owner.api_get(
                '/servers/%s/os-instance-actions/%s' % (
                    self.server['id'], action['request_id'])).body))
        self.assertIn('coldmig_refused', texts[0])
        node = self._get_provider_uuid_by_name('host2')
        for text in texts:
            self.assertNotIn('host2', text)
            self.assertNotIn(node, text)

    def reset_to_error(self):
        # The fault of a server is shown while it is in error.
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'error'}})


class AfterTheCastTest(RecordsTestCase):

    def test_event_can_not_be_written(self):
        """A move that is under way is not rolled back for want of a word."""
        record = events.record

        def fail(context, instance, event, *args, **kwargs):
            if event == events.FORCED:
                raise ValueError('for the test')
            return record(context, instance, event, *args, **kwargs)

        self.replace('nova_coldmig.events.record', fail)
        self.force(self.server, 'host2')
        self.assertNotIn(events.FORCED, self.events(self.server))
        self.confirm(self.server)

    def test_cast_fails(self):
        """What was not asked of the destination is not told as done."""
        self.replace('nova.compute.rpcapi.ComputeAPI.prep_resize',
                     mock.Mock(side_effect=ValueError('for the test')))
        self.migrate(self.server, 'host2', force=True)
        self.wait_for_error(self.server, 'conductor_migrate_server')
        self.assertNotIn(events.FORCED, self.events(self.server))
        self.assertHeld(host1=self.server['id'])
