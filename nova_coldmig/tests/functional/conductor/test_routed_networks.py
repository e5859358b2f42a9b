# SPDX-License-Identifier: Apache-2.0

"""Servers with ports of a routed network, whose subnets are of segments.

A segment is an aggregate in Placement of the hosts that have it. Whether
Nova looks at them is an option, for forced moves as for all others.
"""

from nova.tests.functional import test_routed_networks

from nova_coldmig.tests.functional import base

OPTION = 'query_placement_for_routed_network_aggregates'


class RoutedNetworkTest(base.ColdmigMixin, base.without_tests(
        test_routed_networks.RoutedNetworkTests)):
    """Five hosts: 2, 4 and 5 have the first segment, 3 and 5 the second."""

    REASON = (
        "Host %s is not on the network segments of the server's ports, which "
        'would not work there')

    def _boot(self, host, *ports):
        server = self._create_server(
            networks=[{'port': port['id']} for port in ports])
        self.assertEqual(host, server['OS-EXT-SRV-ATTR:host'])
        self.scheduler_calls.clear()
        self.resources = self._resources_from_flavor(server['flavor'])
        return server

    def _resources_from_flavor(self, flavor):
        return {'VCPU': flavor['vcpus'], 'MEMORY_MB': flavor['ram'],
                'DISK_GB': flavor['disk'] + flavor['ephemeral']}

    def _boot_on_second_segment(self):
        return self._boot('host3', self.neutron.port_on_segment_id_2)

    def test_host_with_the_segment(self):
        server = self._boot_on_second_segment()
        self.force(server, 'host5')
        self.assertMoved(server, 'host3', 'host5')
        self.confirm(server)

    def test_hosts_without_the_segment(self):
        """The scheduler refuses them, and so does force."""
        server = self._boot_on_second_segment()
        for host in ('host1', 'host2', 'host4'):
            self.assertRefused(server, self.REASON % host, host=host)
        self.migrate(server, 'host4')
        self.wait_for_error(server, 'conductor_migrate_server')
        self.assertOn(server, 'host3')
        self.assertSchedulerCalls(1)

    def test_ports_on_both_segments(self):
        """Only one host has both, and a server that is there stays."""
        server = self._boot(
            'host5', self.neutron.port_on_segment_id_0,
            self.neutron.port_on_segment_id_2)
        for host in ('host2', 'host3'):
            self.assertRefused(server, self.REASON % host, host=host)

    def test_segment_that_placement_does_not_know(self):
        server = self._boot_on_second_segment()
        self._forget(self.neutron.segment_id_2['id'])
        self.assertRefused(
            server, 'Scheduling failed: Aggregates not found for the subnet '
            '%s. Nova would place the server nowhere; mend that, then migrate '
            'again.' % self.neutron.subnet_for_segment_id_2['id'],
            host='host5')

    def _forget(self, segment):
        """Take a segment out of its aggregate."""
        url = '/resource_providers/%s/aggregates' % segment
        aggregates = self.placement.get(url, version='1.20').body
        response = self.placement.put(
            url, dict(aggregates, aggregates=[]), version='1.20')
        self.assertEqual(200, response.status, response.body)

    def test_where_nova_does_not_look(self):
        """By default segments are no matter of Nova's, forced or not."""
        server = self._boot_on_second_segment()
        self.flags(group='scheduler', **{OPTION: False})
        self.force(server, 'host4')
        self.assertMoved(server, 'host3', 'host4')
