# SPDX-License-Identifier: Apache-2.0

import collections
import threading
import time

import hypothesis
from hypothesis import strategies as st
from nova import test

from nova_coldmig.conductor import turns

#: Seconds in which what has to happen happens, on a slow machine too.
LONG = 60
NEVER = 0.05


class TurnsTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.turns = turns.Turns()
        self.came = []
        self.threads = []

    def hold(self, *providers):
        """Have a turn until the end of the test, or until it is released."""
        context = self.turns.turn(providers, timeout=NEVER, most=9)
        self.assertTrue(context.__enter__())
        return lambda: context.__exit__(None, None, None)

    def ask(self, name, *providers, **kwargs):
        """Ask for a turn in a thread of its own, and wait until it waits."""
        kwargs = dict({'timeout': LONG, 'most': 9}, **kwargs)

        def run():
            with self.turns.turn(providers, **kwargs) as had:
                self.came.append((name, had))

        before = len(self.turns._tickets)
        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)
        self.wait_until(lambda: not thread.is_alive() or
                        len(self.turns._tickets) > before)

    def wait_until(self, done):
        deadline = time.monotonic() + LONG
        while not done():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def join(self):
        for thread in self.threads:
            thread.join(LONG)
            self.assertFalse(thread.is_alive())

    def test_alone(self):
        with self.turns.turn(['a', 'b'], timeout=NEVER, most=1) as had:
            self.assertTrue(had)
        self.assertEqual([], self.turns._tickets)

    def test_nothing_shared(self):
        release = self.hold('a', 'b')
        with self.turns.turn(['c'], timeout=NEVER, most=1) as had:
            self.assertTrue(had)
        release()

    def test_order(self):
        release = self.hold('a')
        for name in range(8):
            self.ask(name, 'a', str(name))
        self.assertEqual([], self.came)
        release()
        self.join()
        self.assertEqual([(name, True) for name in range(8)], self.came)

    def test_one_that_waits_is_not_overtaken(self):
        """Its other provider is free, and is when its turn comes."""
        release = self.hold('a')
        self.ask('first', 'a', 'b')
        self.ask('second', 'b')
        self.assertEqual([], self.came)
        release()
        self.join()
        self.assertEqual([('first', True), ('second', True)], self.came)

    def test_goes_on_when_time_is_up(self):
        release = self.hold('a')
        with self.turns.turn(['a'], timeout=NEVER, most=1) as had:
            self.assertFalse(had)
        release()
        self.assertEqual([], self.turns._tickets)

    def test_one_that_gave_up_is_not_waited_for(self):
        first, second = self.hold('a'), self.hold('b')
        with self.turns.turn(['a', 'b'], timeout=NEVER, most=1) as had:
            self.assertFalse(had)
        second()
        with self.turns.turn(['b'], timeout=NEVER, most=1) as had:
            self.assertTrue(had)
        first()

    def test_one_that_gave_up_does_not_wait(self):
        release = self.hold('a')
        with self.turns.turn(['a'], timeout=NEVER, most=1):
            with self.turns.turn(['a'], timeout=NEVER, most=1):
                # Both gave up: the second was let wait.
                self.assertEqual(3, len(self.turns._tickets))
        release()

    def test_too_many(self):
        release = self.hold('a')
        self.ask('waits', 'a', most=1)
        with self.turns.turn(['a'], timeout=LONG, most=1) as had:
            self.assertFalse(had)
        self.assertEqual([], self.came)
        release()
        self.join()
        self.assertEqual([('waits', True)], self.came)

    def test_nobody_may_wait(self):
        release = self.hold('a')
        with self.turns.turn(['a'], timeout=LONG, most=0) as had:
            self.assertFalse(had)
        release()

    def test_failure(self):
        """What a claim raises ends its turn, and is passed on."""
        release = self.hold('a')

        def claim():
            with self.turns.turn(['b'], timeout=NEVER, most=1):
                raise ValueError

        self.assertRaises(ValueError, claim)
        self.assertEqual(1, len(self.turns._tickets))
        release()

    @hypothesis.settings(deadline=None, max_examples=30, derandomize=True)
    @hypothesis.given(st.lists(
        st.sets(st.sampled_from('abcd'), min_size=1), min_size=1,
        max_size=12))
    def test_crowds(self, claims):
        """All come through, and none beside one that shares a provider."""
        turns_ = turns.Turns()
        lock = threading.Lock()
        at_work = collections.Counter()
        came = []

        def run(claim):
            with turns_.turn(claim, timeout=LONG, most=99) as had:
                with lock:
                    at_work.update(claim)
                    came.append((had, max(at_work[one] for one in claim)))
                time.sleep(0)
                with lock:
                    at_work.subtract(claim)

        threads = [threading.Thread(target=run, args=(claim,))
                   for claim in claims]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        self.assertEqual([(True, 1)] * len(claims), came)
        self.assertEqual([], turns_._tickets)
