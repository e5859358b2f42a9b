# SPDX-License-Identifier: Apache-2.0

"""The deaths of processes, as a table, and what is asserted of each.

``deaths.ini`` has a section for each death:

``what``
    what dies, and when;
``kinds``
    the kinds of cold migration it is tried with: forced, checked (the
    scheduler is asked about the host) or plain (it chooses the host);
``steps``
    what is done, verbs of cloud.scene.Scene;
``ports``
    whether the server has a port; without, it costs less;
``fenced``
    the host that does not come back, for the operator to name;
``left``, or ``left.KIND``
    what is left when the services are back: the host, the status, the task
    and the migration that the API tells, who holds a flavor on the source and
    on the destination, and the hosts with the guest, in brackets where it
    does not run;
``found``
    the findings of ``nova-coldmig-manage migration check``;
``repair``
    what ``nova-coldmig-manage migration repair`` does, if anything; by-hand
    if it leaves that to a person, or refused if it wants to be told what is
    not so;
``then``
    what an operator has to do after it;
``again``
    what the repair does after that, if anything;
``ends``
    the host and the status in the end.

A case with a wrong ``left`` tells all that would have to be written.
"""

import collections
import configparser
import contextlib
import pathlib
import time
import traceback

from cloud import scene as scenes
from cloud import world as worlds

#: What is left, on both sides; see above.
Left = collections.namedtuple(
    'Left', 'host status task migration source destination guests')
#: The guests of a host that is fenced are not asked.
IDLE = 4
REST = 3
#: A repair that is left to a person; and one that wants a word which a person
#: who has looked can not give.
BY_HAND, REFUSED = 'by-hand', 'refused'
#: Those that start no guest, destroy no disk and give nothing away.
NEEDS_NO_WORD = ('take-over', 'release', 'heal', 'finish')


class Case:
    """One death, with one kind of migration.

    :param section: a section of the table
    :param kind: str, forced, checked or plain
    :ivar own: dict, the fields that only some tables have
    """

    def __init__(self, section, kind):
        self.own = dict(section)
        self.name = '%s, %s' % (section.name, kind)
        self.kind = kind
        self.what = ' '.join(section['what'].split())
        self.steps = section['steps']
        self.fenced = section.get('fenced')
        self.ports = section.getboolean('ports', False)

        def of_kind(field):
            return section.get('%s.%s' % (field, kind),
                               section.get(field, '')).strip()

        left = of_kind('left')
        self.left = Left(*(None if part == '-' else part
                           for part in left.split(', '))) if left else None
        self.found = of_kind('found').split()
        self.repair = of_kind('repair') or None
        self.then = of_kind('then') or None
        self.again = of_kind('again') or None
        self.ends = of_kind('ends').split()


def read(name='deaths.ini'):
    """Read a table.

    :param name: str, of a file beside this one
    :returns: list of Case
    """
    parser = configparser.ConfigParser()
    with open(str(pathlib.Path(__file__).with_name(name))) as table:
        parser.read_file(table)
    return [Case(parser[name], kind) for name in parser.sections()
            for kind in parser[name]['kinds'].split(', ')]


class Trial:
    """Runs a case.

    :param world: cloud.world.World
    :param case: Case
    """

    def __init__(self, world, case):
        self.world = world
        self.case = case
        #: dict of str, what was seen, for the one who reads the result.
        self.seen = {}

    def run(self):
        """Run the case.

        :returns: str, why it failed, or None
        """
        try:
            self.scene = self.make_scene()
            try:
                self.scene.begin(self.case.ports)
                self._run()
            finally:
                self.scene.tidy()
        except worlds.Wrong as error:
            return str(error)
        except Exception:
            return traceback.format_exc()
        return None

    def make_scene(self):
        """Return what can be done to the server and its neighbours."""
        return scenes.Scene(self.world, self.case.kind)

    def _run(self):
        self.server = self.scene.server
        self.scene.run(self.case.steps)
        self._left()
        self._repeat()
        self._check()
        self._repair()
        self._usable()

    def _left(self):
        """What the death left, and what has to hold of it in any case."""
        want = self.case.left
        self.scene.rest(REST)
        if want:
            with contextlib.suppress(worlds.Wrong):
                worlds.until('what is left', lambda: self.left() == want, 30)
                self.scene.rest(REST)
        self.seen['left'] = left = self.left()
        if want != left:
            self._tell()
            worlds.expect('left', want, left)
        self.world.check_capacity()
        # I5: the move can be found. What is left of one that nova-api did not
        # get to record is a state that says so.
        if self.scene.was_accepted:
            self._finds_event('conductor_migrate_server')

    def _tell(self):
        time.sleep(IDLE)
        for told, *arguments in (
                ('check',), ('repair', '--yes', *self._words()), ('check',)):
            self.seen['%d %s' % (len(self.seen), told)] = [
                (one.get('findings', one.get('finding')), one['repair'],
                 one.get('outcome'), one.get('reason'))
                for one in self.world.manage(
                    told, *self._idle(*arguments))[1]]
        self.scene.rest(REST)
        self.seen['ends'] = self.left()

    def _finds_event(self, name):
        names = self.world.event_names(self.server)
        if name not in names:
            raise worlds.Wrong('no event %s among %s' % (name, names))

    def left(self):
        """Read what is left.

        :returns: Left
        :raises worlds.Wrong: if I1 does not hold: exactly one flavor for each
            that holds something, and nobody who is not known
        """
        world = self.world
        server = world.server(self.server)
        migrations = world.migrations(self.server)
        names = dict({m['uuid']: 'migration' for m in migrations},
                     **{self.server: 'server'})
        held = world.held()
        sides = []
        for host in (world.source, world.destination):
            for consumer, resources in held[host].items():
                if consumer not in names:
                    raise worlds.Wrong('%s holds %s on %s' % (
                        consumer, resources, host))
                worlds.expect('held', world.resources, resources)
            sides.append('+'.join(sorted(
                names[consumer] for consumer in held[host])) or None)
        if world.other:
            worlds.expect('held', {}, held[world.other])
        guests = '+'.join(host if runs else '(%s)' % host for host, runs
                          in sorted(world.guests(self.server).items()))
        return Left(
            server['OS-EXT-SRV-ATTR:host'], server['status'],
            server['OS-EXT-STS:task_state'],
            migrations[0]['status'] if migrations else None, *sides, guests)

    def _repeat(self):
        """I4: to ask again is refused, or changes nothing."""
        left = self.left()
        if left.status == 'ACTIVE' and (
                not self.case.found or
                (left.source, left.destination) == ('server', None)):
            # It holds what it did: to move it is what comes next.
            return
        # To the one host that has no part in it, where a claim would be seen.
        code = self.world.migrate(self.server, self._elsewhere(left.host))
        if code == 202:
            worlds.until('the end of what was asked again', lambda: (
                self.world.record(self.server)[2] is None))
            self.scene.rest(REST)
            again = self.left()._replace(migration=left.migration)
            worlds.expect('after asking again', left, again)
        else:
            worlds.expect('asked again', 409, code)
            worlds.expect('after asking again', left, self.left())

    def _elsewhere(self, _host):
        """Return a host to ask a further move to."""
        return self.world.other

    def _idle(self, *more):
        return ('--server', self.server, '--idle', str(IDLE), *more)

    def _check(self):
        time.sleep(IDLE)
        code, found = self.world.manage('check', *self._idle())
        self.seen['found'] = [finding['finding'] for finding in found]
        worlds.expect('findings', self.case.found, self.seen['found'])
        worlds.expect('exit code of check', 3 if found else 0, code)

    def _repair(self):
        case = self.case
        if not case.found:
            # It looks in the same way.
            return
        if case.repair not in NEEDS_NO_WORD:
            # Who says nothing has not looked.
            self._repair_with([], 3, [
                BY_HAND if case.repair == BY_HAND else REFUSED])
        if case.repair in (BY_HAND, REFUSED):
            self._repair_with(self._words(), 3, [case.repair])
        else:
            self._repair_with(
                self._words(), 0, ['repaired'], [case.repair])

    def _words(self):
        return self.world.words(
            self.server, [self.case.fenced] if self.case.fenced else ())

    def _repair_with(self, words, code, outcomes, repairs=None):
        before = self.left()
        seen, done = self.world.manage(
            'repair', *self._idle('--yes', *words))
        self.seen['repair'] = [
            (one['repair'], one['outcome'], one['reason']) for one in done]
        worlds.expect('repair', (code, outcomes), (
            seen, [one['outcome'] for one in done]))
        if repairs is None:
            worlds.expect('left', before, self.left())
        else:
            worlds.expect('repair', repairs, [one['repair'] for one in done])
            self._finds_event('coldmig_repair')

    def _then(self):
        """Do what an operator has to do after the repair."""
        case, world, server = self.case, self.world, self.server
        if case.then:
            if case.repair not in (BY_HAND, REFUSED):
                worlds.until('that the repair has ended', lambda: (
                    world.record(server)[2] is None))
            self.scene.run(case.then)
        if case.again:
            self.scene.rest(REST)
            time.sleep(IDLE)
            self._repair_with(
                self.world.words(server), 0, ['repaired'], [case.again])

    def _usable(self):
        """The server is in order, and moves."""
        case, world, server = self.case, self.world, self.server
        self._then()
        host, status = case.ends
        if status == 'VERIFY_RESIZE':
            worlds.expect('confirm', 204, world.act(
                server, scenes.ACTIONS['confirm']))
        worlds.until('in order', lambda: world.check_in_order(server, host))
        if case.found:
            worlds.expect('check', (0, []), world.manage(
                'check', '--all', '--idle', '0'))
        worlds.expect('move', 202, world.migrate(server, world.other))
        worlds.until('the further move', lambda: (
            world.record(server)[1:] == ('resized', None)))
        self._finds_event('coldmig_force')
        worlds.expect('confirm', 204, world.act(
            server, scenes.ACTIONS['confirm']))
        worlds.until('in order after the further move', lambda: (
            world.check_in_order(server, world.other)))
        world.check_capacity()
        world.delete(server)
        worlds.expect('held in the end', {}, {
            host: held for host, held in world.held().items() if held})
