# SPDX-License-Identifier: Apache-2.0

"""nova-coldmig-manage migration repair, after moves that broke."""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional import base

import dataclasses
import threading
from unittest import mock

from nova.compute import rpcapi
from nova.compute import utils
from nova import context as nova_context
from nova import objects
from nova.scheduler.client import report
from nova.tests import fixtures as nova_fixtures
import oslo_messaging as messaging

from nova_coldmig.cmd import manage
from nova_coldmig.recovery import cells
from nova_coldmig.recovery import consent
from nova_coldmig.recovery import findings
from nova_coldmig.recovery import plan
from nova_coldmig.recovery import repair


#: All that an operator can have seen to.
WORD = consent.Word(
    restarted=frozenset(('host1', 'host2', 'host3')), ended=True,
    no_guest_on=frozenset(('host1', 'host2', 'host3')))


class Killed(Exception):
    pass


class RepairTestCase(base.ColdmigTestCase):

    def setUp(self):
        super().setUp()
        self.server = self.boot('host1')
        self.useFixture(base.fixtures.MockPatchObject(findings, 'WAIT', 0))

    def lose(self, target):
        """Lose a message: its receiver, or who sends it, has died.

        :returns: callable that waits until it was sent, and mends.
        """
        sent = threading.Event()
        mend = self.replace(target, lambda *args, **kwargs: sent.set())

        def wait():
            self.assertTrue(sent.wait(20))
            mend()
        return wait

    def stick(self, target, **arguments):
        wait = self.lose('nova.compute.rpcapi.ComputeAPI.' + target)
        arguments.setdefault('force', True)
        self.migrate(self.server, 'host2', **arguments)
        wait()

    def repair(self, yes=True, bound=0, server=None, **kwargs):
        word = dataclasses.replace(WORD, **{
            name: said if isinstance(said, bool) else frozenset(said)
            for name, said in kwargs.items()})
        return [(done['repair'], done['outcome']) for done in
                manage.repair(server=server, bound=bound, yes=yes, word=word)]

    def found(self):
        return {finding['finding'] for finding in manage.check(bound=0)}

    def assertMended(self, host='host1', status='ACTIVE'):
        """Check that the server is in order and can be moved again."""
        self._wait_for_server_parameter(self.server, {
            'status': status, 'OS-EXT-STS:task_state': None})
        self.assertOn(self.server, host, status)
        self._wait_for_assert(
            lambda: self.assertHeld(**{host: self.server['id']}))
        self.assertEqual([], self.repair())
        self.assertEqual(set(), self.found())
        self.force(self.server, 'host3')
        self.confirm(self.server)

    def cut_short(self, name, count):
        """Run the first steps of a repair only."""
        steps = repair.STEPS[name]
        with mock.patch.dict(repair.STEPS, {
                name: steps[:count] + (mock.Mock(side_effect=Killed),)}):
            self.assertEqual([(name, 'failed')], self.repair())

    def assertCutShort(self, name, mended=lambda: None):
        """Check that a second run ends what a first one began."""
        for count in range(len(repair.STEPS[name])):
            self.cut_short(name, count)
            self.assertNotEqual(set(), self.found())
        self.assertEqual([(name, 'repaired')], self.repair())
        mended()


class ResizePrepTest(RepairTestCase):

    def test_forced(self):
        self.stick('prep_resize')
        self.assertEqual([('give-back', 'would-repair')],
                         self.repair(yes=False))
        self.assertEqual({'stuck-resize-prep'}, self.found())
        self.assertEqual([('give-back', 'repaired')], self.repair())
        self.assertIn('coldmig_repair', self.events(
            self.server, 'coldmig_repair'))
        self.assertMended()

    def test_checked(self):
        self.stick('prep_resize', force=False)
        self.assertEqual([('give-back', 'repaired')], self.repair())
        self.assertMended()

    def test_cut_short(self):
        self.stick('prep_resize')
        self.assertCutShort(plan.GIVE_BACK, self.assertMended)

    def test_source_did_not_begin(self):
        """The destination made its claim and told a source that died."""
        self.stick('resize_instance')
        self.assertEqual([('give-back', 'repaired')], self.repair())
        self.assertMended()

    def test_at_work(self):
        self.stick('prep_resize')
        self.assertEqual([], self.repair(bound=3600))

    def test_down(self):
        self.stick('prep_resize')
        self.force_down('host2')
        for said in ({}, {'fenced': ['host1']},
                     # A message for it is delivered when it is back.
                     {'fenced': ['host2'], 'ended': False},
                     {'fenced': ['host2'], 'restarted': ['host2']}):
            self.assertEqual([('give-back', 'refused')], self.repair(**said))
        self.assertEqual([('give-back', 'repaired')],
                         self.repair(fenced=['host2']))
        self.assertMended()

    def test_check_tells_what_the_repair_does(self):
        self.stick('prep_resize')
        told, = manage.check(bound=0)
        done, = manage.repair(bound=0)
        self.assertEqual(
            (done['repair'], done['what'], done['reason']),
            (told['plan'], told['repair'], told['asks']))
        self.assertEqual('give-back', told['plan'])
        self.assertIn('--restarted', told['asks'])

    def test_slow_destination(self):
        """It is up, and nothing tells whether it still works."""
        self.stick('prep_resize')
        for restarted in ([], ['host1'], ['host2']):
            self.assertEqual([('give-back', 'refused')],
                             self.repair(restarted=restarted))
        self.assertHeld(
            host1=self.last_migration(self.server)['uuid'],
            host2=self.server['id'])
        self.assertEqual([('give-back', 'repaired')],
                         self.repair(restarted=['host1', 'host2']))

    def test_dies_while_others_are_looked_at(self):
        """Whether a host is up is read when it matters."""
        self.stick('prep_resize')
        find = findings.find

        def and_then(*args):
            yield from find(*args)
            self.force_down('host2')

        self.useFixture(base.fixtures.MockPatchObject(
            findings, 'find', lambda *args: list(and_then(*args))))
        self.assertEqual([('give-back', 'refused')], self.repair())


class AfterTheSourceTest(RepairTestCase):

    def test_migrated(self):
        self.stick('finish_resize')
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': 'resize_migrated'})
        self.assertEqual({'stuck-resize-migrated'}, self.found())
        self.assertEqual([('revert', 'repaired')], self.repair())
        self.assertMended()

    def test_cut_short(self):
        self.stick('finish_resize')
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': 'resize_migrated'})
        self.assertCutShort(plan.REVERT, self.assertMended)

    def test_finish(self):
        self.stick('finish_resize')
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': 'resize_migrated'})
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, self.server['id'])
            instance.task_state = 'resize_finish'
            instance.save()
        self.assertEqual({'stuck-resize-finish'}, self.found())
        # It may still prepare the disk, or have a guest that is off.
        for said in ({'restarted': ['host1']}, {'no_guest_on': []}):
            self.assertEqual([('revert', 'refused')], self.repair(**said))
        self.assertEqual([('revert', 'repaired')], self.repair())
        self.assertMended()

    def test_copy_that_nobody_ended(self):
        """What Nova needs to take the guest back is left alone."""
        wait = self.lose('nova.compute.rpcapi.ComputeAPI.resize_instance')
        self.migrate(self.server, 'host2', force=True)
        wait()
        self.write('resize_migrating', 'migrating')
        self.force_down('host1')
        held = self.held()
        for said in ({}, {'fenced': ['host1']}):
            self.assertEqual([(None, 'by-hand')], self.repair(**said))
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, self.server['id'])
            self.assertEqual('resize_migrating', instance.task_state)
            self.assertIsNotNone(instance.migration_context)
        self.assertEqual(held, self.held())

    def write(self, task_state, status, vm_state='active'):
        """Have the records say that a move is in the middle of something."""
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, self.server['id'])
            instance.vm_state = vm_state
            instance.task_state = task_state
            instance.save()
            migration, = objects.MigrationList.get_by_filters(
                context, {'instance_uuid': instance.uuid})
            migration.status = status
            migration.save()

    def finish(self, status):
        """The guest was started, and that could not be written down."""
        self.force(self.server, 'host2')
        self.write('resize_finish', status)
        self.assertEqual({'stuck-resize-finish'}, self.found())
        self.assertEqual([('finish', 'repaired')], self.repair())
        self.assertOn(self.server, 'host2', 'VERIFY_RESIZE')
        self.assertEqual(set(), self.found())

    def test_guest_runs_on_the_destination(self):
        self.finish('post-migrating')
        self.confirm(self.server)
        self.assertMended('host2')

    def test_guest_runs_and_is_reverted(self):
        self.finish('finished')
        self.api.post_server_action(
            self.server['id'], {'revertResize': None})
        self.assertMended()

    def test_guest_runs_cut_short(self):
        self.force(self.server, 'host2')
        self.write('resize_finish', 'post-migrating')
        self.assertCutShort(plan.FINISH)
        self.confirm(self.server)
        self.assertMended('host2')

    def test_destination_does_not_tell(self):
        self.force(self.server, 'host2')
        self.write('resize_finish', 'post-migrating')
        mend = self.replace(
            'nova.compute.rpcapi.ComputeAPI.get_instance_diagnostics',
            mock.Mock(side_effect=messaging.MessagingTimeout))
        self.assertEqual([(None, 'by-hand')], self.repair())
        mend()
        # A dry run does not ask.
        self.assertEqual([('revert', 'would-repair')], self.repair(yes=False))
        self.assertEqual([('finish', 'repaired')], self.repair())

    def test_revert_of_the_repair_fails(self):
        """What then holds the source is not left over either."""
        self.stick('finish_resize')
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': 'resize_migrated'})
        mend = self.replace('nova.compute.manager.ComputeManager.'
                            '_terminate_volume_connections',
                            mock.Mock(side_effect=Killed))
        self.assertEqual([('revert', 'repaired')], self.repair())
        self._wait_for_server_parameter(self.server, {
            'status': 'ERROR', 'OS-EXT-STS:task_state': None})
        mend()
        self._wait_for_migration_status(self.server, ['error'])
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertEqual([('revert', 'repaired')], self.repair())
        self.assertMended()

    def test_rollback_was_cut_short(self):
        """The migration has ended, and holds what the server should."""
        self.stick('prep_resize')
        self.write('resize_prep', 'error')
        self.assertEqual([('give-back', 'repaired')], self.repair())
        self.assertMended()

    def test_zombie(self):
        """The source came back and took the guest back."""
        self.stick('resize_instance')
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, self.server['id'])
            instance.task_state = None
            instance.save()
            migration = objects.Migration.get_by_instance_and_status(
                context, instance.uuid, 'pre-migrating')
            migration.status = 'migrating'
            migration.save()
        self.assertEqual({'zombie-migration'}, self.found())
        # Somebody has reset the state, and the disk is still set aside.
        held = self.held()
        instances = self.computes['host1'].manager.driver.instances
        guest = instances.pop(self.server['id'])
        self.assertEqual([('give-back', 'would-repair')],
                         self.repair(yes=False))
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.assertEqual(held, self.held())
        instances[self.server['id']] = guest
        self.assertEqual([('give-back', 'repaired')], self.repair())
        self.assertMended()


class AttachedTest(RepairTestCase):
    """What Cinder and Neutron have is said, as no record of Nova tells it."""

    def setUp(self):
        super().setUp()
        self.server = self.boot_from_volume(networks=[
            {'port': nova_fixtures.NeutronFixture.port_1['id']}])
        self.volume = nova_fixtures.CinderFixture.IMAGE_BACKED_VOL
        self.force(self.server, 'host2')

    def write(self, host, task_state, status):
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, self.server['id'])
            instance.vm_state = 'active'
            instance.task_state = task_state
            instance.host = instance.node = host
            instance.compute_id = self.node_record(context, host).id
            instance.save()
            migration, = objects.MigrationList.get_by_filters(
                context, {'instance_uuid': instance.uuid})
            migration.status = status
            migration.save()
            device, = objects.BlockDeviceMappingList.get_by_instance_uuid(
                context, instance.uuid)
        return device.attachment_id

    def told(self):
        """What check says, and what the repair did and says."""
        checked = {one['repair'] for one in manage.check(bound=0)}
        done, = manage.repair(bound=0, yes=True, word=WORD)
        return checked | {done['what']}, done['outcome']

    def test_volumes_that_were_not_completed(self):
        attachment = self.write('host2', 'resize_finish', 'post-migrating')
        # Only a repair asks the host, so only it knows that the guest runs.
        done, = manage.repair(bound=0, yes=True, word=WORD)
        self.assertEqual(('finish', 'repaired'),
                         (done['repair'], done['outcome']))
        self.assertIn('Volume %s may be left in attaching' % self.volume,
                      done['what'])
        self.assertIn('volume attachment complete %s.' % attachment,
                      done['what'])

    def test_connections_that_were_given_up(self):
        self.write('host1', None, 'migrating')
        told, outcome = self.told()
        # The guest runs there, which does not say what Cinder has.
        self.assertEqual('repaired', outcome)
        for text in told:
            self.assertIn(
                'nova-manage volume_attachment refresh %s %s connector.json' %
                (self.server['id'], self.volume), text)
            self.assertIn('openstack port set --host host1 %s' %
                          nova_fixtures.NeutronFixture.port_1['id'], text)

    def test_no_move_in_the_middle(self):
        self.api.post_server_action(
            self.server['id'], {'confirmResize': None})
        self._wait_for_state_change(self.server, 'ACTIVE')
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        told, outcome = self.told()
        self.assertEqual('repaired', outcome)
        for text in told:
            self.assertNotIn('volume', text)


class SourceRestartedTest(RepairTestCase):

    def test_before_it_was_asked(self):
        """Nova clears resize_prep when the source starts.

        The source then fails with the message that waited for it, and leaves
        the task behind.
        """
        target = 'nova.compute.rpcapi.ComputeAPI.resize_instance'

        def restarted(client, context, instance, *args, **kwargs):
            again = objects.Instance.get_by_uuid(context, instance.uuid)
            self.computes['host1'].manager._init_instance(context, again)
            return asked(client, context, instance, *args, **kwargs)

        asked = rpcapi.ComputeAPI.resize_instance
        mend = self.replace(target, restarted)
        self.migrate(self.server, 'host2', force=True)
        self._wait_for_server_parameter(self.server, {
            'status': 'ERROR', 'OS-EXT-STS:task_state': 'resize_migrating'})
        mend()
        self._wait_for_assert(
            lambda: self.assertHeld(host1=self.server['id']))
        self.assertEqual({'stuck-resize-migrating'}, self.found())
        self.assertEqual([('give-back', 'repaired')], self.repair())
        self.api.post_server_action(
            self.server['id'], {'reboot': {'type': 'HARD'}})
        self.assertMended()


class ConfirmTest(RepairTestCase):

    def stick_confirm(self):
        self.force(self.server, 'host2')
        wait = self.lose('nova.compute.rpcapi.ComputeAPI.confirm_resize')
        self.api.post_server_action(
            self.server['id'], {'confirmResize': None})
        wait()

    def test_confirming(self):
        self.stick_confirm()
        self.assertEqual({'stuck-confirming'}, self.found())
        self.assertEqual([('confirm', 'repaired')], self.repair())
        self.assertMended('host2')

    def test_confirming_cut_short(self):
        """Half of it is a server that waits to be confirmed."""
        self.stick_confirm()
        self.cut_short(plan.CONFIRM, 0)
        self.assertEqual({'stuck-confirming'}, self.found())
        self.cut_short(plan.CONFIRM, 1)
        self.assertEqual(set(), self.found())
        self.confirm(self.server)
        self.assertMended('host2')

    def test_finish_revert_cut_short(self):
        self.force(self.server, 'host2')
        wait = self.lose('nova.compute.rpcapi.ComputeAPI.finish_revert_resize')
        self.api.post_server_action(
            self.server['id'], {'revertResize': None})
        wait()
        self.assertCutShort(plan.FINISH_REVERT, self.assertMended)

    def stick_finish_revert(self, started=False):
        """The source has died when it had its allocation back.

        :param started: bool, whether it had started the guest
        """
        self.force(self.server, 'host2')
        wait = self.lose('nova.compute.rpcapi.ComputeAPI.finish_revert_resize')
        self.api.post_server_action(
            self.server['id'], {'revertResize': None})
        wait()
        migration = self.last_migration(self.server)['uuid']
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, self.server['id'])
            instance.host = instance.node = 'host1'
            instance.compute_id = self.node_record(context, 'host1').id
            instance.save()
            self.assertTrue(
                report.report_client_singleton().move_allocations(
                    context, migration, instance.uuid))
        self.assertHeld(host1=self.server['id'])
        if not started:
            # The driver leaves it running there.
            self.computes['host1'].manager.driver.instances.pop(
                self.server['id'])

    def test_source_died_when_the_guest_runs(self):
        """Nova would fail to start it again: only its state is wrong."""
        self.stick_finish_revert(started=True)
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.admin_api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}})
        self.assertMended()

    def test_source_died_in_finish_revert(self):
        self.stick_finish_revert()
        self.force_down('host1')
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.assertEqual([(None, 'by-hand')], self.repair(fenced=['host1']))
        self.force_down('host1', False)
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertCutShort(plan.FINISH_REVERT, self.assertMended)

    def test_reverting(self):
        for message in ('revert_resize', 'finish_revert_resize'):
            self.force(self.server, 'host2')
            wait = self.lose('nova.compute.rpcapi.ComputeAPI.' + message)
            self.api.post_server_action(
                self.server['id'], {'revertResize': None})
            wait()
            self.assertEqual({'stuck-reverting'}, self.found())
            self.assertEqual([
                (message.replace('_', '-').replace('-resize', ''),
                 'repaired')], self.repair())
            self._wait_for_state_change(self.server, 'ACTIVE')
            self._wait_for_assert(
                lambda: self.assertHeld(host1=self.server['id']))
        self.assertMended()


class FailedRevertTest(RepairTestCase):
    """The destination has removed its disk, and the source has the only one.

    What the migration holds there looks like a leak, and is none.
    """

    def fail(self, target):
        self.force(self.server, 'host2')
        mend = self.replace(target, mock.Mock(side_effect=Killed))
        self.api.post_server_action(
            self.server['id'], {'revertResize': None})
        self._wait_for_server_parameter(self.server, {
            'status': 'ERROR', 'OS-EXT-STS:task_state': None})
        self._wait_for_migration_status(self.server, ['error'])
        mend()
        self.assertEqual('host2', self.api.get_server(
            self.server['id'])['OS-EXT-SRV-ATTR:host'])

    def guest_is_kept(self):
        """A repair destroys no guest that runs; its user may."""
        self.assertEqual([('reopen', 'refused')], self.repair(restarted=()))
        self.assertEqual([('reopen', 'repaired')], self.repair())
        self.assertOn(self.server, 'host2', 'VERIFY_RESIZE')
        self.assertIn(self.server['id'],
                      self.computes['host2'].manager.driver.instances)
        self.assertEqual(set(), self.found())

    def test_destroy(self):
        self.fail('nova.virt.fake.FakeDriver.destroy')
        self.assertEqual({'stuck-reverting'}, self.found())
        self.guest_is_kept()
        self.api.post_server_action(
            self.server['id'], {'revertResize': None})
        self.assertMended()

    def test_destroy_and_confirm(self):
        self.fail('nova.virt.fake.FakeDriver.destroy')
        self.guest_is_kept()
        self.confirm(self.server)
        self.assertMended('host2')

    def test_guest_may_be_there(self):
        """One that is off looks like none."""
        self.fail('nova.compute.resource_tracker.ResourceTracker.'
                  '_drop_move_claim')
        for said in ({'no_guest_on': ()}, {'no_guest_on': ['host1']},
                     {'restarted': ['host1']}, {'restarted': ['host2']}):
            self.assertEqual([('revert', 'refused')], self.repair(**said))
        self.assertHeld(
            host1=self.last_migration(self.server)['uuid'],
            host2=self.server['id'])
        self.assertEqual([('revert', 'repaired')], self.repair())
        self.assertIn(
            'By the word of the operator: --restarted host1 host2 host3, '
            '--no-guest-on host1 host2 host3, --ended.',
            self.events(self.server, 'revertResize')['coldmig_repair'][
                'details'])
        self.assertMended()

    def test_after_destroy(self):
        self.fail('nova.compute.resource_tracker.ResourceTracker.'
                  '_drop_move_claim')
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertCutShort(plan.REVERT, self.assertMended)

    def test_state_was_reset(self):
        self.fail('nova.virt.fake.FakeDriver.destroy')
        self.reset('active')
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertEqual([(None, 'by-hand')], self.repair())

    def test_used_and_failed_again(self):
        """The guest has written since, and the revert would destroy that."""
        self.fail('nova.virt.fake.FakeDriver.destroy')
        for key in ('lock', 'unlock'):
            self.api.post_server_action(self.server['id'], {key: None})
        self.assertEqual([('revert', 'would-repair')], self.repair(yes=False))
        self.reset('active')
        # However long ago that was.
        for _number in range(12):
            for key in ('lock', 'unlock'):
                self.api.post_server_action(self.server['id'], {key: None})
        self.reset('error')
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.assertHeld(
            host1=self.last_migration(self.server)['uuid'],
            host2=self.server['id'])

    def test_moved_since(self):
        """A move that comes to nothing does not make it a leak."""
        self.fail('nova.virt.fake.FakeDriver.destroy')
        self.reset('active')
        first = self.last_migration(self.server)['uuid']
        self.set_inventory('host3', 'VCPU', total=1, reserved=1)
        # Force is refused, and Nova's own does not look at what is held.
        self.assertIn('still holds a host',
                      self.force_refused(self.server, 'host3'))
        self.migrate(self.server, 'host3')
        self._wait_for_assert(lambda: self.assertEqual(
            2, len(self.migrations(self.server))))
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': None})
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.assertHeld(host1=first, host2=self.server['id'])

    def reset(self, state):
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': state}})

    def fail_event(self, name):
        """Have a host fail before it begins its part of the revert."""
        self.force(self.server, 'host2')
        enter = utils.EventReporter.__enter__

        def fail(reporter):
            if reporter.event_name == name:
                raise Killed()
            return enter(reporter)

        mend = self.replace('nova.compute.utils.EventReporter.__enter__', fail)
        self.api.post_server_action(
            self.server['id'], {'revertResize': None})
        self._wait_for_server_parameter(self.server, {
            'status': 'VERIFY_RESIZE', 'OS-EXT-STS:task_state': None})
        mend()
        self.assertEqual({'stuck-reverting'}, self.found())

    def test_destination_did_not_begin(self):
        self.fail_event('compute_revert_resize')
        self.guest_is_kept()
        self.api.post_server_action(
            self.server['id'], {'revertResize': None})
        self.assertMended()

    def test_destination_did_not_begin_and_state_was_reset(self):
        """The guest runs on the destination, and may be in use again."""
        self.fail_event('compute_revert_resize')
        self.reset('active')
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.assertOn(self.server, 'host2', 'ACTIVE')

    def test_source_did_not_begin(self):
        self.fail_event('compute_finish_revert_resize')
        self.assertEqual([('finish-revert', 'repaired')], self.repair())
        self.assertMended()

    def test_source_did_not_begin_cut_short(self):
        self.fail_event('compute_finish_revert_resize')
        self.assertCutShort(plan.FINISH_REVERT, self.assertMended)

    def test_source_did_not_begin_and_state_was_reset(self):
        self.fail_event('compute_finish_revert_resize')
        self.reset('active')
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.assertHeld(
            host1=self.last_migration(self.server)['uuid'],
            host2=self.server['id'])

    def test_source_failed_at_once(self):
        """Nova drops what it needs to do the revert again."""
        self.fail('nova.compute.manager.ComputeManager.'
                  '_revert_instance_flavor_host_node')
        self.assertEqual({'stuck-reverting'}, self.found())
        self.assertEqual([(None, 'by-hand')], self.repair())
        self.assertHeld(
            host1=self.last_migration(self.server)['uuid'],
            host2=self.server['id'])


class AllocationsTest(RepairTestCase):

    def end(self):
        """The rollback of the claim failed too."""
        self.stick('prep_resize')
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}})
        with self.cell_context() as context:
            migration, = objects.MigrationList.get_by_filters(
                context, {'instance_uuid': self.server['id']})
            migration.status = 'error'
            migration.save()

    def test_split(self):
        self.end()
        self.assertEqual([('take-over', 'repaired')], self.repair())
        self.assertMended()

    def test_take_over_cut_short(self):
        """Half of it is all, if no other migration holds something."""
        self.end()
        self.cut_short(plan.TAKE_OVER, 0)
        self.assertEqual({'leaked-allocation'}, self.found())
        self.cut_short(plan.TAKE_OVER, 1)
        self.assertMended()

    def test_heal_cut_short(self):
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        self.assertCutShort(plan.HEAL, self.assertMended)

    def test_only_the_migration_holds(self):
        self.end()
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        self.assertEqual({'missing-allocation', 'leaked-allocation'},
                         self.found())
        self.assertEqual([('take-over', 'repaired')], self.repair())
        self.assertMended()

    def test_nothing_is_held(self):
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        self.assertEqual([('heal', 'repaired')], self.repair())
        self.assertMended()

    def test_leaked(self):
        """Placement was away when the move was confirmed."""
        self.force(self.server, 'host2')
        with mock.patch.object(
                report.SchedulerReportClient,
                'delete_allocation_for_instance', autospec=True):
            self.api.post_server_action(
                self.server['id'], {'confirmResize': None})
            self._wait_for_state_change(self.server, 'ACTIVE')
            self._wait_for_migration_status(self.server, ['confirmed'])
        self._wait_for_assert(
            lambda: self.assertEqual({'leaked-allocation'}, self.found()))
        self.assertEqual([('release', 'repaired')], self.repair())
        self.assertMended('host2')


class DeletedTest(RepairTestCase):
    """A server that was reset in the middle of a move, and deleted."""

    def setUp(self):
        super().setUp()
        self.stick('prep_resize')
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}})
        migration = self.last_migration(self.server)
        self._delete_server(self.server)
        self.assertHeld(host1=migration['uuid'])

    def test_found(self):
        for scope in ({}, {'host': 'host1'}, {'server': self.server['id']}):
            self.assertEqual(
                [('deleted-server', self.server['id'])],
                [(one['finding'], one['server'])
                 for one in manage.check(bound=0, **scope)])
        self.assertEqual([], list(manage.check(bound=0, host='host2')))

    def test_just_deleted(self):
        self.assertEqual([], list(manage.check(bound=3600)))

    def test_batches(self):
        self.boot('host1')
        with mock.patch.object(cells, 'BATCH', 1):
            self.assertEqual({'deleted-server'}, self.found())

    def assertReleased(self):
        self.assertHeld()
        self.assertEqual(set(), self.found())
        self.assertEqual([], self.repair())
        self.assertIn('coldmig_repair', self.events(
            self.server, 'coldmig_repair'))

    def test_repair(self):
        self.assertEqual([('release-deleted', 'would-repair')],
                         self.repair(yes=False))
        self.assertEqual([('release-deleted', 'repaired')], self.repair())
        self.assertReleased()

    def test_cut_short(self):
        self.assertCutShort(plan.RELEASE_DELETED, self.assertReleased)

    def test_others_are_left_alone(self):
        other = self.boot('host1')
        self.assertEqual([('release-deleted', 'repaired')], self.repair())
        self.assertHeld(host1=other['id'])
        self.assertEqual([], self.repair())
