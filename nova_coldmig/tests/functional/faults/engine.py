# SPDX-License-Identifier: Apache-2.0

"""Runs a case of the fault matrix and tells what it leaves."""

import collections
import time

from nova.tests import fixtures as nova_fixtures

from nova_coldmig.tests.functional import base
from nova_coldmig.tests.functional.faults import kinds
from nova_coldmig.tests.functional.faults import steps

MOVE, CONFIRM, REVERT = 'move', 'confirm', 'revert'
SOURCE, DESTINATION, OTHER = 'host1', 'host2', 'host3'

#: What is left, on both sides.
#:
#: host: str, where the API says that the server is.
#: status, task_state: str, what it says of the server.
#: migration: str, status of the migration, or None.
#: source, destination: who holds a flavor there: 'server', 'migration', None,
#: or both joined with a plus.
#: guests: str, the hosts whose driver has the guest, joined with a plus.
Left = collections.namedtuple(
    'Left', 'host status task_state migration source destination guests')


class Case:
    """A fault in one phase of a move."""

    def __init__(self, phase, call, kind):
        self.phase, self.call, self.kind = phase, call, kind

    def __str__(self):
        return '%s: %s: %s' % (self.phase, self.call, self.kind)


class FaultTestCase(base.ColdmigTestCase):
    """One cloud for many cases, each with a server of its own."""

    def setUp(self):
        self.recorder = steps.Recorder()
        super().setUp()
        self.useFixture(self.recorder)
        self.useFixture(nova_fixtures.fixtures.MockPatch(
            'nova.scheduler.client.report.random.uniform', return_value=0))

    def settle(self, quiet=0.3):
        """Wait until nothing calls anything."""
        count, since = -1, 0
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if len(self.recorder.seen) != count:
                count, since = len(self.recorder.seen), time.monotonic()
            elif time.monotonic() - since > quiet:
                return
            time.sleep(0.02)
        self.fail('The services do not come to rest.')

    def request(self, server, phase):
        """Send the request of a phase.

        :returns: int, the status of the answer.
        """
        body = {
            MOVE: {'migrate': {'host': DESTINATION, 'force': True}},
            CONFIRM: {'confirmResize': None},
            REVERT: {'revertResize': None},
        }[phase]
        with self.recorder.acting():
            return self.act(server, body)

    def act(self, server, body):
        return self.api.api_post(
            '/servers/%s/action' % server['id'], body,
            check_response_status=None).status

    def new_server(self):
        post = self._build_server(
            name='fault', flavor_id=self.flavor['id'], host=SOURCE,
            networks=[{'uuid': nova_fixtures.NeutronFixture.network_1['id']}])
        server = self.api.post_server({'server': post})
        # Not what is tried: a busy machine may take its time.
        self.assertTrue(self.poll(
            lambda: self.state(server)['status'] == 'ACTIVE', 60),
            self.state(server))
        return server

    def state(self, server):
        return self.api.get_server(server['id'])

    def is_at(self, server, status):
        state = self.state(server)
        return (state['status'], state['OS-EXT-STS:task_state']) == (
            status, None)

    def good(self, server, phase):
        """Go through a phase without a fault."""
        self.assertEqual(202 if phase != CONFIRM else 204,
                         self.request(server, phase))
        want = 'VERIFY_RESIZE' if phase == MOVE else 'ACTIVE'
        self.assertTrue(self.poll(lambda: self.is_at(server, want)),
                        self.state(server))

    def left(self, server):
        """Read what is left, on both sides.

        :returns: Left
        """
        state = self.state(server)
        migrations = self.migrations(server)
        names = {server['id']: 'server'}
        for migration in migrations:
            names[migration['uuid']] = 'migration'
        held = self.held()
        sides = []
        for host in (SOURCE, DESTINATION):
            for consumer, resources in held[host].items():
                # I1: exactly one flavor for each that holds it, and none
                # without an owner.
                self.assertIn(consumer, names)
                self.assertEqual(self.resources, resources)
            sides.append('+'.join(sorted(
                names[consumer] for consumer in held[host])) or None)
        self.assertEqual({}, held[OTHER])
        guests = '+'.join(
            host for host in self.hosts if server['id'] in
            self.computes[host].manager.driver.list_instance_uuids())
        return Left(
            state['OS-EXT-SRV-ATTR:host'], state['status'],
            state['OS-EXT-STS:task_state'],
            migrations[0]['status'] if migrations else None, *sides, guests)

    def prepare(self, phase):
        server = self.new_server()
        if phase != MOVE:
            self.good(server, MOVE)
        self.settle(0.1)
        return server

    def strike(self, case, want=None):
        """Run a case.

        :param want: Left, which is waited for: on a slow machine a rest may
            be a pause. What is there in the end is returned all the same.
        :returns: tuple of the server, the status of the answer and Left.
        """
        server = self.prepare(case.phase)
        fault = kinds.Fault(case.call, case.kind)
        self.recorder.arm(fault)
        status = self.request(server, case.phase)
        self.poll(lambda: fault.strikes)
        self.settle()
        if want is not None:
            self.poll(lambda: self.left(server) == want, 5)
            self.settle()
        self.recorder.disarm()
        self.assertLess(0, fault.strikes, 'the call was not made')
        return server, status, self.left(server)
