# SPDX-License-Identifier: Apache-2.0

"""What force never bypasses: refused, with nothing claimed or changed."""

import threading
from unittest import mock

from cinderclient import exceptions as cinder_exc
import fixtures
from nova import exception
from nova import objects
from nova.tests import fixtures as nova_fixtures

from nova_coldmig.conductor import group_policy
from nova_coldmig.tests.functional import base


class CapacityTest(base.ColdmigTestCase):
    """Placement says what fits, and no one overrides it."""

    FULL = (
        "Placement has nothing on host host2 that holds the server: it is "
        "full or lacks a device or capability. Free some (see 'openstack "
        "resource provider usage show %s') or name another host.")

    def _refuses(self, resource_class, **inventory):
        server = self.boot('host1')
        self.set_inventory('host2', resource_class, **inventory)
        self.assertRefused(
            server, self.FULL % self._get_provider_uuid_by_name('host2'))

    def test_full(self):
        """By the servers that are there, to the last megabyte."""
        server = self.boot('host1')
        there = self.boot('host2')
        self.set_inventory(
            'host2', 'MEMORY_MB', allocation_ratio=1.0, reserved=0,
            total=2 * self.flavor['ram'] - 1)
        self.assertRefused(
            server, 'it is full', host1=server['id'], host2=there['id'])
        self.set_inventory('host2', 'MEMORY_MB', total=2 * self.flavor['ram'])
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')

    def test_reserved(self):
        self._refuses('VCPU', allocation_ratio=1.0, total=10, reserved=10)

    def test_max_unit(self):
        self._refuses('MEMORY_MB', max_unit=self.flavor['ram'] - 1)

    def test_step_size(self):
        self._refuses('DISK_GB', step_size=2)

    def test_min_unit(self):
        self._refuses('DISK_GB', min_unit=2)


class GroupTestCase(base.ColdmigTestCase):

    POLICY = 'anti-affinity'
    RULES = {}

    def setUp(self):
        super().setUp()
        self.group = self.api.post_server_groups({
            'name': self.POLICY, 'policy': self.POLICY, 'rules': self.RULES})

    def boot_member(self, host):
        body = self._build_server(
            flavor_id=self.flavor['id'], networks='none', host=host)
        server = self.api.post_server({
            'server': body,
            'os:scheduler_hints': {'group': self.group['id']}})
        server = self._wait_for_state_change(server, 'ACTIVE')
        self.scheduler_calls.clear()
        return server


class AntiAffinityTest(GroupTestCase):

    REASON = (
        "Force does not override the anti-affinity group %s of the server: "
        "host host2 runs or receives 1 of its members and may have 1. Name "
        "another host.")

    def test_member_there(self):
        server, member = self.boot_member('host1'), self.boot_member('host2')
        self.assertRefused(server, self.REASON % self.group['id'],
                           host1=server['id'], host2=member['id'])
        # A host without a member is fine.
        self.force(server, 'host3')
        self.assertMoved(server, 'host1', 'host3')

    def test_member_on_its_way_there(self):
        """It is not on the host before its source is done with it."""
        server, member = self.boot_member('host1'), self.boot_member('host3')
        done = self._hold('host3')
        self.migrate(member, 'host2', force=True)
        self._wait_for_migration_status(member, ['migrating'])
        self.assertOn(member, 'host3', 'RESIZE', 'resize_migrating')
        self.assertRefused(server, self.REASON % self.group['id'])
        done.set()
        self._wait_for_state_change(member, 'VERIFY_RESIZE')
        self.assertRefused(server, self.REASON % self.group['id'])

    def _hold(self, host):
        """Let a source wait before it sends a server on."""
        driver = self.computes[host].manager.driver
        done = threading.Event()
        self.addCleanup(done.set)
        migrate_disk_and_power_off = driver.migrate_disk_and_power_off

        def wait(*args, **kwargs):
            done.wait(60)
            return migrate_disk_and_power_off(*args, **kwargs)

        driver.migrate_disk_and_power_off = wait
        return done

    def test_unchecked_by_the_computes(self):
        """An option turns off the check of the computes, not this one."""
        self.flags(group='workarounds',
                   disable_group_policy_check_upcall=True)
        self.test_member_there()

    def test_its_own_host_again(self):
        """The server is no member in its own way."""
        server = self.boot_member('host1')
        for source, destination in (('host1', 'host2'), ('host2', 'host1')):
            self.force(server, destination)
            self.assertMoved(server, source, destination)
            self.confirm(server)

    def test_member_appears_before_the_conductor_looks(self):
        server = self.boot_member('host1')
        self.before_conductor(lambda _sent: self.boot_member('host2'))
        details = self.force_refused(server, 'host2')
        self.assertIn(self.REASON % self.group['id'], details)
        self.assertOn(server, 'host1')

    def test_upstream_member_appears_after_the_check(self):
        """A race that only the destination sees ends in ERROR.

        Nova means to roll back, and catches another exception than the one
        that is raised. Forced or not makes no difference.
        """
        server, member = self.boot_member('host1'), self.boot_member('host2')
        self.useFixture(fixtures.MonkeyPatch(
            '%s.check' % group_policy.__name__, lambda *args: None))
        self.migrate(server, 'host2', force=True)
        server = self._wait_for_state_change(server, 'ERROR')
        self._wait_for_migration_status(server, ['error'])
        self.assertIn('Anti-affinity', server['fault']['message'])
        self.assertOn(server, 'host1', 'ERROR')
        self.assertHeld(host1=server['id'], host2=member['id'])
        self.assertSchedulerCalls(0)


class MaxServerPerHostTest(GroupTestCase):

    RULES = {'max_server_per_host': 2}

    def test_as_many_as_allowed(self):
        server = self.boot_member('host1')
        self.boot_member('host2')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')

    def test_one_more_than_allowed(self):
        server = self.boot_member('host1')
        self.boot_member('host2')
        self.boot_member('host2')
        self.assertRefused(server, 'receives 2 of its members and may have 2')


class AffinityTest(GroupTestCase):

    POLICY = 'affinity'

    def test_members_elsewhere(self):
        server = self.boot_member('host1')
        self.boot_member('host1')
        self.assertRefused(
            server, "Force does not override the affinity group %s of the "
            "server: its other members are on host1. Name that host." %
            self.group['id'])

    def test_only_member(self):
        server = self.boot_member('host1')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')


class SoftPolicyTest(GroupTestCase):
    """A soft policy weighs, and force does not weigh."""

    POLICY = 'soft-anti-affinity'

    def test_moves(self):
        server = self.boot_member('host1')
        self.boot_member('host2')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')


class SoftAffinityTest(GroupTestCase):

    POLICY = 'soft-affinity'

    def test_moves(self):
        server = self.boot_member('host1')
        self.boot_member('host1')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')


class VolumeZoneTest(base.ColdmigTestCase):
    """Where volumes do not reach, a server with one does not go."""

    def setUp(self):
        super().setUp()
        self._zone('near', 'host3')
        self.far = self._zone('far', 'host2')

    def _zone(self, name, host):
        aggregate = self._create_aggregate(name, availability_zone=name)
        self.api.add_host_to_aggregate(aggregate, host)
        return aggregate

    def _boot_from_volume(self):
        server = self.boot_from_volume()
        self.resources = dict(self.resources)
        self.resources.pop('DISK_GB')
        return server

    def test_volume_elsewhere(self):
        server = self._boot_from_volume()
        self.flags(cross_az_attach=False, group='cinder')
        # The fixture's volumes are in the zone that hosts without one have.
        self.assertEqual(
            'Volume %s of the server is in availability zone nova and host '
            'host2 is in far, and [cinder]cross_az_attach forbids that. Name '
            'a host in nova.' % nova_fixtures.CinderFixture.IMAGE_BACKED_VOL,
            self.refused(server, 400, {'host': 'host2', 'force': True}))
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
        self.assertEqual([], self.migrations(server))

    def test_cinder_is_away(self):
        server = self._boot_from_volume()
        self.flags(cross_az_attach=False, group='cinder')
        volume = nova_fixtures.CinderFixture.IMAGE_BACKED_VOL
        for error, status, words in (
            (exception.CinderConnectionFailed(reason='gone'), 409,
             'Cinder did not answer whether the host may attach volume %s'),
            (cinder_exc.ClientException(503), 409,
             'Cinder did not answer whether the host may attach volume %s'),
            (exception.VolumeNotFound(volume_id=volume), 400,
             'Volume %s of the server is not in Cinder'),
        ):
            mend = self.replace('nova.volume.cinder.API.get',
                                mock.Mock(side_effect=error))
            self.assertIn(words % volume, self.refused(
                server, status, {'host': 'host2', 'force': True}))
            mend()
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
        self.assertEqual([], self.migrations(server))

    def test_attached_volume_elsewhere(self):
        """It need not be the volume that the server boots from."""
        server = self.boot('host1')
        self._attach(server, 200, 202)
        # From 2026.2 on it is attached after the answer.
        self._wait_for_assert(lambda: self.assertNotEqual(
            [], self.api.get_server(server['id'])[
                'os-extended-volumes:volumes_attached']))
        self.flags(cross_az_attach=False, group='cinder')
        self.assertIn(
            '[cinder]cross_az_attach forbids that',
            self.refused(server, 400, {'host': 'host2', 'force': True}))
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])

    def _attach(self, server, *status):
        self.api.api_post(
            '/servers/%s/os-volume_attachments' % server['id'],
            {'volumeAttachment': {
                'volumeId': nova_fixtures.CinderFixture.IMAGE_BACKED_VOL}},
            check_response_status=status)

    def test_no_volume_is_attached_meanwhile(self):
        """So the conductor need not look again."""
        server = self.boot('host1')
        self.flags(cross_az_attach=False, group='cinder')
        self.before_conductor(lambda _sent: self._attach(server, 409))
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')

    def test_upstream_unforced_move_does_not_look(self):
        """Nova looks at the zone that the server is pinned to, if it is."""
        server = self._boot_from_volume()
        self.flags(cross_az_attach=False, group='cinder')
        self.migrate(server, 'host2')
        self._wait_for_state_change(server, 'VERIFY_RESIZE')
        self.assertOn(server, 'host2', 'VERIFY_RESIZE')
        self.assertSchedulerCalls(1)

    def test_volume_in_the_same_zone(self):
        server = self._boot_from_volume()
        self.api.api_post('/os-aggregates/%s/action' % self.far,
                          {'remove_host': {'host': 'host2'}})
        self.flags(cross_az_attach=False, group='cinder')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')

    def test_volumes_reach_everywhere(self):
        server = self._boot_from_volume()
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')

    def test_no_volume(self):
        server = self.boot('host1')
        self.flags(cross_az_attach=False, group='cinder')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')


class ChangedMeanwhileTest(base.ColdmigTestCase):
    """What the API found in order, the conductor looks at again."""

    def _refuses(self, change, reason, **server):
        server = self.boot('host1', **server)
        self.before_conductor(lambda _sent: change())
        self.assertRefused(server, reason)

    def test_forced_down(self):
        self._refuses(
            lambda: self.force_down('host2'),
            'The nova-compute service of host host2 is down or forced down, '
            'and a forced cold migration needs it up. Start it, or unset its '
            'forced-down flag, or name another host.')

    def test_down(self):
        self._refuses(lambda: self.stop_heartbeat('host2'),
                      'host2 is down or forced down')

    def test_other_hypervisor(self):
        def change():
            with self.cell_context() as context:
                node = self.node_record(context, 'host2')
                node.hypervisor_type = 'other'
                node.save()

        self._refuses(
            change,
            "The hypervisor of compute host host2 is other and the server's "
            "is fake. Name a host with the same hypervisor.")

    def test_image_that_it_can_not_run(self):
        image = self._create_image({'hw_architecture': 'x86_64'})
        self._refuses(
            lambda: self.make_foreign('host2'),
            'Compute host host2 can not run the image of the server, which '
            'asks for hw_architecture=x86_64. Name a host that can.',
            image_uuid=image['id'])

    def test_second_node(self):
        def change():
            with self.cell_context() as context:
                self.add_node(context, 'host2')

        self._refuses(change, 'host2 manages 2 compute nodes')

    def test_gone(self):
        def change():
            with self.cell_context() as context:
                self.node_record(context, 'host2').destroy()

        self._refuses(change, 'host2 has no compute node in the cell')

    def test_disabled(self):
        """Which is nothing that force minds."""
        def change(_sent):
            with self.cell_context() as context:
                service = self.service_record(context, 'host2')
                service.disabled = True
                service.save()

        server = self.boot('host1')
        self.before_conductor(change)
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2',
                         'its compute service is disabled')


class AcceleratorTest(base.ColdmigTestCase):
    """Nova can not cold migrate what Cyborg gave, forced or not."""

    def test_device_profile(self):
        server = self.boot('host1')
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, server['id'], expected_attrs=['flavor'])
            instance.flavor.extra_specs['accel:device_profile'] = 'fpga'
            instance.save()
        for migrate in ({'host': 'host2'}, {'host': 'host2', 'force': True}):
            self.refused(server, 400, migrate)
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
        self.assertSchedulerCalls(0)
