# SPDX-License-Identifier: Apache-2.0

"""A soak: many moves at once, for long, while services are restarted."""

import collections
import itertools
import random
import statistics
import threading
import time
import traceback

from cloud import cloud as clouds
from cloud import scene as scenes
from cloud.services import rest
from cloud import world as worlds

HOSTS = worlds.layouts.HOSTS
#: What is looked at for growth. They are restarted too, but only in the first
#: part of the run, as a new process starts anew.
WATCHED = ('nova-api', 'super-conductor')
RESTARTED = ('compute1', 'placement', 'scheduler', 'compute2',
             'cell-conductor', 'neutron', 'compute3', 'glance')
FIRST_PART = 0.2
#: Growth that is more than noise, as a part of what there was.
GROWTH = 0.1
SERVERS_EACH = 2
MIB = 1 << 20


class Soak:
    """Servers that are moved about by several workers.

    :param world: cloud.world.World
    :param moves: int, how many moves have to be completed
    :param seed: int, of all that is chosen
    :param width: int, how many workers there are
    :param every: seconds from one restart to the next
    """

    def __init__(self, world, moves, seed, width, every):
        self.world = world
        self.moves = moves
        self.seed = seed
        self.width = width
        self.every = every
        #: What was done, and how often.
        self.done = collections.Counter()
        #: Sentences about what went wrong.
        self.wrong = []
        #: MiB of each service that is watched, with the moves done by then.
        self.memory = {name: [] for name in WATCHED}
        self.servers = set()
        self._lock = threading.Lock()
        self._repairing = threading.Lock()
        self._restarting = threading.Lock()
        self._over = threading.Event()
        self._began = time.monotonic()

    def count(self, what):
        with self._lock:
            self.done[what] += 1
            moves = self.done['moves']
        if what == 'moves' and not moves % 25:
            self.say('%d moves' % moves)

    def say(self, text):
        print('[%5d s] %s' % (time.monotonic() - self._began, text),
              flush=True)

    def fail(self, text):
        self.say('WRONG: ' + text)
        with self._lock:
            self.wrong.append(text)

    def is_over(self):
        return self._over.is_set() or self.done['moves'] >= self.moves

    def run(self):
        """Run it to its end.

        :returns: bool, whether nothing went wrong
        """
        threads = [threading.Thread(target=self._guard, args=(work, *more))
                   for work, *more in [(self._restart,), (self._sample,)]
                   + [(self._work, number) for number in range(self.width)]]
        for thread in threads:
            thread.start()
        try:
            for thread in threads[2:]:
                thread.join()
        finally:
            self._over.set()
        for thread in threads:
            thread.join()
        self._guard(self._finish)
        return not self.wrong

    def _guard(self, work, *arguments):
        try:
            work(*arguments)
        except Exception:
            self.fail(traceback.format_exc())
            self._over.set()

    def _restart(self):
        usual = itertools.cycle(RESTARTED)
        all_of_them = itertools.cycle(WATCHED + RESTARTED)
        while not self._over.wait(self.every):
            early = self.done['moves'] < self.moves * FIRST_PART
            self._restart_one(next(all_of_them if early else usual))

    def _restart_one(self, name):
        with self._restarting:
            self.world.cloud.stop([name])
            try:
                self.world.cloud.start([name])
            except clouds.Failed:
                # It is looked at again, once: the machine may be busy.
                self.world.cloud.start()
        self.count('restarts')

    def _sample(self):
        while not self._over.wait(10):
            if self.done['moves'] < self.moves * FIRST_PART:
                continue
            for name in WATCHED:
                size = self.world.cloud.service(name).rss / MIB
                self.memory[name].append((self.done['moves'], size))

    def _work(self, number):
        chance = random.Random('%d.%d' % (self.seed, number))
        mine = [self._boot(chance) for _ in range(SERVERS_EACH)]
        while not self.is_over():
            server = mine.pop(0)
            try:
                left = self._turn(chance, server)
            except (rest.Error, worlds.Wrong) as error:
                self.say('%s: %s' % (server, error))
                left = self._recover(server)
            mine.append(left or self._boot(chance))

    def _boot(self, chance):
        host, ports = chance.choice(HOSTS), not chance.randrange(4)
        while not self._over.is_set():
            try:
                server = self.world.boot(host, ports, 'soak')
                self.servers.add(server)
                return server
            except (rest.Error, worlds.Wrong) as error:
                # What comes before a move is not in question. A server that
                # was not built is taken away in the end.
                self.say('boot: %s' % error)
                self.count('boots cut short')
                self._over.wait(5)
        raise worlds.Wrong('It is over.')

    def _ask(self, server, ask, code):
        """Ask until there is an answer, or the server shows that it began.

        :param ask: callable, returns the status of an answer or None
        :param code: int, the one that is expected
        :returns: bool, whether it was accepted
        """
        answer = ask()
        if answer == code:
            return True
        if answer is None or answer >= 500:
            self.count('requests without an answer')
            worlds.until('nova-api', lambda: self.world.states(server), 180)
            # It may have been saved, and cast or not.
            return self.world.states(server)[1] is not None
        raise worlds.Wrong('answered %s' % answer)

    def _turn(self, chance, server):
        """Move a server, and confirm, revert or delete it.

        :returns: str, the server, or None if there is none any more
        """
        world = self.world
        kind = chance.choice(('forced', 'forced', 'checked'))
        source = world.server(server)['OS-EXT-SRV-ATTR:host']
        host = chance.choice([host for host in HOSTS if host != source])
        end = chance.choices(('confirm', 'revert', 'delete'), (11, 6, 3))[0]
        if not chance.randrange(4):
            self._refused(chance, server, source)
        last = [m['id'] for m in world.migrations(server)][:1]
        if not self._ask(server, lambda: world.migrate(server, host, kind),
                         202):
            return server
        if not self._moves(server, last):
            self.count('moves that were refused')
            worlds.until('in order', lambda: self._in_order(
                server, source), 60)
            return server
        self.count('moves')
        self.count(kind)
        if not chance.randrange(4):
            worlds.expect('migrate again', True, world.migrate(
                server, source) in (409, None))
            self.count('refusals')
        if end == 'delete':
            self._delete(server)
            return None
        if not self._ask(server, lambda: world.act(
                server, scenes.ACTIONS[end]), 204 if end == 'confirm'
                else 202):
            raise worlds.Wrong('%s was not answered' % end)
        worlds.until('%s of %s' % (end, server), lambda: self._in_order(
            server, host if end == 'confirm' else source), 90, 1)
        self.count(end)
        return server

    def _moves(self, server, last):
        """Wait for the end of a move.

        :param last: list of int, the migration before it
        :returns: bool, whether it was done; if not, it was refused
        """
        def ended():
            migrations = self.world.migrations(server)
            return ([m['id'] for m in migrations][:1] != last and
                    migrations[0]['status'] in worlds.ENDED + ('finished',)
                    and migrations[0]['status'])

        status = worlds.until('move of %s' % server, ended, 90, 0.7)
        worlds.until('the server %s' % server, lambda: (
            self.world.record(server)[2] is None), 30, 0.7)
        if status == 'finished':
            worlds.expect('states', ('VERIFY_RESIZE', None),
                          self.world.states(server))
        return status == 'finished'

    def _refused(self, chance, server, source):
        """Ask for what is refused at once, and changes nothing."""
        before = self.world.states(server)
        body = chance.choice((
            {'host': source, 'force': True}, {'host': 'nowhere',
                                              'force': True},
            {'host': None, 'force': True}, {'host': 'compute1', 'force': 2},
            {'force': True}))
        code = self.world.act(server, {'migrate': body})
        if code is not None and code < 500:
            if code not in (400, 404):
                self.fail('%s is answered %s' % (body, code))
            self.count('refusals')
        worlds.expect('after a refusal', before, worlds.until(
            'nova-api', lambda: self.world.states(server), 180))

    def _in_order(self, server, host):
        """Check that a server is in order.

        If the destination fails in finish_resize, Nova keeps the server there
        and leaves what is on the source, with the guest off, to nobody.

        :param host: str, the one that it has to be on
        :returns: True
        :raises worlds.Wrong: if it is not
        """
        return self.world.check_in_order(server, host, {
            m['source_compute'] for m in self.world.migrations(server)
            if m['status'] == 'error'})

    def _delete(self, server):
        self.servers.discard(server)
        self.world.delete(server)
        self.count('delete')

    def _recover(self, server):
        """Mend what a restart has broken, with what operators have.

        :returns: str, the server, or None if it is lost
        """
        self.count('cut short')
        deadline = time.monotonic() + 420
        while time.monotonic() < deadline:
            try:
                if self._mend(server):
                    return server if server in self.servers else None
            except (rest.Error, worlds.Wrong) as error:
                self.say('%s: %s' % (server, error))
            time.sleep(5)
        self.fail('%s is lost' % server)
        self.servers.discard(server)
        return None

    def _mend(self, server):
        """Do one thing about a server.

        :returns: bool, whether it is in order
        """
        world = self.world
        with self._repairing:
            _code, done = world.manage(
                'repair', '--server', server, '--idle', '30', '--yes',
                *world.words(server))
        for one in done:
            self.say('%(server)s: %(findings)s %(repair)s %(outcome)s '
                     '%(reason)s' % one)
            if one['outcome'] == 'repaired':
                self.count('repaired')
                self.count('repaired: %s' % one['repair'])
            elif (one['outcome'] == 'by-hand' and
                  'stuck-resize-migrating' in one['findings']):
                # What check tells the operator to do.
                self.count('source restarted')
                self._restart_one(one['host'])
            elif (one['outcome'] == 'by-hand' and
                  'zombie-migration' in one['findings']):
                # As well: the guest has to be seen to run.
                self.count('rebooted')
                world.act(server, {'reboot': {'type': 'HARD'}})
        if server not in self.servers:
            world.delete(server)
            return True
        status, task = world.states(server)
        if task or done:
            return False
        if status == 'VERIFY_RESIZE':
            world.act(server, scenes.ACTIONS['confirm'])
            return False
        if status == 'ERROR':
            self.count('rebooted')
            world.act(server, {'reboot': {'type': 'HARD'}})
            return False
        return self._in_order(
            server, world.server(server)['OS-EXT-SRV-ATTR:host'])

    def _finish(self):
        """See that all are there, and that all they hold is exact."""
        world = self.world
        world.cloud.start()
        listed = {server['id']: server for server in world.nova(
            'GET', '/servers/detail?all_tenants=1&limit=1000')['servers']}
        for uuid in set(listed) - self.servers:
            # Nobody was told of it, or it was never built, as services went.
            world.delete(uuid)
            del listed[uuid]
        for uuid in self.servers - set(listed):
            self.fail('%s is lost' % uuid)
        want = collections.defaultdict(dict)
        for uuid, server in listed.items():
            host = server['OS-EXT-SRV-ATTR:host']
            try:
                worlds.until('in order', lambda uuid=uuid, host=host: (
                    self._in_order(uuid, host)), 30)
            except worlds.Wrong as error:
                self.fail('%s: %s' % (uuid, error))
            want[host][uuid] = world.resources
        held = {host: consumers for host, consumers in world.held().items()
                if consumers}
        if held != want:
            self.fail('allocations: want %s, are %s' % (dict(want), held))
        world.check_capacity()
        code, found = world.manage('check', '--all', '--idle', '1')
        if (code, found) != (0, []):
            self.fail('check exits with %d: %s' % (code, found))
        for uuid in listed:
            world.delete(uuid)
        self.count('checks at the end')
        if self.moves >= 500:
            self._grew()

    def growth(self, name):
        """Compare the memory of a service with what it was.

        :returns: tuple of MiB then and now; the medians of the first and the
            last third of what was measured
        """
        sizes = [size for _moves, size in self.memory[name]]
        third = max(1, len(sizes) // 3)
        return statistics.median(sizes[:third]), statistics.median(
            sizes[-third:])

    def _grew(self):
        for name in WATCHED:
            before, after = self.growth(name)
            if after > before * (1 + GROWTH):
                self.fail('%s grew from %.1f to %.1f MiB' % (
                    name, before, after))

    def report(self):
        """Print what was done; the last line counts."""
        print('\n'.join('%6d  %s' % (count, what) for what, count
                        in sorted(self.done.items())))
        for name in WATCHED:
            if self.memory[name]:
                print('%s: %.1f MiB, then %.1f MiB' % (
                    name, *self.growth(name)))
        print('\n'.join(self.wrong))
        passed = sum(self.done[what] for what in (
            'moves', 'confirm', 'revert', 'delete', 'refusals',
            'checks at the end'))
        print('%d passed, %d failed' % (passed, len(self.wrong)))
