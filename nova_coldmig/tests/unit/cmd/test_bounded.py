# SPDX-License-Identifier: Apache-2.0

import threading
import time

from nova import test

from nova_coldmig.cmd import bounded


class BoundedTest(test.NoDBTestCase):

    def test_results_in_order(self):
        def fail():
            raise ValueError('Made up')

        first, second, third = bounded.run(
            [lambda: 1, fail, lambda: None], 30)
        self.assertEqual(1, first.result())
        self.assertRaises(ValueError, second.result)
        self.assertIsNone(third.result())
        self.assertIsNone(third.error)

    def test_waits_no_longer_for_all_than_for_one(self):
        ended = threading.Event()
        self.addCleanup(ended.set)
        began = time.monotonic()
        outcomes = bounded.run(
            [lambda: 1] + [lambda: ended.wait(30) for _ in range(20)], 0.5)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(1, outcomes[0].result())
        for outcome in outcomes[1:]:
            self.assertRaises(bounded.NotInTime, outcome.result)

    def test_at_the_same_time(self):
        """Each goes on when all have begun."""
        barrier = threading.Barrier(5)
        outcomes = bounded.run([lambda: barrier.wait(30)] * 5, 30)
        self.assertEqual(
            [0, 1, 2, 3, 4], sorted(outcome.result() for outcome in outcomes))

    def test_nothing_to_call(self):
        self.assertEqual([], bounded.run([], 30))
