# SPDX-License-Identifier: Apache-2.0

"""What a forced move asks of other services, up to the destination."""

from nova_coldmig.tests.functional import base
from nova_coldmig.tests.functional.faults import steps


class RequestsTest(base.ColdmigTestCase):
    """No fewer requests can tell what is claimed and claim it."""

    def setUp(self):
        recorder = steps.Recorder()
        super().setUp()
        self.recorder = self.useFixture(recorder)

    def test_forced_move(self):
        server = self.boot('host1')
        self.held_before = self.held()
        self.recorder.arm()
        with self.recorder.acting():
            self.migrate(server, 'host2', force=True)
        self._wait_for_state_change(server, 'VERIFY_RESIZE')
        seen = list(self.recorder.seen)
        self.recorder.disarm()
        self.assertMoved(server, 'host1', 'host2')
        until = seen.index('rpc cast prep_resize') + 1
        self.assertEqual(
            ['rpc cast migrate_server',
             'placement GET /allocations/{uuid}',
             'placement GET /allocation_candidates',
             'placement POST /allocations',
             'rpc cast prep_resize'],
            [name for name in seen[:until]
             if name.startswith(('placement', 'rpc'))])
