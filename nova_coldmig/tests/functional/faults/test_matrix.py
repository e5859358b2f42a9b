# SPDX-License-Identifier: Apache-2.0

"""The fault matrix: what each fault leaves on both sides, out of matrix.txt.

OS_COLDMIG_FAULTS=all runs it all. Without it, the phase that this package has
a part in is run, up to the message to the destination.
"""

import os
from pathlib import Path

from nova_coldmig.tests.functional.faults import engine
from nova_coldmig.tests.functional.faults import kinds

#: The last call of a move that nova-coldmig has a part in.
LAST = 'rpc cast prep_resize'
#: The answer is kept, so whether it is asked for depends on what ran before.
CACHED = 'neutron list_extensions'


def read():
    """Read the table.

    :returns: list of tuples of engine.Case, int and engine.Left.
    """
    lines = [line for line in Path(__file__).with_name(
        'matrix.txt').read_text().splitlines() if not line.startswith('#')]
    cases = []
    for row, left in zip(lines[::2], lines[1::2]):
        phase, call, names, status = row.split(' | ')
        left = engine.Left(*(None if part == '-' else part
                             for part in left.strip().split(', ')))
        cases += [(engine.Case(phase, call, kind), int(status), left)
                  for kind in names.split(', ')]
    return cases


class MatrixTest(engine.FaultTestCase):

    # Many cases in one test.
    TIMEOUT_SCALING_FACTOR = 4

    def _run(self, cases):
        wrong = []
        for case, status, left in cases:
            server, answered, is_left = self.strike(case, left)
            if (answered, is_left) != (status, left):
                wrong.append('%s\n  want %s %s\n  left %s %s' % (
                    case, status, left, answered, is_left))
            self._way_out(server, case)
            self._forget_log()
        self.assertEqual([], wrong, '\n'.join(wrong))
        self.assertLess(0, len(cases))

    def _forget_log(self):
        # What is attached to a test that fails is limited to 4 MiB, and
        # stestr ends if it is more.
        self.stdlog.logger.reset_output()
        # It is this that takes it back to its beginning.
        self.stdlog.logger.output

    def _way_out(self, server, case):
        """Show that the server can be acted upon, and leave no trace."""
        # I2: there is a way out of every state, if it is the last one.
        self.assertEqual(202, self.act(
            server, {'os-resetState': {'state': 'active'}}), case)
        self.api.api_delete('/servers/' + server['id'])
        self.assertTrue(
            self.poll(lambda: not self.api.get_servers()), case)
        # What Nova leaks is in the table. Take it away for the next case.
        for consumers in self.held().values():
            for consumer in consumers:
                self.placement.delete('/allocations/' + consumer)

    def _cases(self, phase):
        return [row for row in read() if row[0].phase == phase]

    def _part(self, ours):
        calls = list(dict.fromkeys(
            row[0].call for row in self._cases(engine.MOVE)))
        last = calls.index(LAST) + 1
        wanted = calls[:last] if ours else calls[last:]
        return [row for row in self._cases(engine.MOVE)
                if row[0].call in wanted]

    def _all_only(self):
        if os.environ.get('OS_COLDMIG_FAULTS') != 'all':
            self.skipTest('OS_COLDMIG_FAULTS=all runs it.')

    def test_move_up_to_the_cast(self):
        self._run(self._part(ours=True))

    def test_upstream_move_after_the_cast(self):
        self._all_only()
        self._run(self._part(ours=False))

    def test_upstream_confirm(self):
        self._all_only()
        self._run(self._cases(engine.CONFIRM))

    def test_upstream_revert(self):
        self._all_only()
        self._run(self._cases(engine.REVERT))

    def test_every_call_is_in_the_matrix(self):
        """With every kind of fault that it can have, and no write unseen."""
        cases = {(case.phase, case.call, case.kind)
                 for case, _status, _left in read()}
        for phase in (engine.MOVE, engine.CONFIRM, engine.REVERT):
            server = self.prepare(phase)
            self.recorder.arm()
            self.good(server, phase)
            self.settle()
            self.recorder.disarm()
            for call in set(self.recorder.seen) - {CACHED}:
                self.assertNotEqual({}, kinds.of(call), call)
                for kind in kinds.of(call):
                    self.assertIn((phase, call, kind), cases)
            self._way_out(server, phase)
