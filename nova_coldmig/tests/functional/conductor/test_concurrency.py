# SPDX-License-Identifier: Apache-2.0

"""Many moves at once, forced and not, through one API process."""

import collections
import os

from nova_coldmig.tests.functional import base

from placement.objects import allocation

from nova_coldmig.tests.functional import crowd

#: More of them take longer: 200 some minutes.
MOVES = int(os.environ.get('OS_COLDMIG_MOVES', 50))
THREADS = 8
#: Forced moves that leave one host at once, and who asks for them.
FORCED = 24
CLIENTS = 12


class ConcurrencyTest(crowd.CrowdMixin, base.ColdmigTestCase):
    """Force is of one request: none gets it of another, and none loses it."""

    def test_interleaved(self):
        servers = self.boot_crowd(MOVES)
        forced, unforced = servers[::2], servers[1::2]
        todo = []
        for one, other in zip(forced, unforced):
            todo.append((one, {'host': 'host2', 'force': True}))
            todo.append((other, {'host': 'host3'}))
        self.migrate_crowd(todo, THREADS)
        self.wait_for_crowd(MOVES)
        states = collections.Counter(
            (server['status'], server['OS-EXT-STS:task_state'])
            for server in self.api.get_servers())
        self.assertEqual({('VERIFY_RESIZE', None): MOVES}, dict(states))

        scheduled = [call[0][2][0] for call in self.scheduler_calls]
        self.assertEqual(
            sorted(server['id'] for server in unforced), sorted(scheduled))
        migrations = {migration['instance_uuid']: migration for migration in
                      self.api.api_get('/os-migrations').body['migrations']}
        self.assertEqual(MOVES, len(migrations))
        want = {host: {} for host in self.hosts}
        for servers, host in ((forced, 'host2'), (unforced, 'host3')):
            for server in servers:
                migration = migrations[server['id']]
                self.assertEqual(host, migration['dest_compute'])
                want['host1'][migration['uuid']] = self.resources
                want[host][server['id']] = self.resources
        self.assertHeld(**want)
        # A few of each, as each costs two requests.
        for server in forced[:5]:
            self.assertIn('coldmig_force', self.events(server))
        for server in unforced[:5]:
            self.assertNotIn('coldmig_force', self.events(server))


class WritesTest(crowd.CrowdMixin, base.ColdmigTestCase):
    """What many forced moves from one host to one other cost Placement."""

    def _writes(self):
        """Count the writes, repeated ones too, of a crowd that is moved."""
        write = allocation._set_allocations
        writes = []

        def count(context, allocs):
            writes.append(allocs)
            return write(context, allocs)

        self.useFixture(base.fixtures.MonkeyPatch(
            'placement.objects.allocation._set_allocations', count))
        servers = self.boot_crowd(FORCED)
        del writes[:]
        self.migrate_crowd(
            [(server, {'host': 'host2', 'force': True})
             for server in servers], CLIENTS)
        self.wait_for_crowd(FORCED)
        return len(writes)

    def test_one_a_move(self):
        self.assertGreaterEqual(1.1 * FORCED, self._writes())
