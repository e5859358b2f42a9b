# SPDX-License-Identifier: Apache-2.0

"""Servers with ports that need bandwidth or packets per second.

Each resource that a port needs is taken of one of the destination's network
devices, and the port is told of which.
"""

from nova.compute import api as compute
from nova.network import constants
from nova import objects
from nova.tests.functional import test_servers_resource_request as upstream

from nova_coldmig.tests.functional import base


class QosPortMixin(base.ColdmigMixin):
    """Two hosts with Open vSwitch and SR-IOV devices of two networks."""

    def setUp(self):
        super().setUp()
        self._start_compute('host2')
        provider = self._get_provider_uuid_by_name('host2')
        self._create_networking_rp_tree('host2', provider)
        self.resources = self._resources_from_flavor(
            self.flavor_with_group_policy)

    def _boot(self, *ports):
        server = self._create_server_with_ports(*ports)
        self.scheduler_calls.clear()
        self.assertPorts(ports, 'host1')
        return server

    def _took(self, ports, host):
        """Tell what a server with ports takes, by provider name."""
        took = {host: self.resources}
        for port in ports:
            for group, provider in self._providers(port, host).items():
                name = self._get_resource_provider_by_uuid(provider)['name']
                took[name] = self._groups(port)[group]['resources']
        return took

    def _providers(self, port, host):
        """Tell of which provider each group of a port is taken."""
        root = self._get_provider_uuid_by_name(host)
        providers = {}
        for group, request in self._groups(port).items():
            if port['binding:vnic_type'] != 'normal':
                provider = self.sriov_dev_rp_per_host[root][self.PF2]
            elif 'NET_BW_IGR_KILOBIT_PER_SEC' in request['resources']:
                provider = self.ovs_bridge_rp_per_host[root]
            else:
                provider = self.ovs_agent_rp_per_host[root]
            providers[group] = provider
        return providers

    def _groups(self, port):
        """List the request groups of a port, by id."""
        request = self._port(port).get(constants.RESOURCE_REQUEST) or {}
        if 'request_groups' in request:
            return {group['id']: group
                    for group in request['request_groups']}
        return {port['id']: request} if request else {}

    def _port(self, port):
        return self.neutron.show_port(port['id'])['port']

    def assertPorts(self, ports, host):
        """Check that the profile of each port names providers of a host."""
        for port in ports:
            profile = self._port(port)['binding:profile']
            providers = self._providers(port, host)
            if not providers:
                self.assertNotIn('allocation', profile)
            elif self.SEVERAL_GROUPS:
                self.assertEqual(providers, profile['allocation'])
            else:
                self.assertEqual(
                    providers[port['id']], profile['allocation'])

    def _moves(self, *ports):
        server = self._boot(*ports)
        self.force(server, 'host2')
        self.assertMoved(
            server, 'host1', 'host2', took=self._took(ports, 'host2'))
        self.assertPorts(ports, 'host2')
        return server

    def _confirms(self, *ports):
        server = self._moves(*ports)
        self.confirm(server, took=self._took(ports, 'host2'))
        self.assertPorts(ports, 'host2')
        return server

    def test_one_port(self):
        self._confirms(self.neutron.port_with_resource_request)

    def test_port_without_request(self):
        self._confirms(self.neutron.port_1)

    def test_several_ports(self):
        self._confirms(
            self.neutron.port_1, self.neutron.port_with_resource_request,
            self.neutron.port_with_sriov_resource_request)

    def test_device_of_the_port(self):
        """The virtual function is one of the device that Placement chose."""
        server = self._moves(self.neutron.port_with_sriov_resource_request)
        with self.cell_context() as context:
            requests = objects.InstancePCIRequests.get_by_instance_uuid(
                context, server['id']).requests
        self.assertEqual(
            ['host2-ens2'],
            [request.spec[0]['parent_ifname'] for request in requests])

    def test_revert(self):
        ports = (self.neutron.port_with_resource_request,
                 self.neutron.port_with_sriov_resource_request)
        server = self._moves(*ports)
        self.revert(server)
        self.assertPorts(ports, 'host1')

    def test_no_bandwidth(self):
        """What the device has not got, force does not make."""
        ports = (self.neutron.port_with_resource_request,)
        server = self._boot(*ports)
        root = self._get_provider_uuid_by_name('host2')
        bridge = self._get_resource_provider_by_uuid(
            self.ovs_bridge_rp_per_host[root])['name']
        self.set_inventory(bridge, 'NET_BW_IGR_KILOBIT_PER_SEC', total=999)
        self.assertRefused(server, 'it is full or lacks a device')
        self.assertPorts(ports, 'host1')

    def test_wrong_network(self):
        """The traits of a port are never left out."""
        ports = (self.neutron.port_with_resource_request,)
        server = self._boot(*ports)
        root = self._get_provider_uuid_by_name('host2')
        self._set_provider_traits(
            self.ovs_bridge_rp_per_host[root],
            [self.CUSTOM_VNIC_TYPE_NORMAL])
        self.assertRefused(server, 'lacks a device or capability')
        self.assertPorts(ports, 'host1')


class QosPortTest(
        QosPortMixin, upstream.PortResourceRequestBasedSchedulingTestBase):

    SEVERAL_GROUPS = False


class SeveralGroupsTest(
        QosPortMixin,
        upstream.ExtendedPortResourceRequestBasedSchedulingTestBase):
    """A port may need bandwidth and packets, of devices of one subtree."""

    SEVERAL_GROUPS = True

    def setUp(self):
        super().setUp()
        self.neutron = self.useFixture(
            upstream.MultiGroupResourceRequestNeutronFixture(self))

    def test_same_subtree(self):
        """Packets of one agent and bandwidth of another would not do."""
        ports = (self.neutron.port_with_resource_request,)
        server = self._boot(*ports)
        root = self._get_provider_uuid_by_name('host2')
        self._set_provider_inventories(
            self.ovs_agent_rp_per_host[root], {'inventories': {}})
        self._create_pf_device_rp(
            upstream.uuids.other_agent, root,
            {'NET_PACKET_RATE_KILOPACKET_PER_SEC': {'total': 10000}},
            [self.CUSTOM_VNIC_TYPE_NORMAL])
        self.assertRefused(server, 'lacks a device or capability')

    def test_old_compute(self):
        """One that does not know several groups might be the destination."""
        ports = (self.neutron.port_with_resource_request,)
        server = self._boot(*ports)
        before = self.held()
        oldest = compute.MIN_COMPUTE_MOVE_WITH_EXTENDED_RESOURCE_REQUEST
        self.replace(
            'nova.objects.service.get_minimum_version_all_cells',
            lambda *args, **kwargs: oldest - 1)
        for migrate in ({'host': 'host2'}, {'host': 'host2', 'force': True}):
            self.assertIn('not supported by old nova compute service',
                          self.refused(server, 400, migrate))
        self.assertOn(server, 'host1')
        self.assertEqual(before, self.held())
        self.assertPorts(ports, 'host1')
