# SPDX-License-Identifier: Apache-2.0

"""The choice of a repair as a table."""

from nova import objects
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.recovery import facts
from nova_coldmig.recovery import findings
from nova_coldmig.recovery import plan

NODE1, NODE2 = uuids.node1, uuids.node2


def make_facts(host, vm_state, task_state, held, status=None, mine=(),
               down=(), conductors_down=(), idle=10,
               migration_type='migration', deleted=False, cross_cell=False,
               old_flavor=None, reverted=False, touched=False,
               guest_runs=None, asked=True, **kwargs):
    instance = objects.Instance(
        uuid=uuids.server, host=host, node=host, vm_state=vm_state,
        task_state=task_state, deleted=deleted, old_flavor=old_flavor)
    migrations = [objects.Migration(
        id=1, uuid=uuids.move, status=status, migration_type=migration_type,
        source_compute='host1', source_node='host1', dest_compute='host2',
        dest_node='host2', cross_cell_move=cross_cell)] if status else []
    return facts.Facts(
        instance, migrations, {uuids.server: set(mine), uuids.move: set(held)},
        {'host1': NODE1, 'host2': NODE2, 'host3': uuids.node3}[host], idle,
        frozenset(down), frozenset(conductors_down), reverted, touched,
        guest_runs, asked=asked,
        hosts={NODE1: 'host1', NODE2: 'host2', uuids.node3: 'host3'},
        **kwargs)


class MakeTest(test.NoDBTestCase):

    def assertPlan(self, repair, *args, **kwargs):
        self.assertEqual(
            repair, plan.make(make_facts(*args, **kwargs)).repair)

    def test_repaired(self):
        for repair, host, vm_state, task, status, held, mine in (
            ('give-back', 'host1', 'active', 'resize_prep', 'pre-migrating',
             [NODE1], [NODE2]),
            ('give-back', 'host1', 'active', 'resize_prep', 'error',
             [], [NODE1]),
            ('give-back', 'host1', 'error', 'resize_migrating', 'error',
             [], [NODE1]),
            ('revert', 'host2', 'active', 'resize_migrated',
             'post-migrating', [NODE1], [NODE2]),
            ('revert', 'host2', 'resized', 'resize_reverting',
             'reverting', [NODE1], [NODE2]),
            ('finish-revert', 'host2', 'resized', 'resize_reverting',
             'reverted', [NODE1], [NODE2]),
            ('finish-revert', 'host1', 'resized', 'resize_reverting',
             'reverted', [], [NODE1]),
            ('confirm', 'host2', 'resized', None, 'confirming',
             [NODE1], [NODE2]),
            ('take-over', 'host1', 'active', None, 'error', [NODE1], []),
            ('take-over', 'host1', 'active', None, 'error',
             [NODE1], [NODE2]),
            ('release', 'host2', 'error', None, 'error', [NODE1], [NODE2]),
            ('heal', 'host1', 'active', None, None, [], []),
        ):
            self.assertPlan(repair, host, vm_state, task, held, status, mine)

    def test_deleted(self):
        for status in ('pre-migrating', 'error'):
            self.assertPlan('release-deleted', 'host1', 'active', None,
                            [NODE1], status, deleted=True)
            # It may live on in another cell.
            self.assertPlan(None, 'host1', 'active', None, [NODE1], status,
                            deleted=True, cross_cell=True)

    def test_by_hand(self):
        for host, vm_state, task, status, held, mine in (
            # The source may still copy, or has stopped in the middle.
            ('host1', 'active', 'resize_migrating', 'migrating',
             [NODE1], [NODE2]),
            # Somebody has reset the state.
            ('host2', 'active', None, 'post-migrating', [NODE1], [NODE2]),
            ('host2', 'error', None, 'confirming', [NODE1], [NODE2]),
            # It holds two hosts, or only the wrong one.
            ('host1', 'active', None, None, [], [NODE1, NODE2]),
            ('host1', 'active', None, None, [], [NODE2]),
        ):
            self.assertPlan(None, host, vm_state, task, held, status, mine)

    def test_give_back_by_whom(self):
        """Whoever was told of the move could still act on it."""
        for task, status, held, mine, hosts, word in (
            # A conductor may tell one yet, and nobody was told.
            ('resize_prep', None, [], [NODE1], set(), True),
            ('resize_prep', 'error', [], [NODE1], set(), True),
            ('resize_prep', 'pre-migrating', [NODE1], [NODE2],
             {'host1', 'host2'}, True),
            (None, 'pre-migrating', [NODE1], [NODE1], {'host1', 'host2'},
             True),
            # Who has begun was told.
            ('resize_migrating', None, [], [NODE1], {'host1'}, False),
            (None, 'migrating', [NODE1], [NODE2], {'host1', 'host2'}, False),
        ):
            chosen = plan.make(make_facts(
                'host1', 'active', task, held, status, mine,
                guest_runs=True))
            self.assertEqual('give-back', chosen.repair)
            self.assertEqual((hosts, word), (chosen.hosts, chosen.needs_word),
                             (task, status))

    def test_by_hand_for_its_own_reason(self):
        """Asking the host would not change it."""
        for asked in (False, True):
            chosen = plan.make(make_facts(
                'host2', 'error', None, [NODE1], 'error', [NODE2],
                reverted=True, old_flavor=objects.Flavor(), asked=asked,
                source=uuids.node3))
            self.assertIsNone(chosen.repair)
            self.assertIn('Neither the migration nor', chosen.text)
            self.assertNotIn('--yes', chosen.text)

    def test_two_open_moves(self):
        seen = make_facts(
            'host1', 'active', 'resize_prep', [NODE1], 'pre-migrating',
            [NODE2])
        seen.migrations.append(objects.Migration(
            id=2, uuid=uuids.newer, status='migrating',
            migration_type='migration', source_compute='host2',
            source_node='host2', dest_compute=None, dest_node=None,
            cross_cell_move=False))
        seen.held[uuids.newer] = {NODE2}
        chosen = plan.make(seen)
        self.assertIsNone(chosen.repair)
        # Each by its number, and what it does not know it says.
        self.assertIn(
            'Migration 1 (pre-migrating) is from host1 to host2. Migration 2 '
            '(migrating) is from host2 to a host that it does not name.',
            chosen.text)

    def test_source_that_has_the_guest_back(self):
        """Nova fails to start a guest that runs, and sets it to ERROR."""
        for guest_runs, asked, repair, told in (
                (None, False, 'finish-revert', 'with --yes the host is asked'),
                (False, True, 'finish-revert', ''),
                (None, True, 'finish-revert', ''),
                (True, True, None, 'server set --state active')):
            chosen = plan.make(make_facts(
                'host1', 'resized', 'resize_reverting', [], 'reverted',
                [NODE1], guest_runs=guest_runs, asked=asked))
            self.assertEqual(repair, chosen.repair)
            self.assertIn(told, chosen.text)

    def test_connections(self):
        """Where Cinder and Neutron may not have been told all."""
        on_source = ([NODE1], [NODE2])
        for connections, host, vm_state, task, status, guest_runs, asked in (
            ('complete', 'host2', 'active', 'resize_finish', 'post-migrating',
             True, True),
            (None, 'host2', 'active', 'resize_finish', 'post-migrating',
             False, True),
            ('connect', 'host1', 'active', None, 'migrating', True, True),
            ('connect', 'host1', 'active', None, 'migrating', False, True),
            ('connect', 'host1', 'active', None, 'migrating', None, False),
            (None, 'host1', 'active', 'resize_prep', 'pre-migrating', None,
             True),
        ):
            self.assertEqual(connections, plan.make(make_facts(
                host, vm_state, task, on_source[0], status, on_source[1],
                guest_runs=guest_runs, asked=asked)).connections)
        self.assertEqual('connect', plan.make(make_facts(
            'host1', 'error', 'resize_migrating', [], 'error',
            [NODE1])).connections)
        # The source had started the guest when it failed.
        for guest_runs, connections in ((True, 'complete'), (False, None)):
            self.assertEqual(connections, plan.make(make_facts(
                'host1', 'resized', 'resize_reverting', [], 'reverted',
                [NODE1], guest_runs=guest_runs)).connections)

    def test_finish_revert_tells_that_it_asks(self):
        """As long as it was not asked, and if it is going to be."""
        for asked, down, told in ((False, (), True), (True, (), False),
                                  (False, ['host1'], False)):
            text = plan.make(make_facts(
                'host1', 'resized', 'resize_reverting', [], 'reverted',
                [NODE1], guest_runs=False if asked else None, asked=asked,
                down=down)).text
            self.assertEqual(told, 'the host is asked' in text)

    def test_disk_of_a_copy_that_was_given_up(self):
        """What a person does about the disk is told with it."""
        for guest_runs, asked in ((None, False), (False, True), (None, True)):
            seen = make_facts('host1', 'active', None, [NODE1], 'migrating',
                              [NODE2], guest_runs=guest_runs, asked=asked)
            self.assertIs(seen.migrations[0], plan.make(seen).copied_by)
        self.assertIsNone(plan.make(make_facts(
            'host1', 'active', None, [NODE1], 'migrating', [NODE2],
            guest_runs=True)).copied_by)

    def test_copying_to_nobody_knows_where(self):
        seen = make_facts('host1', 'active', 'resize_migrating', [NODE1],
                          'migrating', [NODE2])
        self.assertIn('may still copy the disk to host2', plan.make(seen).text)
        seen.migrations[0].dest_compute = None
        self.assertIn('may still copy the disk to the destination',
                      plan.make(seen).text)

    def test_destination_that_nova_does_not_show(self):
        """The record is further than the server, or not as far."""
        for host, status in (('host1', 'post-migrating'),
                             ('host1', 'finished'), ('host2', 'migrating')):
            for task in ('resize_migrated', 'resize_finish'):
                chosen = plan.make(make_facts(
                    host, 'active', task, [NODE1], status, [NODE2],
                    guest_runs=True))
                self.assertIsNone(chosen.repair, (host, status, task))
                self.assertIn('disagree', chosen.text)

    def test_another_end_asked(self):
        """Of a server with two finished moves, Nova ends either."""
        made = [plan.make(make_facts(
            'host2', 'active', None, [NODE1], 'finished', [NODE2],
            old_flavor=objects.Flavor(), end_asked=asked))
            for asked in (False, True)]
        self.assertEqual(['reopen', None], [one.repair for one in made])
        self.assertIn('See on which host the guest', made[1].text)

    def test_left_over(self):
        """A record that is not that of a move under way."""
        flavor = objects.Flavor()
        for repair, word, host, vm_state, task, status, held, old_flavor in (
            # It never began, and the server is elsewhere since, or busy.
            ('end', True, 'host2', 'active', None, 'pre-migrating', [], None),
            ('end', True, 'host2', 'stopped', None, 'pre-migrating', [],
             None),
            (None, False, 'host2', 'active', None, 'pre-migrating', [NODE1],
             None),
            ('give-back', True, 'host1', 'active', None, 'pre-migrating',
             [NODE1], None),
            ('give-back', True, 'host1', 'active', None, 'pre-migrating', [],
             None),
            ('give-back', True, 'host1', 'active', 'resize_prep',
             'pre-migrating', [NODE1], None),
            # Neither confirmed nor reverted.
            ('reopen', False, 'host2', 'active', None, 'finished', [NODE1],
             flavor),
            ('reopen', False, 'host2', 'stopped', None, 'finished', [NODE1],
             flavor),
            (None, False, 'host2', 'error', None, 'finished', [NODE1],
             flavor),
            (None, False, 'host2', 'active', None, 'finished', [NODE1], None),
            (None, False, 'host2', 'active', None, 'finished', [], flavor),
            (None, False, 'host1', 'active', None, 'finished', [NODE1],
             flavor),
            ('end', True, 'host3', 'active', None, 'finished', [NODE1],
             flavor),
            (None, False, 'host3', 'active', None, 'post-migrating', [NODE1],
             flavor),
        ):
            chosen = plan.make(make_facts(
                host, vm_state, task, held, status, [NODE2],
                old_flavor=old_flavor))
            self.assertEqual((repair, word),
                             (chosen.repair, chosen.needs_word),
                             (host, vm_state, task, status, held))

    def test_left_over_beside_one_under_way(self):
        seen = make_facts('host2', 'resized', None, [], 'pre-migrating',
                          [NODE2])
        seen.migrations.append(objects.Migration(
            id=2, uuid=uuids.newer, status='finished',
            migration_type='migration', source_compute='host1',
            source_node='host1', dest_compute='host2', dest_node='host2',
            cross_cell_move=False))
        seen.held[uuids.newer] = {NODE1}
        chosen = plan.make(seen)
        self.assertEqual('end', chosen.repair)
        self.assertIn('Migration 1 (pre-migrating)', chosen.text)
        self.assertNotIn('Migration 2', chosen.text)

    def test_nothing_to_give_back(self):
        """A host was registered anew, and what was held of it is lost."""
        for task, status, vm_state in (
                ('resize_migrated', 'post-migrating', 'active'),
                ('resize_reverting', 'reverting', 'resized')):
            for held, repair in (([NODE1], 'revert'), ([], None)):
                self.assertPlan(repair, 'host2', vm_state, task, held, status,
                                [NODE2], source=NODE1)

    def test_no_provider_to_do_it_with(self):
        """nova-compute would fail when it has removed the disk."""
        for task, status, vm_state, repair in (
                ('resize_migrated', 'post-migrating', 'active', 'revert'),
                ('resize_reverting', 'reverting', 'resized', 'revert'),
                (None, 'confirming', 'resized', 'confirm')):
            for has_provider, want in ((True, repair), (False, None)):
                self.assertPlan(want, 'host2', vm_state, task, [NODE1],
                                status, [NODE2], has_provider=has_provider)

    def test_record_of_another_move(self):
        """Nova went on with it, and reverts to its source."""
        for source, held, vm_state, wrong in (
                (NODE1, [NODE1], 'resized', False),
                (NODE1, [uuids.node3], 'resized', True),
                (NODE1, [NODE1, uuids.node3], 'resized', False),
                (NODE1, [NODE1, uuids.lost], 'resized', False),
                (NODE1, [uuids.lost], 'resized', False),
                (NODE1, [], 'resized', False),
                (None, [uuids.node3], 'resized', False),
                (NODE1, [uuids.node3], 'active', False)):
            seen = make_facts(
                'host2', vm_state, None, held, 'finished', [NODE2],
                source=source, evacuated_nodes=frozenset([uuids.lost]))
            found = [rule.name for rule in findings.names(seen, bound=3600)]
            self.assertEqual(wrong, 'wrong-source' in found, held)
            if wrong:
                chosen = plan.make(seen)
                self.assertIsNone(chosen.repair)
                self.assertIn('Do not revert it: it would end on host1',
                              chosen.text)

    def test_nothing_to_hold(self):
        for has_provider, strangers, words in (
            (False, (), ['has no resource provider']),
            (False, [uuids.old], ['has no resource provider', uuids.old,
                                  'provider set --name']),
            (True, [uuids.old], [uuids.old, 'heal_allocations --force']),
        ):
            chosen = plan.make(make_facts(
                'host1', 'active', None, [], has_provider=has_provider,
                strangers=frozenset(strangers)))
            self.assertIsNone(chosen.repair)
            for word in words:
                self.assertIn(word, chosen.text)

    def test_failed_revert(self):
        """The disk may be on the source only, which is not given away."""
        flavor = objects.Flavor()
        for repair, host, vm_state, status, reverted, old_flavor, down in (
            ('revert', 'host2', 'error', 'error', True, flavor, ()),
            ('revert', 'host2', 'resized', 'reverting', True, flavor, ()),
            # The destination did its part, the source did not begin.
            ('finish-revert', 'host2', 'resized', 'reverted', True, flavor,
             ()),
            ('take-over', 'host1', 'error', 'error', True, flavor, ()),
            # Nova's own revert needs both hosts.
            (None, 'host2', 'error', 'error', True, flavor, ['host1']),
            # Somebody has rebooted it or reset its state.
            (None, 'host2', 'active', 'error', True, flavor, ()),
            (None, 'host2', 'active', 'reverting', True, flavor, ()),
            (None, 'host2', 'error', 'reverting', True, flavor, ()),
            (None, 'host2', 'active', 'reverted', True, flavor, ()),
            # The source failed before it wrote that the server is there.
            (None, 'host2', 'error', 'error', True, None, ()),
            (None, 'host2', 'resized', 'reverting', True, None, ()),
            # The move was confirmed, or had failed.
            ('release', 'host2', 'error', 'error', False, flavor, ()),
        ):
            asked = ([host, vm_state, None, [NODE1], status, [NODE2]],
                     dict(reverted=reverted, old_flavor=old_flavor,
                          guest_runs=False, down=down))
            self.assertPlan(repair, *asked[0], **asked[1])
            if repair in ('revert', 'finish-revert'):
                # It was used since, and then came to look the same.
                self.assertPlan(None, *asked[0], touched=True, **asked[1])
                # A guest that runs is not destroyed, and neither is one that
                # may.
                for runs, instead in ((True, {'revert': 'reopen'}),
                                      (None, {})):
                    self.assertPlan(instead.get(repair), *asked[0], **dict(
                        asked[1], guest_runs=runs))

    def test_resize_finish(self):
        """A guest that runs on the destination is not destroyed."""
        for repair, status, runs, down in (
            ('finish', 'post-migrating', True, ()),
            ('finish', 'finished', True, ()),
            ('revert', 'post-migrating', False, ()),
            (None, 'finished', False, ()),
            (None, 'post-migrating', None, ()),
            (None, 'finished', None, ()),
            (None, 'post-migrating', None, ['host2']),
            (None, 'error', True, ()),
        ):
            self.assertPlan(repair, 'host2', 'active', 'resize_finish',
                            [NODE1], status, [NODE2], guest_runs=runs,
                            down=down)

    def test_whose_word_is_asked_for(self):
        """Who could be at work, and what a repair would destroy."""
        flavor = objects.Flavor()
        both = {'host1', 'host2'}
        for hosts, word, guest, host, vm_state, task, status, held, mine in (
            # No destination was told anything yet.
            (set(), True, None, 'host1', 'active', 'resize_prep',
             'pre-migrating', [], [NODE1]),
            (set(), True, None, 'host1', 'active', 'resize_prep', None,
             [], [NODE1]),
            (both, True, None, 'host1', 'active', 'resize_prep',
             'pre-migrating', [NODE1], [NODE2]),
            ({'host1'}, False, None, 'host1', 'error', 'resize_migrating',
             None, [], [NODE1]),
            # The source took the guest back when it started.
            (both, False, None, 'host2', 'active', 'resize_migrated',
             'post-migrating', [NODE1], [NODE2]),
            (both, False, 'host2', 'host2', 'active', 'resize_finish',
             'post-migrating', [NODE1], [NODE2]),
            (both, False, 'host2', 'host2', 'error', None, 'error',
             [NODE1], [NODE2]),
            (both, False, None, 'host2', 'resized', None, 'reverted',
             [NODE1], [NODE2]),
            (both, False, None, 'host2', 'resized', 'resize_reverting',
             'reverting', [NODE1], [NODE2]),
            (both, False, None, 'host2', 'resized', None, 'confirming',
             [NODE1], [NODE2]),
        ):
            seen = make_facts(host, vm_state, task, held, status, mine,
                              reverted=True, old_flavor=flavor,
                              guest_runs=False)
            if status is None or task == 'resize_prep':
                for migration in seen.migrations:
                    migration.dest_compute = None
            chosen = plan.make(seen)
            self.assertIsNotNone(chosen.repair, (task, status))
            self.assertEqual(
                (hosts, word, guest),
                (chosen.hosts, chosen.needs_word, chosen.no_guest_on),
                (task, status))

    def test_deleted_in_the_middle(self):
        for status, hosts in (('migrating', {'host1', 'host2'}),
                              ('error', set())):
            chosen = plan.make(make_facts(
                'host1', 'active', None, [NODE1], status, deleted=True))
            self.assertEqual(('release-deleted', hosts),
                             (chosen.repair, chosen.hosts))

    def test_a_dry_run_does_not_ask(self):
        chosen = plan.make(make_facts(
            'host2', 'active', 'resize_finish', [NODE1], 'post-migrating',
            [NODE2], asked=False))
        self.assertEqual('revert', chosen.repair)
        self.assertIn('With --yes the host is asked', chosen.text)

    def test_copy_that_was_given_up(self):
        """The disk may be set aside still, if the state was reset."""
        for repair, runs, asked in (
                ('give-back', True, True), (None, False, True),
                (None, None, True), ('give-back', None, False)):
            chosen = plan.make(make_facts(
                'host1', 'active', None, [NODE1], 'migrating', [NODE2],
                guest_runs=runs, asked=asked))
            self.assertEqual(repair, chosen.repair, (runs, asked))
            if repair:
                self.assertEqual({'host1', 'host2'}, chosen.hosts)
                self.assertEqual(
                    asked, 'With --yes, and only if' not in chosen.text)
            else:
                self.assertIn('%s_resize' % uuids.server, chosen.text)

    def test_copy_that_nobody_ended(self):
        """What Nova's own recovery needs is left alone, fenced or not."""
        for down in ((), ['host1'], ['host1', 'host2']):
            chosen = plan.make(make_facts(
                'host1', 'active', 'resize_migrating', [NODE1], 'migrating',
                [NODE2], down=down))
            self.assertIsNone(chosen.repair)
            for words in ('Do not evacuate', '%s_resize on host1' %
                          uuids.server, 'restart nova-compute'):
                self.assertIn(words, chosen.text)

    def test_resize_to_the_same_host(self):
        """Either may be for the flavor that the server has."""
        for repair, status, migration_type in (
                (None, 'error', 'resize'), ('release', 'confirmed', 'resize'),
                ('release', 'error', 'migration')):
            self.assertPlan(repair, 'host1', 'active', None, [NODE1], status,
                            [NODE1], migration_type=migration_type)

    def test_older_leak(self):
        """Only the newest move can be the one whose revert failed."""
        seen = make_facts('host2', 'active', None, [NODE1], 'confirmed',
                          [NODE2], reverted=True)
        seen.migrations.append(objects.Migration(
            id=2, uuid=uuids.newer, status='reverted',
            migration_type='migration', source_compute='host2',
            source_node='host2', dest_compute='host3', dest_node='host3',
            cross_cell_move=False))
        seen.held[uuids.newer] = set()
        self.assertEqual('release', plan.make(seen).repair)

    def test_host_is_down(self):
        """Nova's own revert and confirm need both hosts."""
        for task, status, vm_state in (
                ('resize_migrated', 'post-migrating', 'active'),
                (None, 'confirming', 'resized')):
            self.assertPlan(None, 'host2', vm_state, task, [NODE1], status,
                            [NODE2], down=['host1'])

    def test_resize(self):
        self.assertPlan(None, 'host1', 'active', 'resize_prep', [NODE1],
                        'pre-migrating', [NODE2], migration_type='resize')
