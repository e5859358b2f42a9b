# SPDX-License-Identifier: Apache-2.0

"""What may happen next in a history, as rules for hypothesis.

Most steps are such that Nova accepts them; what it refuses is tried too.
"""

from hypothesis import stateful
from hypothesis import strategies as st

from nova_coldmig.tests.functional.histories import cloud

HOSTS = ('host1', 'host2', 'host3')
#: Steps that a server lives for at least.
AGE = 12
#: Steps for which a server that is wrong is gone on with.
WRONG_FOR = 6

_hosts = st.sampled_from(HOSTS)
_picks = st.integers(0, 11)


class Machine(stateful.RuleBasedStateMachine):
    """Generates a history.

    :cvar history: cloud.HistoryTestCase
    """

    history = None

    def __init__(self):
        super().__init__()
        self.ages = {}
        self.wrong = {}
        self.idle = False

    def step(self, name, *arguments):
        # What was wrong once is told, and the cloud is not worth going on.
        if self.history.failure is None and not self.idle:
            try:
                self.history.step(name, *arguments)
            except cloud.Wrong as e:
                self.history.failure = str(e)
        for slot, life in list(self.history.lives.items()):
            self.ages[slot] = self.ages.get(slot, 0) + 1
            self.wrong[slot] = self.wrong.get(slot, 0) + 1 if life.wrong else 0
        if name != 'delete' and self._can_delete():
            self._replace()

    def _replace(self):
        for slot, count in list(self.wrong.items()):
            if count > WRONG_FOR and slot in self.history.lives:
                self.wrong[slot] = 0
                self.step('delete', slot)

    def servers(self, *statuses, **kwargs):
        """List the servers, by their slots.

        :param statuses: list those in one of them; without, list all.
        :param up: whether their host is to be up, None for both.
        """
        up = kwargs.get('up', True)
        found = []
        for slot, life in sorted(self.history.lives.items()):
            server = life.seen.server
            fenced = server['OS-EXT-SRV-ATTR:host'] == self.history.fenced
            if ((not statuses or server['status'] in statuses) and
                    up in (None, not fenced)):
                found.append(slot)
        return found

    def at_rest(self):
        return [slot for slot in self.servers('ACTIVE', 'SHUTOFF')
                if not self._task(slot)]

    def pick(self, slots, pick):
        """Choose one, and now and then any server there is."""
        if pick == 11:
            slots = self.servers(up=None)
        return slots[pick % len(slots)]

    def other(self, slot, host, pick=0):
        """Name a host that is up, and not the server's own.

        Now and then it is the one that was drawn all the same.
        """
        if pick == 10:
            return host
        server = self.history.lives[slot].seen.server
        hosts = [one for one in HOSTS if one not in (
            server['OS-EXT-SRV-ATTR:host'], self.history.fenced,
            self.history.renewed)] or [host]
        return hosts[HOSTS.index(host) % len(hosts)]

    def _task(self, slot):
        return self.history.lives[slot].seen.server['OS-EXT-STS:task_state']

    def _wrong(self):
        return [slot for slot in self.servers(up=None)
                if self.history.lives[slot].wrong]

    @stateful.initialize(number=st.integers(0, 2 ** 16), host=_hosts)
    def begin(self, number, host):
        # It always begins with the simplest example there is: the same step
        # over and over.
        self.idle = number == 0
        if not self.idle:
            self.history.clean()
            self.step('boot', 0, host)

    @stateful.precondition(
        lambda self: len(self.history.lives) < self.history.SLOTS)
    @stateful.rule(host=_hosts)
    def boot(self, host):
        while host in (self.history.fenced, self.history.renewed):
            host = HOSTS[HOSTS.index(host) - 1]
        slot = min(set(range(self.history.SLOTS)) - set(self.history.lives))
        self.ages[slot] = self.wrong[slot] = 0
        self.step('boot', slot, host)

    def _old(self):
        return [slot for slot in self.servers(up=None)
                if self.ages.get(slot, 0) > AGE and self._can_delete()]

    def _can_delete(self):
        # Nova asks the source to confirm first, and waits for it if it is
        # down. On a host without a provider it fails.
        return not self.history.fenced and not self.history.renewed

    @stateful.precondition(lambda self: self._old())
    @stateful.rule(pick=_picks)
    def delete(self, pick):
        self.step('delete', self._old()[pick % len(self._old())])

    @stateful.precondition(lambda self: self.at_rest())
    @stateful.rule(pick=_picks, host=_hosts)
    def force(self, pick, host):
        slot = self.pick(self.at_rest(), pick)
        self.step('force', slot, self.other(slot, host, pick))

    @stateful.precondition(lambda self: self.at_rest())
    @stateful.rule(pick=_picks, host=_hosts)
    def force_once_more(self, pick, host):
        self.force(pick, host)

    @stateful.precondition(lambda self: self.at_rest())
    @stateful.rule(pick=_picks, host=_hosts)
    def checked(self, pick, host):
        slot = self.pick(self.at_rest(), pick)
        self.step('checked', slot, self.other(slot, host, pick))

    @stateful.precondition(lambda self: self.at_rest())
    @stateful.rule(pick=_picks)
    def resize(self, pick):
        self.step('resize', self.pick(self.at_rest(), pick))

    @stateful.precondition(lambda self: self.servers('ACTIVE'))
    @stateful.rule(pick=_picks, host=_hosts)
    def live(self, pick, host):
        slot = self.pick(self.servers('ACTIVE'), pick)
        self.step('live', slot, self.other(slot, host, pick))

    @stateful.precondition(lambda self: self.servers('VERIFY_RESIZE'))
    @stateful.rule(pick=_picks)
    def confirm(self, pick):
        self.step('confirm', self.pick(self.servers('VERIFY_RESIZE'), pick))

    @stateful.precondition(lambda self: self.servers('VERIFY_RESIZE'))
    @stateful.rule(pick=_picks)
    def revert(self, pick):
        self.step('revert', self.pick(self.servers('VERIFY_RESIZE'), pick))

    @stateful.precondition(
        lambda self: self._wrong() or self.servers('VERIFY_RESIZE', 'ERROR'))
    @stateful.rule(pick=_picks, error=_picks)
    def reset(self, pick, error):
        slots = sorted(set(
            self._wrong() + self.servers('VERIFY_RESIZE', 'ERROR')))
        self.step('reset', slots[pick % len(slots)],
                  'error' if error == 0 else 'active')

    @stateful.precondition(lambda self: self.at_rest())
    @stateful.rule(pick=_picks)
    def stop_or_start(self, pick):
        slot = self.pick(self.at_rest(), pick)
        status = self.history.lives[slot].seen.server['status']
        self.step('start' if status == 'SHUTOFF' else 'stop', slot)

    @stateful.precondition(lambda self: self.servers('ACTIVE', 'ERROR'))
    @stateful.rule(pick=_picks)
    def reboot(self, pick):
        self.step('reboot', self.pick(self.servers('ACTIVE', 'ERROR'), pick))

    @stateful.precondition(lambda self: self._wrong())
    @stateful.rule(pick=_picks)
    def repair(self, pick):
        slots = self._wrong()
        self.step('repair', slots[pick % len(slots)])

    @stateful.precondition(lambda self: self.at_rest())
    @stateful.rule(pick=_picks, host=_hosts, forced=st.booleans(),
                   when=st.sampled_from(sorted(cloud.MOVE_DEATHS)))
    def death_of_move(self, pick, host, forced, when):
        slot = self.pick(self.at_rest(), pick)
        self.step('death', slot, 'force' if forced else 'checked', when,
                  self.other(slot, host))

    @stateful.precondition(lambda self: self.servers('VERIFY_RESIZE'))
    @stateful.rule(pick=_picks, action=st.sampled_from(('confirm', 'revert')),
                   when=_picks)
    def death_of_end(self, pick, action, when):
        deaths = sorted(cloud.DEATHS[action])
        self.step('death', self.pick(self.servers('VERIFY_RESIZE'), pick),
                  action, deaths[when % len(deaths)])

    @stateful.precondition(
        lambda self: not self.history.renewed and not self.history.fenced)
    @stateful.rule(host=_hosts)
    def renew(self, host):
        self.step('renew', host)

    @stateful.precondition(lambda self: self.history.renewed)
    @stateful.rule()
    def mend(self):
        self.step('mend')

    @stateful.precondition(
        lambda self: not self.history.renewed and not self.history.fenced)
    @stateful.rule(pick=_picks, host=_hosts)
    def fence(self, pick, host):
        slots = self.servers()
        if slots:
            host = self.history.lives[slots[pick % len(slots)]].seen.server[
                'OS-EXT-SRV-ATTR:host']
        self.step('fence', host)

    @stateful.precondition(lambda self: self.servers(up=False))
    @stateful.rule(pick=_picks, host=_hosts)
    def evacuate(self, pick, host):
        slots = self.servers(up=False)
        slot = slots[pick % len(slots)]
        self.step('evacuate', slot, self.other(slot, host, pick))

    @stateful.precondition(lambda self: self.history.fenced)
    @stateful.rule()
    def back(self):
        self.step('back')
