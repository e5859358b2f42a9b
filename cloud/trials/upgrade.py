# SPDX-License-Identifier: Apache-2.0

"""Upgrade the package, and roll it back, under servers that move.

Each time there are servers whose move awaits its confirmation, and servers
that are on their way, made by the one; conductors of both take requests beside
each other; and then the other alone confirms or reverts all of them.
"""

import itertools

from cloud import layout as layouts
from cloud import world as worlds

#: Held on the destination, so that a move is on its way.
STEP = 'finish_migration'
#: Of each kind, one to confirm and one to revert.
EACH = 2
#: Requests after which both conductors have to have had one.
PATIENCE = 20


class Upgrade:
    """Servers that live through an upgrade and its opposite.

    :param world: cloud.world.World
    """

    def __init__(self, world):
        self.world = world
        self.cloud = world.cloud
        self.passed = 0

    def run(self):
        """Go from the release to the source tree, and back.

        :raises worlds.Wrong: if a server is not as it has to be
        """
        try:
            self._run_all_from(layouts.RELEASE)
            self.change(layouts.RELEASE, layouts.TREE)
            self.change(layouts.TREE, layouts.RELEASE)
        finally:
            self.cloud.resume(worlds.DESTINATION, STEP)
            self._run_all_from(layouts.TREE)
            self.cloud.end_beside()

    def _run_all_from(self, environment):
        self.cloud.run_from(environment, ['super-conductor', 'nova-api'])

    def change(self, before, after):
        """Replace what runs, as the guide to upgrades says.

        :param before: str, layouts.RELEASE or layouts.TREE
        :param after: str, the other
        """
        print('From the %s to the %s' % (before, after), flush=True)
        standing = [self._move() for _ in range(EACH)]
        self.cloud.pause(worlds.DESTINATION, STEP)
        on_the_way = [self._ask() for _ in range(EACH)]
        for server in on_the_way:
            worlds.until('the move of %s is on its way' % server,
                         lambda server=server: self._status(server)
                         == 'post-migrating')
        self.cloud.run_from(after, [layouts.BESIDE])
        shared = self._share()
        # Conductors first.
        self.cloud.run_from(after, ['super-conductor'])
        self.cloud.end_beside()
        self.cloud.run_from(after, ['nova-api'])
        for server in on_the_way:
            worlds.expect('the migration of %s' % server, 'post-migrating',
                          self._status(server))
        self.cloud.resume(worlds.DESTINATION, STEP)
        for kind, servers in (('awaited its confirmation', standing),
                              ('was on its way', on_the_way),
                              ('was asked of either', [shared])):
            answers = itertools.cycle(('confirmResize', 'revertResize'))
            for server, answer in zip(servers, answers):
                self._end(server, answer)
                print('  %s of a move that %s: passed' % (answer, kind),
                      flush=True)
                self.passed += 1

    def _status(self, server):
        # There is none until the conductor has begun.
        return next((migration['status'] for migration
                     in self.world.migrations(server)), None)

    def _ask(self, server=None, host=worlds.DESTINATION):
        server = server or self.world.boot()
        worlds.expect('answer', 202, self.world.migrate(server, host))
        return server

    def _wait(self, server):
        worlds.until('the move of %s' % server, lambda: self.world.record(
            server)[1:] == ('resized', None))

    def _move(self):
        server = self._ask()
        self._wait(server)
        return server

    def _share(self):
        """Move a server there and back until both conductors had a request.

        :returns: str, its UUID; its last move is to be confirmed
        """
        server = self.world.boot()
        want, served = {'controller', layouts.BESIDE}, set()
        hosts = itertools.cycle((worlds.OTHER, worlds.SOURCE))
        for host in itertools.islice(hosts, PATIENCE):
            self._ask(server, host)
            self._wait(server)
            served = {name for name, in self.world.sql(
                'SELECT e.host FROM nova_cell1.instance_actions_events e '
                'JOIN nova_cell1.instance_actions a ON a.id = e.action_id '
                "WHERE e.event = 'conductor_migrate_server' AND "
                "a.instance_uuid = '%s'" % server)}
            if served == want:
                return server
            self._confirm(server, host)
        raise worlds.Wrong('Of %d requests each went to %s.' % (
            PATIENCE, ', '.join(sorted(served))))

    def _confirm(self, server, host):
        worlds.expect('answer', 204, self.world.act(
            server, {'confirmResize': None}))
        worlds.until('%s is in order' % server,
                     lambda: self.world.check_in_order(server, host))

    def _end(self, server, answer):
        """Confirm or revert, and look at the server.

        :param answer: str, confirmResize or revertResize
        """
        self._wait(server)
        migration = self.world.migrations(server)[0]
        if answer == 'confirmResize':
            self._confirm(server, migration['dest_compute'])
        else:
            worlds.expect('answer', 202, self.world.act(
                server, {answer: None}))
            worlds.until('%s is in order' % server,
                         lambda: self.world.check_in_order(
                             server, migration['source_compute']))
        self.world.check_capacity()
        self.world.delete(server)
