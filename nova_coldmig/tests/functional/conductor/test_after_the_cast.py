# SPDX-License-Identifier: Apache-2.0

"""What is left when a forced move fails after the conductor let go of it.

That is Nova's own doing. The tables say what it does, so that a change is
noticed, and that a forced move is never sent on to another host.
"""

import collections

from nova import exception
import oslo_messaging as messaging

from nova_coldmig.tests.functional import base

#: What fails, on which side, what that raises, and what is left: the host and
#: the status of the server, the event of the action that tells, with which
#: details, and whether the server shows a fault.
Failure = collections.namedtuple(
    'Failure', 'what side method raises host status event details fault')

FAILURES = (
    Failure('the claim of the destination', 'host2',
            'manager.rt.resize_claim',
            exception.ComputeResourcesUnavailable(reason='no free cell'),
            'host1', 'ERROR', 'compute_prep_resize', 'no free cell', True),
    Failure('the source, which does not roll back', 'host1',
            'manager.driver.migrate_disk_and_power_off',
            exception.ResizeError(reason='no ssh'),
            'host1', 'ERROR', 'compute_resize_instance', 'no ssh', True),
    Failure('the source, which rolls back', 'host1',
            'manager.driver.migrate_disk_and_power_off',
            exception.InstanceFaultRollback(
                exception.ResizeError(reason='disk too large')),
            'host1', 'ACTIVE', 'compute_resize_instance', 'disk too large',
            False),
    Failure('the driver of the destination', 'host2',
            'manager.driver.finish_migration',
            exception.ResizeError(reason='no memory'),
            'host2', 'ERROR', 'compute_finish_resize', 'no memory', True),
)


class FailureTestCase(base.ColdmigTestCase):

    def assertNotSentOn(self, server):
        """No second host is tried though host3 is free."""
        self.assertSchedulerCalls(0)
        actions = self.api.get_instance_actions(server['id'])
        self.assertEqual(
            1, [action['action'] for action in actions].count('migrate'))
        self.assertNotIn('host3', [
            event['host'] for event in self.events(server).values()])
        self.assertEqual({}, self.held()['host3'])

    def recover(self, server):
        """Do what an operator does, and try another host."""
        self.api.post_server_action(
            server['id'], {'os-resetState': {'state': 'active'}})
        source = self.api.get_server(server['id'])[
            'OS-EXT-SRV-ATTR:host']
        self.force(server, 'host3')
        self.assertMoved(server, source, 'host3')
        self.confirm(server)
        self.assertHeld(host3=server['id'])


class AfterTheCastTest(FailureTestCase):

    def _fail(self, row):
        owner = self.computes[row.side]
        *path, name = row.method.split('.')
        for part in path:
            owner = getattr(owner, part)

        def fail(*args, **kwargs):
            raise row.raises

        passed_on = getattr(owner, name)
        setattr(owner, name, fail)
        return lambda: setattr(owner, name, passed_on)

    def _check(self, row):
        server = self.boot('host1')
        mend = self._fail(row)
        self.migrate(server, 'host2', force=True)
        self._wait_for_migration_status(server, ['error'])
        self._wait_for_server_parameter(server, {
            'status': row.status, 'OS-EXT-STS:task_state': None})
        after = self.assertOn(server, row.host, row.status)
        self.assertEqual(row.fault, 'fault' in after)
        event = self.wait_for_error(server, row.event)
        self.assertIn(row.details, event['details'])
        self.assertEqual(row.side, event['host'])
        # What the conductor did stays recorded.
        self.assertIn('coldmig_force', self.events(server))
        self._wait_for_assert(
            lambda: self.assertHeld(**{row.host: server['id']}))
        self.assertNotSentOn(server)
        mend()
        self.recover(server)

    def test_destination_claim(self):
        self._check(FAILURES[0])

    def test_source_driver(self):
        self._check(FAILURES[1])

    def test_source_driver_rolls_back(self):
        self._check(FAILURES[2])

    def test_destination_driver(self):
        self._check(FAILURES[3])

    def test_upstream_zone_of_a_destination_that_refused(self):
        """Nova saves the zone of the destination before it has claimed.

        The API shows the zone of the host the server is on, so only who reads
        the database is misled.
        """
        self.api.add_host_to_aggregate(
            self._create_aggregate('far', availability_zone='far'), 'host2')
        server = self.boot('host1')
        self._fail(FAILURES[0])
        self.migrate(server, 'host2', force=True)
        server = self._wait_for_state_change(server, 'ERROR')
        self.assertEqual('nova', server['OS-EXT-AZ:availability_zone'])
        with self.cell_context() as context:
            self.assertEqual('far', base.objects.Instance.get_by_uuid(
                context, server['id']).availability_zone)


class BeforeTheCastTest(FailureTestCase):
    """The claim is made and the destination was not told: all is undone."""

    def _check(self, target, error, details):
        def fail(*args, **kwargs):
            raise error

        server = self.boot('host1')
        mend = self.replace(target, fail)
        self.migrate(server, 'host2', force=True)
        event = self.wait_for_error(server, 'conductor_migrate_server')
        self.assertIn(details, event['details'])
        self.assertNotIn('fault', self.assertOn(server, 'host1'))
        self.assertEqual('error', self.last_migration(server)['status'])
        self.assertHeld(host1=server['id'])
        self.assertNotSentOn(server)
        mend()
        self.recover(server)

    def test_cast(self):
        self._check(
            'nova.compute.rpcapi.ComputeAPI.prep_resize',
            messaging.MessageDeliveryFailure('the broker is away'),
            'MessageDeliveryFailure')

    def test_mapping_of_the_groups(self):
        self._check(
            'nova.scheduler.utils.fill_provider_mapping',
            ValueError('no such provider'), 'ValueError')
