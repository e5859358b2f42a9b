# SPDX-License-Identifier: Apache-2.0

"""A small cloud in this process, whose moves end at prep_resize."""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional import base

import collections
import contextlib
import threading
import time
import types

import fixtures
from nova import objects
from nova.tests import fixtures as nova_fixtures
from oslo_messaging.rpc import client as rpc_client
import testtools

#: Ways to migrate a server to a host: the microversion and the body of the
#: action. The first is Nova's own.
VANILLA, FORCED = 'vanilla', 'forced'
SOURCE, DESTINATION = 'host1', 'host2'
#: Moves that are made before those that count.
WARM_UP = 5
#: Seconds between two looks of the fake message driver at its queues. It
#: waits 0.05, which is far more than a broker takes and would hide the rest.
POLL = 0.002
NETWORK = nova_fixtures.NeutronFixture.network_1['id']


#: A migration as far as the cast of prep_resize: how long that took, and the
#: time of the processor in it, in seconds.
Move = collections.namedtuple('Move', 'latency busy')


class Stopped(Exception):
    """A move that is wanted up to here and no further."""


class PrepResizeStop(fixtures.Fixture):
    """Lets the cast of prep_resize fail, and tells when that was.

    The conductor then takes everything back, and the server can be moved
    again.

    :ivar then: callable that is called at the cast.
    """

    then = staticmethod(lambda: None)

    def _setUp(self):
        self._reached = threading.Event()
        cast = rpc_client._CallContext.cast

        def stop(client, context, method, **kwargs):
            if method != 'prep_resize':
                return cast(client, context, method, **kwargs)
            self._at = time.perf_counter(), time.process_time()
            self.then()
            self._reached.set()
            raise Stopped()

        self.useFixture(fixtures.MonkeyPatch(
            'oslo_messaging.rpc.client._CallContext.cast', stop))

    def arm(self):
        self._reached.clear()

    def wait(self):
        """Wait for the cast.

        :returns: tuple of float, when it was, in seconds of
            time.perf_counter and of time.process_time.
        """
        if not self._reached.wait(60):
            raise RuntimeError('The move did not get to prep_resize.')
        return self._at


class Case(base.ColdmigTestCase):
    """Runs one measurement.

    :param measure: callable that is given the case and returns the result.
    :param halves: iterable of str, the halves of the package that are there;
        None for all.
    """

    def __init__(self, measure, halves=None):
        super().__init__('test_measure')
        self._measure = measure
        if halves is not None:
            self.halves = halves
            if not halves:
                self.microversion = base.TREE.max_microversion
        # Nova's base class forgets what has no underscore.
        self._result = None

    def setUp(self):
        self.flags(instances=-1, cores=-1, ram=-1, group='quota')
        # Room for many small servers.
        self.flags(initial_cpu_allocation_ratio=64.0)
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_messaging._drivers.impl_fake.time', types.SimpleNamespace(
                time=time.time,
                sleep=lambda seconds: time.sleep(min(seconds, POLL)))))

    def test_measure(self):
        self._result = self._measure(self)

    def start_service(self, name, *args, **kwargs):
        service = super().start_service(name, *args, **kwargs)
        if name == 'conductor':
            self._conductor = service
        return service

    def conductor_tasks(self):
        """Return the nova.conductor.manager.ComputeTaskManager."""
        return self._conductor.manager.compute_task_mgr

    def clients(self):
        """Make a client of the API for each way to migrate."""
        vanilla, forced = self.client(), self.client()
        vanilla.microversion = '2.56'
        return {VANILLA: (vanilla, {'host': DESTINATION}),
                FORCED: (forced, {'host': DESTINATION, 'force': True})}

    def boot_small(self, flavor):
        """Create a server with a port."""
        return self.boot(SOURCE, flavor_id=flavor,
                         networks=[{'uuid': NETWORK}])

    def warmed_up(self):
        """Make a server, and move it both ways a few times.

        :returns: tuple of PrepResizeStop, what clients() returns, and the
            server, a dict
        """
        stop, ways = self.useFixture(PrepResizeStop()), self.clients()
        server = self.boot_small(self.small_flavor())
        for _ in range(WARM_UP):
            for way in ways.values():
                self.move(stop, server, way)
        return stop, ways, server

    def small_flavor(self):
        return self._create_flavor(memory_mb=16, vcpu=1, disk=1, ephemeral=0)

    def move(self, stop, server, way, around=contextlib.nullcontext()):
        """Migrate a server as far as prep_resize, and wait for the rest.

        :param stop: PrepResizeStop
        :param server: dict
        :param way: tuple, of clients().
        :param around: context manager for what is measured.
        :returns: Move
        """
        api, body = way
        stop.arm()
        with around:
            began, busy = time.perf_counter(), time.process_time()
            api.post_server_action(server['id'], {'migrate': body})
            reached, busy_then = stop.wait()
        self.wait_idle(server)
        return Move(reached - began, busy_then - busy)

    def wait_idle(self, server):
        """Wait until a move is taken back, and the conductor is done."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._is_idle(server['id']):
                return
            time.sleep(0.01)
        raise RuntimeError('The move was not taken back.')

    def _is_idle(self, uuid):
        with self.cell_context() as context:
            if objects.Instance.get_by_uuid(context, uuid).task_state:
                return False
            action, = objects.InstanceActionList.get_by_instance_uuid(
                context, uuid, limit=1)
            # The event that ends last.
            return any(
                event.event == 'conductor_migrate_server' and
                event.finish_time for event in
                objects.InstanceActionEventList.get_by_action(
                    context, action.id))


def run(measure, halves=None, case_class=Case):
    """Run a measurement in a cloud of its own.

    :param measure: callable that is given a Case and returns the result.
    :param halves: as Case has it.
    :param case_class: class, Case or one of its kind.
    :returns: what measure returned.
    :raises: RuntimeError with what went wrong.
    """
    case = case_class(measure, halves)
    result = testtools.TestResult()
    case.run(result)
    if not result.wasSuccessful():
        raise RuntimeError('\n'.join(
            text for _case, text in result.errors + result.failures))
    return case._result
