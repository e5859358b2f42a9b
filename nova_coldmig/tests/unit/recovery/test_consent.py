# SPDX-License-Identifier: Apache-2.0

"""What a repair waits for as a table."""

from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.recovery import consent
from nova_coldmig.recovery import plan
from nova_coldmig.tests.unit.recovery import test_plan

BOTH = frozenset(('host1', 'host2'))


class MissingTest(test.NoDBTestCase):

    def missing(self, chosen=None, bound=5, facts=None, **word):
        chosen = plan.Plan('heal', '', **(chosen or {}))
        seen = test_plan.make_facts(
            'host1', 'active', None, [], **(facts or {}))
        return consent.missing(seen, chosen, bound, consent.Word(**{
            name: said if isinstance(said, bool) else frozenset(said)
            for name, said in word.items()}))

    def test_nothing(self):
        self.assertIsNone(self.missing())

    def test_idle(self):
        self.assertIn('10 seconds ago', self.missing(bound=11))
        self.assertIsNone(self.missing(bound=10))

    def test_down(self):
        for facts in ({'down': ['one']}, {'conductors_down': ['one']}):
            self.assertIn('one is down', self.missing(facts=facts))
            self.assertIn('one is down', self.missing(
                facts=facts, fenced=['two'], restarted=['one']))
            self.assertIsNone(self.missing(facts=facts, fenced=['one']))

    def test_hosts_at_work(self):
        chosen = {'hosts': BOTH}
        for restarted, names in (([], 'host1, host2'), (['host1'], 'host2'),
                                 (['host3', 'host2'], 'host1')):
            said = self.missing(chosen, restarted=restarted, ended=True)
            self.assertIn('nova-compute on %s is up' % names, said)
            self.assertIn('--restarted', said)
        self.assertIsNone(self.missing(chosen, restarted=BOTH))

    def test_time_is_no_evidence(self):
        self.assertIn('is up', self.missing(
            {'hosts': BOTH}, facts={'idle': 10 ** 6}))

    def test_message_queued_for_a_fenced_host(self):
        """It waits there, and is delivered when the host is back."""
        asked = dict(chosen={'hosts': BOTH}, facts={'down': ['host2']},
                     restarted=['host1'], fenced=['host2'])
        said = self.missing(**asked)
        for words in ('compute-alt', 'have none, of host2.', '--ended',
                      uuids.server):
            self.assertIn(words, said)
        self.assertIsNone(self.missing(ended=True, **asked))

    def test_word_that_nobody_works(self):
        chosen = {'needs_word': True}
        self.assertIn('--ended', self.missing(chosen))
        self.assertIsNone(self.missing(chosen, ended=True))
        # It is one word among others.
        self.assertIn('one is down', self.missing(
            chosen, ended=True, facts={'down': ['one']}))
        self.assertIn('10 seconds ago', self.missing(
            chosen, ended=True, bound=11))

    def test_guest(self):
        chosen = {'no_guest_on': 'host2'}
        for no_guest_on in ([], ['host1']):
            said = self.missing(chosen, no_guest_on=no_guest_on)
            self.assertIn('--no-guest-on host2', said)
            self.assertIn('virsh list --all', said)
        self.assertIsNone(self.missing(chosen, no_guest_on=['host2']))
