# SPDX-License-Identifier: Apache-2.0

import dataclasses
import itertools
from unittest import mock

import fixtures
from nova import objects
from nova.objects import fields
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig import exception
from nova_coldmig import records
from nova_coldmig.recovery import cells
from nova_coldmig.recovery import facts
from nova_coldmig.recovery import findings
from nova_coldmig.recovery import plan
from nova_coldmig.tests.unit.recovery import test_plan

NODE1, NODE2 = test_plan.NODE1, test_plan.NODE2
#: What Nova sets for cold migrations, of servers that came to rest.
STATUSES = ('pre-migrating', 'migrating', 'post-migrating', 'finished',
            'confirming', 'reverting', 'confirmed', 'reverted', 'error',
            'failed')


class OnePredicateTest(test.NoDBTestCase):
    """What a move is refused for, check finds and repair has a word about."""

    def _facts(self, host, vm_state, migrations, held, idle=0):
        held = {m.uuid: {uuids.node1} if m.uuid in held else set()
                for m in migrations}
        node = {'host1': uuids.node1, 'host2': uuids.node2}[host]
        held[uuids.server] = {node}
        return facts.Facts(
            objects.Instance(uuid=uuids.server, host=host, node=host,
                             vm_state=vm_state, task_state=None,
                             deleted=False, old_flavor=objects.Flavor()),
            migrations, held, node, idle, frozenset(), frozenset())

    def _migration(self, status, migration_type, number=1):
        return objects.Migration(
            id=number, uuid=getattr(uuids, 'move%d' % number), status=status,
            migration_type=migration_type, source_compute='host1',
            source_node='host1', dest_compute='host2', dest_node='host2',
            cross_cell_move=False)

    def _is_refused(self, seen):
        try:
            records.check(seen.instance, seen.migrations,
                          lambda migration: bool(seen.held[migration.uuid]))
        except exception.EarlierMoveUnfinished:
            return True
        return False

    def test_refused_is_found(self):
        refused = 0
        for status, migration_type, holds, host, vm_state in (
                itertools.product(STATUSES, fields.MigrationType.ALL,
                                  (True, False), ('host1', 'host2'),
                                  ('active', 'stopped'))):
            migration = self._migration(status, migration_type)
            seen = self._facts(host, vm_state, [migration],
                               [migration.uuid] if holds else [])
            case = (status, migration_type, holds, host)
            # Without a wait: the operator has just been refused.
            found = findings.names(seen, bound=3600)
            if not self._is_refused(seen):
                # Ended moves that hold nothing are no matter.
                self.assertFalse(
                    status in records.ENDED and not holds and found, case)
                continue
            refused += 1
            self.assertNotEqual([], found, case)
            self.assertNotEqual('', plan.make(seen).text, case)
        self.assertEqual(
            # Two types, hosts and states: those open, and those that failed.
            2 * 2 * 2 * (6 * 2 + 3), refused)

    def test_one_that_waits_for_its_confirmation(self):
        """Is none to find, and the move of no one else."""
        waiting = self._migration('finished', 'migration', 2)
        seen = self._facts('host2', 'resized', [waiting], [waiting.uuid])
        self.assertEqual([], findings.names(seen, bound=0))
        older = self._migration('finished', 'migration', 1)
        seen = self._facts('host2', 'resized', [older, waiting],
                           [waiting.uuid])
        self.assertEqual(
            ['zombie-migration'],
            [rule.name for rule in findings.names(seen, bound=0)])


class NamesTest(test.NoDBTestCase):
    """Each rule by itself, and when it is looked at."""

    def names(self, *args, idle=1000, **kwargs):
        return [rule.name for rule in findings.names(
            test_plan.make_facts(*args, idle=idle, **kwargs), 100)]

    def test_in_order(self):
        self.assertEqual([], self.names(
            'host1', 'active', None, [], None, [NODE1]))
        self.assertEqual([], self.names(
            'host2', 'resized', None, [NODE1], 'finished', [NODE2]))

    def test_tasks(self):
        for task in ('resize_prep', 'resize_migrating', 'resize_migrated',
                     'resize_finish'):
            self.assertEqual(
                ['stuck-' + task.replace('_', '-')],
                self.names('host1', 'active', task, [NODE1], 'migrating',
                           [NODE1]))
        self.assertEqual(['stuck-reverting'], self.names(
            'host2', 'resized', 'resize_reverting', [NODE1], 'finished',
            [NODE2]))
        self.assertEqual(['stuck-reverting'], self.names(
            'host2', 'resized', None, [NODE1], 'reverting', [NODE2]))
        self.assertEqual(['stuck-confirming'], self.names(
            'host2', 'resized', None, [NODE1], 'confirming', [NODE2]))

    def test_failed_revert(self):
        seen = test_plan.make_facts(
            'host2', 'error', None, [NODE1], 'error', [NODE2], reverted=True,
            idle=1000)
        self.assertIn('stuck-reverting', [
            rule.name for rule in findings.names(seen, 100)])

    def test_nothing_held(self):
        for mine, strangers, has_provider, found in (
            ([], [], True, ['missing-allocation']),
            ([], [], False, ['no-provider']),
            ([], [uuids.old], True, ['unknown-provider']),
            ([], [uuids.old], False, ['no-provider', 'unknown-provider']),
            ([NODE1], [], True, []),
            # What is held of a host says which rule it is.
            ([NODE2], [], True, ['wrong-host']),
            ([NODE2], [], False, ['no-provider']),
            ([NODE2], [uuids.old], True, ['wrong-host']),
            ([NODE1, NODE2], [], True, ['two-hosts']),
            ([NODE1, uuids.node3], [], True, ['two-hosts']),
        ):
            self.assertEqual(found, self.names(
                'host1', 'active', None, [], None, mine,
                strangers=frozenset(strangers), has_provider=has_provider),
                (mine, strangers, has_provider))

    def test_no_host(self):
        """A server that is offloaded, or was never placed, holds nothing."""
        self.assertEqual([], self.names(
            'host1', 'shelved_offloaded', None, [], None, []))
        seen = test_plan.make_facts('host1', 'error', None, [], None, [])
        seen.instance.host = None
        self.assertEqual([], findings.names(seen, 100))

    def test_node_that_is_not_known(self):
        seen = dataclasses.replace(test_plan.make_facts(
            'host1', 'active', None, [], None, [NODE2], idle=1000), node=None)
        self.assertEqual([], findings.names(seen, 100))

    def test_ended_migration_that_holds(self):
        self.assertEqual(['leaked-allocation'], self.names(
            'host2', 'active', None, [NODE1], 'error', [NODE2]))
        # It has what the server needs, which holds another host.
        self.assertEqual(['leaked-allocation'], self.names(
            'host1', 'active', None, [NODE1], 'error', [NODE2]))
        self.assertEqual(['missing-allocation', 'leaked-allocation'],
                         self.names('host1', 'active', None, [NODE1],
                                    'error', []))

    def test_left_over(self):
        self.assertEqual(['zombie-migration'], self.names(
            'host1', 'active', None, [NODE1], 'pre-migrating', [NODE1],
            idle=0))
        # Two hosts, one of them for a move that has not ended.
        self.assertEqual(['zombie-migration'], self.names(
            'host1', 'active', None, [], 'migrating', [NODE1, NODE2]))

    def test_at_work(self):
        """Slow work looks the same, but for a host that is down."""
        working = ('host1', 'active', 'resize_prep', [NODE1],
                   'pre-migrating', [NODE2])
        for idle, down, found in (
                (99.9, [], False), (100, [], True), (101, [], True),
                (0, ['host2'], True)):
            self.assertEqual(found, bool(self.names(
                *working, idle=idle, down=down)), (idle, down))
        # A live migration is at work too.
        for idle in (99, 100):
            self.assertEqual(idle == 100, bool(self.names(
                'host1', 'active', None, [], 'running', [], idle=idle,
                migration_type='live-migration')))

    def test_deleted(self):
        gone = ('host1', 'active', None, [NODE1], 'error')
        self.assertEqual(['deleted-server'], self.names(
            *gone, [], deleted=True))
        self.assertEqual(['deleted-server'], self.names(
            'host1', 'active', None, [], None, [NODE1], deleted=True))
        self.assertEqual([], self.names(
            'host1', 'active', None, [], 'error', [], deleted=True))
        self.assertEqual([], self.names(*gone, [], deleted=True, idle=99))

    def test_wrong_source_at_once(self):
        wrong = ('host2', 'resized', None, [uuids.node3], 'finished', [NODE2])
        self.assertEqual(['wrong-source'], self.names(
            *wrong, idle=0, source=NODE1))
        self.assertEqual([], self.names(
            'host2', 'resized', None, [NODE1], 'finished', [NODE2], idle=0,
            source=NODE1))


class FindTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.sleep = self.useFixture(fixtures.MockPatchObject(
            findings.time, 'sleep', autospec=True)).mock
        self.cell = mock.create_autospec(cells.Cell, instance=True)
        self.wrong = test_plan.make_facts(
            'host1', 'active', None, [], None, [])
        self.right = test_plan.make_facts(
            'host1', 'active', None, [], None, [NODE1])
        self.cell.instance.return_value = self.wrong.instance

    def find(self, *seen):
        self.cell.facts.side_effect = seen
        return list(findings.find(self.cell, [self.wrong.instance], 100))

    def test_twice(self):
        (seen, rules), = self.find(self.wrong, self.wrong)
        self.assertIs(self.wrong, seen)
        self.assertEqual(['missing-allocation'], [r.name for r in rules])
        # As the page of the command says.
        self.sleep.assert_called_once_with(5)

    def test_once(self):
        """Nova changed one after the other."""
        self.assertEqual([], self.find(self.wrong, self.right))
        self.assertEqual([], self.find(self.wrong, test_plan.make_facts(
            'host1', 'active', None, [], None, [NODE2])))

    def test_in_order(self):
        self.assertEqual([], self.find(self.right))
        self.sleep.assert_not_called()

    def test_gone_meanwhile(self):
        self.cell.instance.return_value = None
        self.assertEqual([], self.find(self.wrong))
        self.cell.instance.assert_called_once_with(uuids.server)

    def test_others_are_looked_at(self):
        self.cell.instance.side_effect = [None, self.wrong.instance]
        self.cell.facts.return_value = self.wrong
        found = list(findings.find(
            self.cell, [self.wrong.instance, self.wrong.instance], 100))
        self.assertEqual([self.wrong], [seen for seen, _rules in found])
