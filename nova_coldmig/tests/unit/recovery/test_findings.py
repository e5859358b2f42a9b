# SPDX-License-Identifier: Apache-2.0

import itertools

from nova import objects
from nova.objects import fields
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig import exception
from nova_coldmig import records
from nova_coldmig.recovery import facts
from nova_coldmig.recovery import findings
from nova_coldmig.recovery import plan

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
