# SPDX-License-Identifier: Apache-2.0

"""Servers that are forced to a host, from the request to the end."""

from nova.scheduler import filters

from nova_coldmig.tests.functional import base


class RefuseHost2(filters.BaseHostFilter):
    """A filter of a deployment's own."""

    RUN_ON_REBUILD = False

    def host_passes(self, host_state, spec_obj):
        return host_state.host != 'host2'


class ForcedMoveTestCase(base.ColdmigTestCase):

    def unforced_refused(self, server, host):
        """Show that the scheduler refuses what is forced next."""
        self.migrate(server, host)
        self._wait_for_action_fail_completion(
            server, 'migrate', 'conductor_migrate_server')
        self.assertOn(server, 'host1')
        self.assertSchedulerCalls(1)
        self.scheduler_calls.clear()


class ForcedMoveTest(ForcedMoveTestCase):

    def test_confirm(self):
        server = self.boot('host1')
        self.assertHeld(host1=server['id'])
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self._confirm_resize(server)
        self.assertOn(server, 'host2')
        self.assertHeld(host2=server['id'])
        self.assertEqual('confirmed', self.last_migration(server)['status'])
        self.assertSchedulerCalls(0)

    def test_revert(self):
        server = self.boot('host1')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self._revert_resize(server)
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
        self.assertEqual('reverted', self.last_migration(server)['status'])
        self.assertSchedulerCalls(0)

    def test_stopped_server_stays_stopped(self):
        server = self.boot('host1')
        self._stop_server(server)
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self.api.post_server_action(server['id'], {'confirmResize': None})
        self._wait_for_state_change(server, 'SHUTOFF')
        self.assertOn(server, 'host2', 'SHUTOFF')
        self.assertHeld(host2=server['id'])

    def test_without_a_scheduler(self):
        """No spy can prove it as well as there being none."""
        server = self.boot('host1')
        self.scheduler_service.stop()
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self._confirm_resize(server)
        self.assertHeld(host2=server['id'])

    def test_to_and_fro(self):
        """No move leaves anything that the next one trips over."""
        server = self.boot('host1')
        for source, destination in (
                ('host1', 'host2'), ('host2', 'host3'), ('host3', 'host1')):
            self.force(server, destination)
            self.assertMoved(server, source, destination)
            self._confirm_resize(server)
            self.assertHeld(**{destination: server['id']})

    def test_to_a_disabled_host(self):
        """The main use: fill a host that no one else may fill, or empty it."""
        server = self.boot('host1')
        self._set_disabled('host2')
        self.unforced_refused(server, 'host2')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2',
                         'its compute service is disabled')

    def test_from_a_disabled_host(self):
        server = self.boot('host1')
        self._set_disabled('host1')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')

    def _set_disabled(self, host):
        service = self.api.get_services(
            host=host, binary='nova-compute')[0]
        self.api.put_service(service['id'], {'status': 'disabled'})

    def test_delete_after_a_forced_move(self):
        server = self.boot('host1')
        self.force(server, 'host2')
        self._delete_server(server)
        self.assertHeld()


class BypassTest(ForcedMoveTestCase):
    """What the deployment's policy refuses, force does not ask about."""

    def setUp(self):
        self.flags(
            group='filter_scheduler',
            available_filters=[
                'nova.scheduler.filters.all_filters',
                '%s.%s' % (RefuseHost2.__module__, RefuseHost2.__name__)],
            enabled_filters=['ComputeFilter', 'RefuseHost2'])
        self.flags(group='scheduler',
                   limit_tenants_to_placement_aggregate=True,
                   enable_isolated_aggregate_filtering=True)
        super().setUp()

    def _aggregate(self, name, hosts, **metadata):
        aggregate = self.api.post_aggregate({'aggregate': {
            'name': name,
            'availability_zone': metadata.pop('availability_zone', None)}})
        self.api.post_aggregate_action(
            aggregate['id'], {'set_metadata': {'metadata': metadata}})
        for host in hosts:
            self.api.add_host_to_aggregate(aggregate['id'], host)

    def test_filter(self):
        server = self.boot('host1')
        self.unforced_refused(server, 'host2')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')

    def test_availability_zone(self):
        self._aggregate('a', ['host1'], availability_zone='a')
        self._aggregate('b', ['host3'], availability_zone='b')
        # The one of a server that names a zone, as few do, is pinned.
        server = self._create_server(
            az='a', networks='none', flavor_id=self.flavor['id'])
        self.scheduler_calls.clear()
        self.unforced_refused(server, 'host3')
        self.force(server, 'host3')
        self.assertMoved(
            server, 'host1', 'host3', 'it is not in the availability zone '
            'that the server is pinned to')
        self.assertEqual('b', self.api.get_server(
            server['id'])['OS-EXT-AZ:availability_zone'])

    def test_tenant_isolation(self):
        server = self.boot('host1')
        self._aggregate(
            'mine', ['host1', 'host2'], filter_tenant_id=server['tenant_id'])
        self.unforced_refused(server, 'host3')
        self.force(server, 'host3')
        self.assertMoved(server, 'host1', 'host3',
                         "it is not in an aggregate of the server's project")

    def test_isolated_aggregate(self):
        server = self.boot('host1')
        self._aggregate(
            'licensed', ['host3'], **{'trait:CUSTOM_LICENSE': 'required'})
        self.unforced_refused(server, 'host3')
        self.force(server, 'host3')
        self.assertMoved(
            server, 'host1', 'host3',
            'it is in an aggregate kept for servers with other traits')


class RefusedMoveTest(ForcedMoveTestCase):
    """What force never bypasses is refused, and the server untouched."""

    def test_full_host(self):
        server = self.boot('host1')
        self.set_inventory('host2', 'VCPU', allocation_ratio=1.0, reserved=10)
        self.assertRefused(
            server, "Placement has nothing on host host2 that holds the "
            "server: it is full")

    def test_move_after_a_refused_one(self):
        """A refusal leaves nothing that a later move trips over."""
        self.test_full_host()
        server, = self.api.get_servers()
        self.force(server, 'host3')
        self._confirm_resize(server)
        self.assertHeld(host3=server['id'])
