# SPDX-License-Identifier: Apache-2.0

"""A cloud with a history: steps, each judged when all has come to rest."""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional import base

import collections
import threading
import time

from nova.compute import manager as compute
from nova import objects
from nova.tests import fixtures as nova_fixtures
from oslo_messaging._drivers import impl_fake
from oslo_messaging.rpc import dispatcher

from nova_coldmig.cmd import manage
from nova_coldmig.recovery import consent
from nova_coldmig.recovery import findings
from nova_coldmig.tests.functional.faults import steps
from nova_coldmig.tests.functional.histories import driver
from nova_coldmig.tests.functional.histories import judge
from nova_coldmig.tests.functional.histories import upstream

#: A live migration waits in these for its thread.
LIVE = ('accepted', 'queued', 'preparing', 'running')
#: Where the services die: the last call that is not made any more, and which
#: host's nova-compute it is that dies, None for the super conductor.
#:
#: By the step in the middle of which it happens.
MOVE_DEATHS = {
    'before the claim': ('neutron list_ports', None),
    'after the record': ('placement GET /allocations/{uuid}', None),
    'between claim and cast': ('rpc cast prep_resize', None),
    'in prep_resize': ('rpc cast resize_instance', 'destination'),
    'in resize_instance': ('driver migrate_disk_and_power_off', 'source'),
    'before finish_resize': ('rpc cast finish_resize', 'source'),
    'in finish_resize': ('driver finish_migration', 'destination'),
}
DEATHS = {
    'force': MOVE_DEATHS,
    'checked': MOVE_DEATHS,
    'confirm': {
        'in confirm_resize': ('driver confirm_migration', 'source'),
    },
    'revert': {
        'in revert_resize': ('driver destroy', 'destination'),
        'before finish_revert_resize': (
            'rpc cast finish_revert_resize', 'destination'),
        'in finish_revert_resize': (
            'driver finish_revert_migration', 'source'),
    },
}


class Wrong(Exception):
    """Something is wrong that no listed function of Nova does."""


class Killed(BaseException):
    """A process dies. No handler of an Exception sees it."""


class Death:
    """Makes a process die: it makes one call not, and none after it.

    What a thread would still do in handlers and context managers is kept
    from having an effect, since every call out of the process fails.

    :param call: str, the name of the first call that is not made.
    """

    def __init__(self, call):
        self._call = call
        self._thread = threading.local()
        self._lock = threading.Lock()
        self.strikes = 0

    def hits(self, call):
        if getattr(self._thread, 'dead', False):
            return True
        with self._lock:
            if self.strikes or call != self._call:
                return False
            self.strikes += 1
        self._thread.dead = True
        return True

    def strike(self, passed_on):
        raise Killed(self._call)


class Messages(base.fixtures.Fixture):
    """Counts the messages that somebody works on, or has yet to."""

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()
        self._open = {}

    def _setUp(self):
        deliver = impl_fake.FakeExchange.deliver_message
        dispatch = dispatcher.RPCDispatcher.dispatch
        live_migrate = compute.ComputeManager._do_live_migration

        def deliver_message(exchange, topic, ctxt, message, server=None,
                            fanout=False, reply_q=None):
            if not fanout and 'method' in message:
                with self._lock:
                    # The message is kept, and so is its identity.
                    self._open[id(message)] = server, message
            return deliver(exchange, topic, ctxt, message, server=server,
                           fanout=fanout, reply_q=reply_q)

        def dispatch_(self_, incoming):
            try:
                return dispatch(self_, incoming)
            except Killed:
                return None
            finally:
                with self._lock:
                    self._open.pop(id(incoming.message), None)

        self.useFixture(base.fixtures.MonkeyPatch(
            'oslo_messaging._drivers.impl_fake.FakeExchange.deliver_message',
            deliver_message))

        def do_live_migration(manager, *args, **kwargs):
            # In a thread of its own, which goes on when all is written down.
            key = object()
            with self._lock:
                self._open[key] = None, {'method': '_do_live_migration'}
            try:
                return live_migrate(manager, *args, **kwargs)
            finally:
                with self._lock:
                    self._open.pop(key)

        self.useFixture(base.fixtures.MonkeyPatch(
            'oslo_messaging.rpc.dispatcher.RPCDispatcher.dispatch',
            dispatch_))
        self.useFixture(base.fixtures.MonkeyPatch(
            'nova.compute.manager.ComputeManager._do_live_migration',
            do_live_migration))

    def waiting(self, but=()):
        """List the messages that are not done with.

        :param but: hosts that do not read theirs.
        :returns: list of str, the methods.
        """
        with self._lock:
            return [message['method'] for server, message in
                    self._open.values()
                    if server is None or server not in but]


class Life:
    """What is known of a server beside what can be read.

    :ivar wrong: set of str, what is wrong with it.
    :ivar nova: str, the function of Nova that made it wrong first, or None.
    :ivar forced: bool, whether the move that waits is a forced one.
    """

    def __init__(self, server):
        self.server = server
        self.uuid = server['id']
        self.wrong = set()
        self.nova = None
        self.forced = False
        self.seen = None


class HistoryTestCase(base.ColdmigTestCase):
    """Three hosts, up to two servers, and what is done to them.

    :ivar history: list of tuples, each a step and its arguments; given to
        replay, the same is done.
    :ivar counts: collections.Counter of what came of the steps.
    """

    compute_driver = 'fake.RememberingDriver'
    SLOTS = 2

    def setUp(self):
        self.disks = driver.Disks()
        self.useFixture(base.fixtures.MonkeyPatch(
            'nova.virt.fake.RememberingDriver',
            type('RememberingDriver', (driver.RememberingDriver,),
                 {'disks': self.disks})))
        self.messages = self.useFixture(Messages())
        self.recorder = steps.Recorder()
        # The guests of a host that lost its power.
        self.flags(resume_guests_state_on_host_boot=True)
        super().setUp()
        self.useFixture(self.recorder)
        self.useFixture(nova_fixtures.fixtures.MockPatch(
            'nova.scheduler.client.report.random.uniform', return_value=0))
        # Nothing goes on between the two reads.
        self.useFixture(base.fixtures.MockPatchObject(findings, 'WAIT', 0))
        self.flavors = self.api.get_flavors()[:2]
        self.amounts = [self._resources_from_flavor(flavor)
                        for flavor in self.flavors]
        self.lives = {}
        self.fenced = None
        self.renewed = None
        #: str, what was found wrong in a history that is generated.
        self.failure = None
        self.history = []
        self.counts = collections.Counter()

    def read(self, life):
        """Read all there is of a server.

        :returns: judge.Seen
        """
        held = collections.defaultdict(dict)
        for provider, consumers in self.held().items():
            for consumer, resources in consumers.items():
                held[consumer][provider] = resources
        server = self._get_server(life)
        # Nova deletes the migrations of a server with it.
        with self.cell_context() as context:
            records = [{
                'uuid': m.uuid, 'migration_type': m.migration_type,
                'status': m.status, 'source_compute': m.source_compute,
                'dest_compute': m.dest_compute} for m in reversed(
                    objects.MigrationList.get_by_filters(
                        context.elevated(read_deleted='yes'),
                        {'instance_uuid': life.uuid}).objects)]
            known = {node.hypervisor_hostname for node in
                     objects.ComputeNodeList.get_all(context)
                     if node.uuid == self.providers.get(
                         node.hypervisor_hostname, node.uuid)}
        mine = {life.uuid} | {record['uuid'] for record in records}
        return judge.Seen(
            server, records,
            {consumer: providers for consumer, providers in held.items()
             if consumer in mine},
            self.disks.of(life.uuid), self.disks.wrong[life.uuid],
            [host for host in self.hosts if life.uuid in
             self.computes[host].manager.driver.running()],
            known, self.fenced)

    @property
    def providers(self):
        """UUIDs of the providers by name."""
        return {provider['name']: provider['uuid']
                for provider in self._get_all_providers()}

    def _get_server(self, life):
        response = self.api.api_get(
            '/servers/' + life.uuid, check_response_status=[200, 404])
        return response.body['server'] if response.status == 200 else None

    def rest(self):
        """Wait until nobody has anything to do."""
        deadline = time.monotonic() + 60
        while True:
            waiting = self.messages.waiting(but=[self.fenced])
            if not waiting:
                with self.cell_context() as context:
                    waiting = [
                        m.status for m in
                        objects.MigrationList.get_by_filters(context, {
                            'migration_type': 'live-migration'})
                        if m.status in LIVE]
                if not waiting:
                    return
            if time.monotonic() > deadline:
                raise Wrong('This is still under way: %s' % waiting)
            time.sleep(0.02)

    def act(self, life, **action):
        """Send an action.

        :returns: int, the status of the answer.
        """
        response = self.api.api_post(
            '/servers/%s/action' % life.uuid, action,
            check_response_status=None)
        if response.status >= 500:
            self.counts['answered %d' % response.status] += 1
        return response.status

    def step(self, name, *arguments):
        """Do something, and judge what comes of it.

        :param name: str, the name of a method, without what it begins with.
        :raises: Wrong
        """
        self.history.append((name,) + arguments)
        self.counts['steps'] += 1
        lives = dict(self.lives)
        before = {slot: life.wrong for slot, life in lives.items()}
        try:
            status = getattr(self, 'step_' + name)(*arguments)
            self.rest()
            self.counts['%s %s' % (name, status)] += 1
            for slot, life in lives.items():
                if life in self.lives.values():
                    self._judge(life, self._cause(slot, name, *arguments),
                                before[slot])
            for slot in set(self.lives) - set(lives):
                self._judge(self.lives[slot], name, set())
        except Exception as e:
            raise Wrong('%s\n%s' % (e, self._story())) from e

    def _cause(self, slot, name, *arguments):
        """Tell what a step is to a server, as upstream.TABLE names it."""
        if name == 'death' and arguments[0] == slot:
            return arguments[2]
        if slot in arguments[:1] or name in (
                'fence', 'back', 'renew', 'mend'):
            return name
        return 'a step of another server'

    def report(self, what):
        """Say that something is wrong that is not Nova's doing."""
        raise Wrong(what)

    def _story(self):
        lines = ['The history:'] + ['    %r,' % (entry,)
                                    for entry in self.history]
        for slot, life in self.lives.items():
            lines.append('Server %d: %s, %s' % (
                slot, sorted(life.wrong), life.nova))
            try:
                seen = self.read(life)
            except Exception as e:
                lines.append('    %r' % e)
                continue
            lines += ['    %s' % {
                key: seen.server.get(key) for key in (
                    'id', 'status', 'OS-EXT-STS:task_state',
                    'OS-EXT-SRV-ATTR:host', 'fault')}
                if seen.server else None]
            lines += ['    %s: %s' % (name, getattr(seen, name))
                      for name in ('records', 'held', 'disks', 'running')]
        return '\n'.join(lines)

    def _judge(self, life, name, before):
        earlier, life.seen = life.seen, self.read(life)
        life.wrong = judge.wrong(life.seen, self.amounts)
        new = life.wrong - before
        if name == 'repair' and before & judge.OPEN_RECORDS:
            # A record is ended first. What it holds is found next, and which
            # move it is that waits to be confirmed.
            new -= {'held-by-ended'}
            if life.seen.held == earlier.held:
                new -= {'held-by-other', 'held-not-by-move'}
        if new:
            self._blame(life, name, new)
        self._compare_with_check(life)
        if not life.wrong and not self.messages.waiting():
            life.nova = None

    def _blame(self, life, name, new):
        """Find out whose doing it is that more is wrong than before."""
        if self.messages.waiting():
            # For the host that is down.
            name = 'waits'
        if name == 'force' or (
                life.forced and name in ('confirm', 'revert')):
            self.report('A forced move made the server worse: %s, by %s.' % (
                sorted(new), name))
        if name == 'repair':
            self.report('A repair made the server worse: %s.' % sorted(new))
        function = upstream.function(name, new, life.nova)
        if function is None:
            self.report("It is nobody's doing: %s, by %s." % (
                sorted(new), name))
        life.nova = life.nova or function
        # What it leads to is not the doing of a forced move before it.
        life.forced = False
        for what in new:
            self.counts['nova: %s: %s: %s' % (function, name, what)] += 1

    def found(self, life):
        """Run the check on a server.

        :returns: list of str, the names of the findings.
        """
        return [finding['finding'] for finding in
                manage.check(server=life.uuid, bound=0)]

    def _compare_with_check(self, life):
        found = self.found(life)
        missed = life.wrong & judge.IN_THE_BOOKS
        if missed and not found:
            self.report('The check finds nothing of %s.' % sorted(missed))
        if found and not life.wrong:
            self.report('Nothing is wrong, and the check finds %s.' % found)

    def clean(self):
        """Begin a history: no servers, and all hosts up."""
        if self.failure is not None:
            return
        if self.fenced:
            self.step('back')
        if self.renewed:
            self.step('mend')
        for slot in list(self.lives):
            self.step('delete', slot)
        del self.history[:]

    # The steps.

    def step_boot(self, slot, host):
        body = self._build_server(
            name='history', flavor_id=self.flavors[0]['id'],
            networks='none', host=host)
        life = Life(self.api.post_server({'server': body}))
        self._wait_for_state_change(life.server, 'ACTIVE', max_retries=60)
        self.lives[slot] = life
        return host

    def step_delete(self, slot):
        life = self.lives[slot]
        self.api.api_delete('/servers/' + life.uuid)
        self.rest()
        if not self.poll(lambda: self._get_server(life) is None):
            raise Wrong('The server is not deleted.')
        life.seen = self.read(life)
        life.wrong = judge.wrong(life.seen, self.amounts)
        new = life.wrong
        if new:
            self._blame(life, 'delete', new)
        self._compare_with_check(life)
        # What Nova leaks is counted. Take it away for the next server.
        for consumer in life.seen.held:
            self.placement.delete('/allocations/' + consumer)
        for host in self.hosts:
            self.computes[host].manager.driver.instances.pop(life.uuid, None)
        self.disks.forget(life.uuid)
        del self.lives[slot]
        return 'done'

    def _migrate(self, life, host, **arguments):
        life.forced = False
        return self.act(life, migrate=dict(arguments, host=host))

    def step_force(self, slot, host):
        life = self.lives[slot]
        before = life.seen
        status = self._migrate(life, host, force=True)
        self.rest()
        after = self.read(life)
        if status != 202:
            outcome = str(status)
        elif self._is_moved(after, before, host):
            life.forced = True
            outcome = 'moved'
        else:
            outcome = 'refused'
        if outcome != 'moved':
            self._check_refused(life, before, after, host, outcome)
        return outcome

    def _is_moved(self, after, before, host):
        return (after.server['status'] == 'VERIFY_RESIZE' and
                after.server['OS-EXT-SRV-ATTR:host'] == host != (
                    before.server['OS-EXT-SRV-ATTR:host']))

    def _check_refused(self, life, before, after, host, outcome):
        """See that a refusal changed nothing, and was called for."""
        if outcome == 'refused' and (
                self.messages.waiting() or
                life.wrong - judge.IN_THE_BOOKS - judge.UNTOLD):
            # It waits for a host that is down, or fails for a disk that is
            # not there, of which no record says anything.
            return
        for key in ('status', 'OS-EXT-SRV-ATTR:host',
                    'OS-EXT-STS:task_state'):
            if before.server[key] != after.server[key]:
                self.report('A refusal (%s) changed %s from %s to %s.' % (
                    outcome, key, before.server[key], after.server[key]))
        if before.held != after.held or before.disks != after.disks:
            self.report('A refusal (%s) changed what is held.' % outcome)
        own = before.server['OS-EXT-SRV-ATTR:host']
        if (not life.wrong and
                host not in (self.fenced, self.renewed, own) and
                before.server['status'] in ('ACTIVE', 'SHUTOFF')):
            self.report('A server in order was refused (%s): %s' % (
                outcome, self._reason(life)))

    def _reason(self, life):
        events = self.events({'id': life.uuid})
        return [event.get('details') for event in events.values()]

    def step_checked(self, slot, host):
        return self._migrate(self.lives[slot], host)

    def step_resize(self, slot):
        life = self.lives[slot]
        life.forced = False
        now = life.seen.server['flavor']['original_name']
        other, = [flavor for flavor in self.flavors
                  if flavor['name'] != now]
        return self.act(life, resize={'flavorRef': other['id']})

    def step_live(self, slot, host):
        return self.act(self.lives[slot], **{'os-migrateLive': {
            'host': host, 'block_migration': 'auto'}})

    def step_evacuate(self, slot, host):
        return self.act(self.lives[slot], evacuate={'host': host})

    def step_reset(self, slot, state):
        life = self.lives[slot]
        life.forced = False
        return self.act(life, **{'os-resetState': {'state': state}})

    def step_confirm(self, slot):
        return self.act(self.lives[slot], confirmResize=None)

    def step_revert(self, slot):
        return self.act(self.lives[slot], revertResize=None)

    def step_stop(self, slot):
        return self.act(self.lives[slot], **{'os-stop': None})

    def step_start(self, slot):
        return self.act(self.lives[slot], **{'os-start': None})

    def step_reboot(self, slot):
        return self.act(self.lives[slot], reboot={'type': 'HARD'})

    def step_repair(self, slot):
        life = self.lives[slot]
        life.forced = False
        outcomes = [done['outcome'] for done in manage.repair(
            server=life.uuid, bound=0, yes=True, word=self._word(life))]
        return ' '.join(outcomes) or 'nothing'

    def _word(self, life):
        """What an operator says who looks at all there is."""
        return consent.Word(
            restarted=frozenset(self.hosts) - {self.fenced},
            ended=not self.messages.waiting(),
            no_guest_on=frozenset(self.hosts) - set(life.seen.running))

    def step_death(self, slot, action, when, *arguments):
        """Do something, in the middle of which a service dies."""
        life = self.lives[slot]
        call, side = DEATHS[action][when]
        move = judge.cold(life.seen)
        ends = {'source': life.seen.server['OS-EXT-SRV-ATTR:host'],
                'destination': arguments[0] if arguments else None}
        if move:
            ends = {'source': move[0]['source_compute'],
                    'destination': move[0]['dest_compute']}
        life.forced = False
        death = Death(call)
        self.recorder.arm(death)
        force = {'force': True} if action == 'force' else {}
        if arguments:
            status = self._migrate(life, *arguments, **force)
        else:
            status = getattr(self, 'step_' + action)(slot)
        self.rest()
        self.recorder.disarm()
        if death.strikes and side and ends[side] != self.fenced:
            self.restart(ends[side])
        return '%s %s: %s' % (
            action, when, 'died' if death.strikes else status)

    def restart(self, host):
        """Start a nova-compute anew, on guests that run on."""
        self.computes[host] = self.restart_compute_service(
            self.computes[host])

    def step_fence(self, host):
        """A host loses its power, which is told to Nova."""
        self.fenced = host
        self.computes[host].stop()
        self.computes[host].manager.driver.lose_power()
        self.force_down(host)
        return host

    def step_back(self):
        """The host that was fenced comes back."""
        host, self.fenced = self.fenced, None
        self.force_down(host, False)
        self.restart(host)
        return host

    def step_renew(self, host):
        """A host is registered anew, and its provider stays what it was.

        So it is if the service is deleted while something is held there.
        """
        self.renewed = host
        self.computes[host].stop()
        self.computes[host].manager.driver.generation += 1
        with self.cell_context() as context:
            self.node_record(context, host).destroy()
        self.restart(host)
        return host

    def step_mend(self):
        """An operator deletes the provider, and Nova makes it anew."""
        host, self.renewed = self.renewed, None
        url = '/resource_providers/%s' % self.providers[host]
        for consumer in self.held()[host]:
            # What they hold elsewhere a repair gives them again.
            self.placement.delete('/allocations/' + consumer)
        self.placement.delete(url)
        self._run_periodics()
        return host
