# SPDX-License-Identifier: Apache-2.0

import functools
from unittest import mock

from cloud import cloud as clouds
from cloud import layout as layouts
from cloud.processes import process
from cloud.services import rest

from nova_coldmig.tests.unit import cloud


class StopTest(cloud.CloudTest):

    def setUp(self):
        super().setUp()
        self.cloud = clouds.Cloud(self.layout.state)
        self.stopped = []
        self.useFixture(cloud.fixtures.MockPatchObject(
            self.cloud, 'service', autospec=True,
            side_effect=self._service))

    def _service(self, name):
        service = mock.create_autospec(process.Process, instance=True)
        service.recorded = True
        service.stop.side_effect = lambda timeout: self.stopped.append(name)
        return service

    def test_order(self):
        """A service goes before what it needs."""
        self.cloud.stop()
        self.assertEqual({'compute1', 'compute2', 'compute3'},
                         set(self.stopped[:3]))
        self.assertEqual({'nova-api', 'scheduler', 'cell-conductor',
                          'super-conductor'}, set(self.stopped[3:7]))
        self.assertEqual({'glance', 'neutron', 'placement'},
                         set(self.stopped[7:10]))
        self.assertEqual(['keystone', 'rabbitmq', 'epmd', 'mariadb'],
                         self.stopped[10:])

    def test_some(self):
        self.cloud.stop(['mariadb', 'compute2'])
        self.assertEqual(['compute2', 'mariadb'], self.stopped)

    def test_no_cloud(self):
        self.cloud.layout.settings = {}
        self.cloud.stop()
        self.assertEqual([], self.stopped)


class DelayTest(cloud.CloudTest):

    def test_delay(self):
        """Placement is started anew behind, or without, what delays."""
        there = clouds.Cloud(self.layout.state)
        with mock.patch.object(there, 'stop', autospec=True) as stop, \
                mock.patch.object(there, 'start', autospec=True) as start:
            for milliseconds, services in (
                    (50, ['placement', 'placement-delay']),
                    (0, ['placement'])):
                there.delay(milliseconds)
                self.assertEqual(stop.call_args, start.call_args)
                self.assertEqual(services, [
                    service.name for service in there.services
                    if service.name in start.call_args[0][0]])
                # What comes up again is as it was.
                again = clouds.Cloud(self.layout.state)
                self.assertEqual(milliseconds, again.layout.placement_delay)


class RunFromTest(cloud.CloudTest):
    """A release of the package in the place of the source tree."""

    def setUp(self):
        super().setUp()
        self.cloud = clouds.Cloud(self.layout.state)
        for name in ('stop', 'start'):
            self.useFixture(cloud.fixtures.MockPatchObject(
                self.cloud, name, autospec=True,
                side_effect=functools.partial(self._note, name)))
        self.noted = []

    def _note(self, what, names):
        self.noted.append((what, names, self.programs()))

    def programs(self):
        """Tell where what the conductors run is."""
        return {service.name: service.argv[0].split('/')[-3]
                for service in self.cloud.services
                if service.name in ('super-conductor', layouts.BESIDE)}

    def test_run_from(self):
        """It is stopped as it was, and started as it is to be."""
        names = ['super-conductor']
        self.cloud.run_from(layouts.RELEASE, names)
        release = self.series + '-release'
        self.assertEqual([
            ('stop', names, {'super-conductor': self.series}),
            ('start', names, {'super-conductor': release})], self.noted)
        # What comes up again is as it was.
        self.cloud = clouds.Cloud(self.layout.state)
        self.assertEqual({'super-conductor': release}, self.programs())

    def test_beside(self):
        """Another one is started, and Nova forgets it when it ends."""
        self.cloud.run_from(layouts.RELEASE, [layouts.BESIDE])
        release = self.series + '-release'
        self.assertEqual({'super-conductor': self.series,
                          layouts.BESIDE: release}, self.programs())
        client = mock.create_autospec(rest.Client, instance=True)
        client.request.return_value = {'services': [{'id': 'uuid'}]}
        with mock.patch.object(self.cloud, 'client', autospec=True,
                               return_value=client):
            self.cloud.end_beside()
        self.assertEqual(
            [('GET', '/v2.1/os-services?host=beside'),
             ('DELETE', '/v2.1/os-services/uuid')],
            [(call[0][0], call[0][2])
             for call in client.request.call_args_list])
        self.assertEqual({'super-conductor': self.series}, self.programs())


class PointsTest(cloud.CloudTest):
    """The files that hold the driver, or make it fail."""

    def setUp(self):
        super().setUp()
        self.cloud = clouds.Cloud(self.layout.state)

    def test_pause(self):
        pause = self.layout.state / 'pause' / 'compute1' / 'spawn'
        self.cloud.pause('compute1', 'spawn')
        self.assertTrue(pause.exists())
        self.assertRaisesRegex(
            clouds.Failed, 'spawn was not reached on compute1',
            self.cloud.wait_reached, 'compute1', 'spawn', timeout=0.1)
        self.cloud.resume('compute1', 'spawn')
        self.assertFalse(pause.exists())
        # Again, as tests do in their clean-up.
        self.cloud.resume('compute1', 'spawn')

    def test_reached_before(self):
        reached = self.layout.state / 'reached' / 'compute1' / 'spawn'
        reached.parent.mkdir(parents=True)
        reached.touch()
        self.cloud.wait_reached('compute1', 'spawn', timeout=0)
        self.cloud.pause('compute1', 'spawn')
        self.assertFalse(reached.exists())

    def test_fail(self):
        self.cloud.fail('compute1', 'spawn', 'no disk')
        fail = self.layout.state / 'fail' / 'compute1' / 'spawn'
        self.assertEqual('no disk', fail.read_text())
        self.cloud.mend('compute1', 'spawn')
        self.assertFalse(fail.exists())


class RunTest(cloud.CloudTest):

    def test_failed(self):
        """The message has the log's name, and its end."""
        error = self.assertRaises(
            clouds.Failed, clouds.Cloud(self.layout.state).run, 'step',
            ['sh', '-c', 'echo it is broken; exit 3'])
        self.assertIn('it is broken', str(error))
        self.assertIn(str(self.layout.logs / 'step.log'), str(error))
