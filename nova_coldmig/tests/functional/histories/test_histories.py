# SPDX-License-Identifier: Apache-2.0

"""Histories of servers: generated ones, and those that went wrong once.

OS_COLDMIG_STEPS says how many steps are generated. Which ones they are
depends on the code alone; OS_COLDMIG_SEED makes others.
"""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional.histories import cloud

import os
import pathlib

import hypothesis
from hypothesis import stateful
from nova import objects
from oslo_utils import importutils

import nova_coldmig
from nova_coldmig.conductor import claim
from nova_coldmig.conductor.tasks import migrate
from nova_coldmig.tests.functional.histories import machine
from nova_coldmig.tests.functional.histories import upstream

STEPS = int(os.environ.get('OS_COLDMIG_STEPS', '80'))
SEED = int(os.environ.get('OS_COLDMIG_SEED', '0'))
#: Histories of one seed at most.
MOST = 1000
#: To start the services takes longer than a step, and a server goes through
#: more in one long history than in several short ones.
STEPS_AT_A_TIME = 40


class GeneratedTest(cloud.HistoryTestCase):

    # Many steps in one test.
    TIMEOUT_SCALING_FACTOR = max(2, STEPS // 40)

    def _generate(self, seed):
        print('Seed %d' % seed)
        generated = type('Machine', (machine.Machine,), {'history': self})
        stateful.run_state_machine_as_test(
            hypothesis.seed(seed)(generated), settings=hypothesis.settings(
                # The simplest one, which is left out, and another.
                max_examples=2, stateful_step_count=STEPS_AT_A_TIME,
                # A history that went wrong is told as it was: to repeat it
                # with less would need a cloud that nothing went wrong in.
                phases=[hypothesis.Phase.generate],
                deadline=None, database=None, derandomize=False,
                suppress_health_check=list(hypothesis.HealthCheck)))

    def test_generated(self):
        # Each by itself: hypothesis makes a new example of parts of earlier
        # ones, and takes it for an error that services do not always come to
        # the same with the same steps.
        for number in range(-(-STEPS // STEPS_AT_A_TIME)):
            if self.failure is None:
                self._generate(SEED * MOST + number)
        told = '\n'.join('%6d %s' % (count, what) for what, count in
                         sorted(self.counts.items()))
        print(told)
        self.assertIsNone(self.failure)
        self.assertLessEqual(STEPS * 9 // 10, self.counts['steps'], told)
        # A run that forces nothing proves nothing.
        for outcome in ('force moved', 'force 4'):
            self.assertLess(0, sum(
                count for what, count in self.counts.items()
                if what.startswith(outcome)), told)


class KeptTest(cloud.HistoryTestCase):
    """Histories in which a forced move went wrong once.

    Each is gone through with the same move checked by the scheduler too: that
    is Nova's doing then, and must not be taken for that of force.
    """

    def replay(self, *history):
        for entry in history:
            self.step(*entry)

    def came_to(self, step):
        """List what came of a step.

        :returns: list of str
        """
        return [what.partition(' ')[2] for what in self.counts
                if what.startswith(step + ' ')]

    def _pre_migrating(self, step, end):
        """The conductor dies, and the server is migrated live."""
        self.replay(
            ('boot', 0, 'host1'),
            ('death', 0, 'force', 'after the record', 'host3'),
            ('reset', 0, 'active'),
            ('live', 0, 'host2'),
            (step, 0, 'host3'),
            (end, 0))

    def test_pre_migrating_forced_and_confirmed(self):
        self._pre_migrating('force', 'confirm')
        self.assertEqual(['409'], self.came_to('force'))

    def test_pre_migrating_forced_and_reverted(self):
        self._pre_migrating('force', 'revert')
        self.assertEqual(['409'], self.came_to('force'))

    def test_upstream_pre_migrating_checked_and_confirmed(self):
        self._pre_migrating('checked', 'confirm')
        self.assertIsNotNone(self.lives[0].nova)

    def test_upstream_pre_migrating_checked_and_reverted(self):
        self._pre_migrating('checked', 'revert')
        self.assertIsNotNone(self.lives[0].nova)

    def _claimed(self, step):
        """The conductor dies when all is claimed."""
        self.replay(
            ('boot', 0, 'host1'),
            ('death', 0, 'force', 'between claim and cast', 'host2'),
            ('reset', 0, 'active'),
            ('live', 0, 'host2'),
            (step, 0, 'host3'))

    def test_claimed_forced(self):
        self._claimed('force')
        self.assertEqual(['409'], self.came_to('force'))

    def test_upstream_claimed_checked(self):
        self._claimed('checked')
        self.assertIsNotNone(self.lives[0].nova)

    def _finished(self, step, end):
        """The state is reset in VERIFY_RESIZE."""
        self.replay(
            ('boot', 0, 'host1'),
            ('force', 0, 'host2'),
            ('reset', 0, 'active'),
            (step, 0, 'host3'),
            (end, 0))

    def test_finished_forced_and_confirmed(self):
        self._finished('force', 'confirm')
        self.assertEqual({'moved', '409'}, set(self.came_to('force')))

    def test_finished_forced_and_reverted(self):
        self._finished('force', 'revert')
        self.assertEqual({'moved', '409'}, set(self.came_to('force')))

    def test_upstream_finished_checked_and_confirmed(self):
        self._finished('checked', 'confirm')
        self.assertIsNotNone(self.lives[0].nova)

    def test_upstream_finished_checked_and_reverted(self):
        self._finished('checked', 'revert')
        self.assertIsNotNone(self.lives[0].nova)

    def _evacuated(self, step, *ends):
        self.replay(
            ('boot', 0, 'host1'),
            ('fence', 'host1'),
            ('evacuate', 0, 'host3'),
            (step, 0, 'host2'),
            *ends)
        self.assertEqual(set(), self.lives[0].wrong)

    def test_evacuated_forced_and_confirmed(self):
        self._evacuated('force', ('confirm', 0), ('back',))
        self.assertEqual(['moved'], self.came_to('force'))

    def test_evacuated_forced_and_reverted(self):
        self._evacuated('force', ('revert', 0), ('back',))
        self.assertEqual(['moved'], self.came_to('force'))

    def test_evacuated_forced_and_host_back(self):
        self._evacuated('force', ('back',), ('confirm', 0))
        self.assertEqual(['moved'], self.came_to('force'))

    def test_evacuated_checked_and_confirmed(self):
        self._evacuated('checked', ('confirm', 0), ('back',))

    def _provider_of_old_node_held(self, step, end):
        """What the old node's provider holds, the move takes along."""
        self.replay(
            ('boot', 0, 'host2'),
            ('live', 0, 'host1'),
            ('renew', 'host1'),
            ('live', 0, 'host2'),
            (step, 0, 'host3'),
            (end, 0))

    def test_provider_of_old_node_held_forced_and_confirmed(self):
        self._provider_of_old_node_held('force', 'confirm')
        self.assertEqual(['moved'], self.came_to('force'))
        self.assertEqual(set(), self.lives[0].wrong)

    def test_provider_of_old_node_held_forced_and_reverted(self):
        self._provider_of_old_node_held('force', 'revert')
        self.assertEqual(['moved'], self.came_to('force'))
        self.assertEqual({'held-unknown'}, self.lives[0].wrong)

    def test_provider_of_old_node_held_checked_and_confirmed(self):
        self._provider_of_old_node_held('checked', 'confirm')
        self.assertEqual(set(), self.lives[0].wrong)

    def test_two_finished_repaired(self):
        self.replay(
            ('boot', 0, 'host3'),
            ('stop', 0),
            ('checked', 0, 'host1'),
            ('reset', 0, 'active'),
            ('force', 0, 'host2'),
            ('renew', 'host1'),
            ('live', 0, 'host2'),
            ('resize', 0),
            ('repair', 0))
        self.assertEqual(['409'], self.came_to('force'))
        self.assertEqual(['repaired'], self.came_to('repair'))

    def test_another_move_reverted(self):
        """Nova reverts a move that ended before, and then its host dies."""
        self.replay(
            ('boot', 0, 'host1'),
            ('stop', 0),
            ('force', 0, 'host2'),
            ('death', 0, 'confirm', 'in confirm_resize'),
            ('start', 0),
            ('force', 0, 'host3'),
            ('reset', 0, 'active'),
            ('checked', 0, 'host2'),
            ('death', 0, 'revert', 'in finish_revert_resize'),
            ('reset', 0, 'active'),
            ('repair', 0))
        self.assertIn('zombie-migration', self.found(self.lives[0]))
        self.assertEqual(['by-hand'], self.came_to('repair'))

    def test_ended_holds_provider_of_old_node(self):
        self.replay(
            ('boot', 0, 'host1'),
            ('stop', 0),
            ('checked', 0, 'host2'),
            ('renew', 'host1'),
            ('reset', 0, 'active'),
            ('checked', 0, 'host3'),
            ('repair', 0),
            ('force', 0, 'host2'))
        self.assertIn('leaked-allocation', self.found(self.lives[0]))
        self.assertEqual(['409'], self.came_to('force'))

    def test_source_of_revert_registered_anew(self):
        self.replay(
            ('boot', 0, 'host3'),
            ('checked', 0, 'host1'),
            ('death', 0, 'revert', 'before finish_revert_resize'),
            ('renew', 'host3'),
            ('repair', 0))
        self.assertEqual(['by-hand'], self.came_to('repair'))

    def test_destination_of_revert_registered_anew(self):
        self.replay(
            ('boot', 0, 'host3'),
            ('death', 0, 'checked', 'before finish_resize', 'host1'),
            ('renew', 'host1'),
            ('repair', 0))
        self.assertEqual(['by-hand'], self.came_to('repair'))

    def test_registered_anew(self):
        self.replay(
            ('boot', 0, 'host1'),
            ('renew', 'host1'),
            ('force', 0, 'host2'),
            ('mend',),
            ('repair', 0),
            ('force', 0, 'host2'),
            ('confirm', 0),
            ('renew', 'host1'),
            ('force', 0, 'host1'),
            ('mend',),
            ('force', 0, 'host1'),
            ('confirm', 0))
        self.assertEqual(2, self.counts['force moved'])
        self.assertEqual(set(), self.lives[0].wrong)


class JudgeTest(cloud.HistoryTestCase):
    """The judge sees what goes wrong: each of these makes a move wrong."""

    def assertSeen(self, wrong, *history):
        error = self.assertRaises(cloud.Wrong, self._go, history)
        self.assertIn(wrong, str(error).partition('\n')[0])

    def _go(self, history):
        for entry in history:
            self.step(*entry)

    def _driver(self, method, value):
        self.useFixture(cloud.base.fixtures.MonkeyPatch(
            'nova.virt.fake.RememberingDriver.' + method, value))

    MOVE = (('boot', 0, 'host1'), ('force', 0, 'host2'))

    def test_disk_is_kept_after_confirm(self):
        self._driver('confirm_migration', lambda self, context, migration,
                     instance, network_info: self.instances.pop(
                         instance.uuid))
        self.assertSeen('disk-left', *self.MOVE, ('confirm', 0))

    def test_guest_runs_on_after_confirm(self):
        confirm = cloud.driver.RememberingDriver.confirm_migration

        def confirm_migration(driver, context, migration, instance,
                              network_info):
            guest = driver.instances[instance.uuid]
            confirm(driver, context, migration, instance, network_info)
            guest.state = cloud.driver.power_state.RUNNING
            driver.instances[instance.uuid] = guest

        self._driver('confirm_migration', confirm_migration)
        self.assertSeen('guest-twice', *self.MOVE, ('confirm', 0))

    def test_disk_is_not_restored_by_revert(self):
        self._driver('finish_revert_migration', lambda *args, **kwargs: None)
        self.assertSeen('disk-missing', *self.MOVE, ('revert', 0))

    def test_disk_of_destination_is_kept_after_revert(self):
        destroy = cloud.driver.RememberingDriver.destroy
        self._driver('destroy', lambda *args, **kwargs: destroy(
            *args[:5], destroy_disks=False))
        self.assertSeen('disk-', *self.MOVE, ('revert', 0))

    def test_allocation_is_not_moved(self):
        post = claim._post

        def not_moved(reportclient, context, payload, version):
            payload = {
                consumer: claimed for consumer, claimed in payload.items()
                if claimed['consumer_generation'] is not None}
            return post(reportclient, context, payload, version)

        self.useFixture(cloud.base.fixtures.MonkeyPatch(
            'nova_coldmig.conductor.claim._post', not_moved))
        self.assertSeen('held-not-by-move', *self.MOVE)

    def test_record_of_earlier_move_is_used(self):
        task = migrate.ForcedMigrationTask
        preallocate = task._preallocate_migration

        def reuse(self):
            left = objects.MigrationList.get_by_filters(self.context, {
                'instance_uuid': self.instance.uuid,
                'status': 'pre-migrating'}).objects
            if not left:
                return preallocate(self)
            self._migration = left[0]
            self._source_cn = objects.ComputeNode.get_by_host_and_nodename(
                self.context, self.instance.host, self.instance.node)
            return self._migration

        for target, value in (
                ('nova_coldmig.records.check', lambda *args, **kwargs: None),
                ('nova_coldmig.conductor.tasks.migrate.ForcedMigrationTask.'
                 '_preallocate_migration', reuse)):
            self.useFixture(cloud.base.fixtures.MonkeyPatch(target, value))
        self.assertSeen(
            'A forced move made the server worse',
            ('boot', 0, 'host1'),
            ('death', 0, 'force', 'after the record', 'host3'),
            ('reset', 0, 'active'),
            ('live', 0, 'host2'),
            ('force', 0, 'host3'))

    def test_move_on_top_of_one_that_is_finished(self):
        self.useFixture(cloud.base.fixtures.MonkeyPatch(
            'nova_coldmig.records.check', lambda *args, **kwargs: None))
        self.assertSeen(
            'A forced move made the server worse',
            *self.MOVE, ('reset', 0, 'active'), ('force', 0, 'host3'))

    def test_allocation_is_kept_after_confirm(self):
        self.useFixture(cloud.base.fixtures.MonkeyPatch(
            'nova.compute.manager.ComputeManager.'
            '_delete_allocation_after_move', lambda *args, **kwargs: None))
        self.assertSeen('held-by-ended', *self.MOVE, ('confirm', 0))

    def test_refused_for_nothing(self):
        self.useFixture(cloud.base.fixtures.MonkeyPatch(
            'nova_coldmig.conductor.fit.fits', lambda *args: False))
        self.assertSeen('in order was refused', *self.MOVE)

    def test_check_finds_nothing(self):
        self.useFixture(cloud.base.fixtures.MonkeyPatch(
            'nova_coldmig.recovery.findings.names', lambda *args: []))
        self.assertSeen(
            'The check finds nothing', ('boot', 0, 'host1'),
            ('death', 0, 'force', 'between claim and cast', 'host2'))


class TableTest(cloud.base.test.NoDBTestCase):

    def test_functions(self):
        """Each of the table is there in this Nova."""
        for row in upstream.TABLE:
            parts = row.function.split('.')
            cut = [part[:1].isupper() for part in parts].index(True)
            named = importutils.import_class('.'.join(parts[:cut + 1]))
            for part in parts[cut + 1:]:
                named = getattr(named, part)

    def test_documentation(self):
        """The page has each of them, and the reason."""
        path = (pathlib.Path(nova_coldmig.__file__).parents[1] /
                'doc/source/contributor/faults.rst')
        page = ' '.join(path.read_text().split())
        for row in upstream.TABLE:
            self.assertIn('* - ``%s`` - ``%s`` - %s' % (
                row.step, row.function, row.why), page)

    def test_every_death_is_listed(self):
        listed = {row.step for row in upstream.TABLE}
        for deaths in cloud.DEATHS.values():
            self.assertEqual(set(), set(deaths) - listed)
