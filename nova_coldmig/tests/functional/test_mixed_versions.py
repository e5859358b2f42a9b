# SPDX-License-Identifier: Apache-2.0

"""Services with and without the package, and old compute RPC versions.

While a deployment is upgraded, one half runs before the other. Conductors are
upgraded first; the other way round must be safe all the same.
"""

import fixtures
from nova.compute import resource_tracker
from nova import context
from nova import exception

from nova_coldmig.conductor import rpcapi
from nova_coldmig.conf import coldmig
from nova_coldmig import fingerprint
from nova_coldmig import seams
from nova_coldmig import start
from nova_coldmig.tests.functional import base

#: The oldest version of the compute RPC that any supported Nova speaks.
OLDEST = '5.0'


def changed(target):
    """Have a function of Nova not be the one that is known.

    :param target: str, ``module:attribute.path``.
    :returns: fixtures.Fixture
    """
    return fixtures.MockPatchObject(
        fingerprint, 'changed',
        lambda targets, tree: [target] if target in targets else [])


class OldConductorTest(base.ColdmigTestCase):
    """The API knows force and the conductor does not."""

    halves = (seams.API,)

    def test_enabled_host(self):
        """The scheduler is asked about the same host, and no other."""
        server = self.boot('host1')
        self.force(server, 'host2')
        self.assertOn(server, 'host2', 'VERIFY_RESIZE')
        self.assertSchedulerCalls(1)
        self.assertHeld(host1=self.last_migration(server)['uuid'],
                        host2=server['id'])
        self.assertNotIn('coldmig_force', self.events(server))

    def test_disabled_host(self):
        """The scheduler refuses it, and the server stays where it is."""
        server = self.boot('host1')
        service, = self.api.get_services(host='host2', binary='nova-compute')
        self.api.put_service(service['id'], {'status': 'disabled'})
        self.migrate(server, 'host2', force=True)
        event = self._wait_for_action_fail_completion(
            server, 'migrate', 'conductor_migrate_server')
        self.assertIn('No valid host', event['details'])
        self.assertOn(server, 'host1')
        self.assertSchedulerCalls(1)
        self.assertHeld(host1=server['id'])


class DisabledConductorTest(OldConductorTest):
    """The package knows the Nova of the API, and not that of the conductor."""

    def setUp(self):
        # As nova-coldmig-conductor does on such a tree.
        with changed('nova.conductor.tasks.migrate:MigrationTask'):
            self.assertFalse(start.install(seams.CONDUCTOR))
        self.addCleanup(start.reset, seams.CONDUCTOR)
        super().setUp()
        self.assertEqual({seams.API}, seams.installed())

    def test_it_says_that_it_does_not_know_force(self):
        self.assertIsNone(rpcapi.ConductorAPI().version(
            context.get_admin_context()))

    def test_host_without_room(self):
        """The scheduler refuses it, and no other host is taken."""
        server = self.boot('host1')
        self.set_inventory('host2', 'VCPU', reserved=1, total=1)
        self.migrate(server, 'host2', force=True)
        event = self._wait_for_action_fail_completion(
            server, 'migrate', 'conductor_migrate_server')
        self.assertIn('No valid host', event['details'])
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])


class OldApiTest(base.ColdmigTestCase):
    """The conductor knows force and the API does not."""

    halves = (seams.CONDUCTOR,)
    microversion = base.TREE.max_microversion

    def test_api_is_as_it_was(self):
        server = self.boot('host1')
        self.assertIn('Additional properties are not allowed', self.refused(
            server, 400, {'host': 'host2', 'force': True}))
        self.migrate(server, 'host2')
        self._wait_for_state_change(server, 'VERIFY_RESIZE')
        self.assertOn(server, 'host2', 'VERIFY_RESIZE')
        self.assertSchedulerCalls(1)
        self.assertHeld(host1=self.last_migration(server)['uuid'],
                        host2=server['id'])
        self._confirm_resize(server)
        self.assertHeld(host2=server['id'])


class DisabledApiTest(OldApiTest):
    """The package knows the Nova of the conductor, and not that of the API."""

    halves = (seams.API, seams.CONDUCTOR)
    on_unknown_tree = coldmig.DISABLE

    def setUp(self):
        # The conductor relies on other functions.
        self.useFixture(changed('nova.compute.api:API.resize'))
        super().setUp()
        self.assertEqual({seams.CONDUCTOR}, seams.installed())
        self.assertTrue(start.decided(seams.API))

    def test_the_feature_is_not_there(self):
        server = self.boot('host1')
        version = self.api.api_get('/').body
        self.assertNotIn(base.TREE.microversion, str(version))
        self.api.api_get('/extensions/os-migrate-server-force',
                         check_response_status=[404])
        self.api.microversion = base.TREE.microversion
        for migrate in ({'host': 'host2', 'force': True}, {'host': 'host2'}):
            self.api.api_post(
                '/servers/%s/action' % server['id'], {'migrate': migrate},
                check_response_status=[406])
        self.api.microversion = self.microversion
        self.assertOn(server, 'host1')
        self.assertSchedulerCalls(0)
        self.assertHeld(host1=server['id'])


class ClaimFails:
    """Makes the first claim of a compute fail, and notes who claims."""

    def fail_first_claim(self):
        claims = []
        claim = resource_tracker.ResourceTracker.resize_claim

        def resize_claim(tracker, context, instance, flavor, node,
                         *args, **kwargs):
            claims.append(node)
            if len(claims) == 1:
                raise exception.ComputeResourcesUnavailable(
                    reason='Made up')
            return claim(tracker, context, instance, flavor, node,
                         *args, **kwargs)

        self.stub_out('nova.compute.resource_tracker.ResourceTracker.'
                      'resize_claim', resize_claim)
        return claims


class RescheduleTest(ClaimFails, base.ColdmigTestCase):

    def _reschedule(self):
        server = self.boot('host1')
        claims = self.fail_first_claim()
        self.api.post_server_action(server['id'], {'migrate': None})
        self._wait_for_state_change(server, 'VERIFY_RESIZE')
        self.assertEqual({'host2', 'host3'}, set(claims))
        # Once; the second time the list of alternates is used.
        self.assertSchedulerCalls(1)
        self.assertOn(server, claims[1], 'VERIFY_RESIZE')
        self.assertHeld(host1=self.last_migration(server)['uuid'],
                        **{claims[1]: server['id']})

    def test_unforced_move_is_rescheduled(self):
        """By the conductor with the package, as without it."""
        self._reschedule()

    def test_unforced_move_is_rescheduled_by_an_old_compute(self):
        self.flags(compute=OLDEST, group='upgrade_levels')
        self._reschedule()


class OldComputeTest(ClaimFails, base.ColdmigTestCase):
    """Compute services at the oldest RPC version that Nova still speaks."""

    def setUp(self):
        self.flags(compute=OLDEST, group='upgrade_levels')
        super().setUp()

    def test_is_the_oldest(self):
        manager = self.computes['host1'].manager
        spoken = [int(endpoint.target.version.split('.')[0])
                  for endpoint in [manager] + manager.additional_endpoints]
        self.assertEqual(OLDEST, '%d.0' % min(spoken))

    def test_forced_move(self):
        server = self.boot('host1')
        self.force(server, 'host2')
        self.assertOn(server, 'host2', 'VERIFY_RESIZE')
        self.assertHeld(host1=self.last_migration(server)['uuid'],
                        host2=server['id'])
        self._confirm_resize(server)
        self.assertHeld(host2=server['id'])
        self.assertSchedulerCalls(0)

    def test_forced_move_is_not_rescheduled(self):
        server = self.boot('host1')
        claims = self.fail_first_claim()
        self.migrate(server, 'host2', force=True)
        self._wait_for_action_fail_completion(
            server, 'migrate', 'compute_prep_resize')
        self.assertEqual(['host2'], claims)
        self.assertHeld(host1=server['id'])
        self.assertSchedulerCalls(0)
