# SPDX-License-Identifier: Apache-2.0

"""Servers with accelerators, which Nova can not cold migrate.

What Nova refuses it refuses with force too, and in the same words.
"""

from nova.tests.functional import test_servers

from nova_coldmig.tests.functional import base


class AcceleratorTest(
        base.ColdmigMixin, test_servers.AcceleratorServerBase):
    """Two hosts with devices of Cyborg."""

    NUM_HOSTS = 2

    def _refuses(self, server, message):
        self.scheduler_calls.clear()
        before = self.held()
        source = server['OS-EXT-SRV-ATTR:host']
        host, = set(self.computes) - {source}
        for migrate in ({'host': host}, {'host': host, 'force': True}):
            self.assertEqual(message, self.refused(server, 400, migrate))
        self.assertOn(server, source)
        self.assertEqual([], self.migrations(server))
        self.assertEqual(before, self.held())
        # The devices are there, and what held them holds them still.
        self._check_allocations_usage(server)
        self.assertSchedulerCalls(0)

    def test_device_profile(self):
        server = self._create_server(
            flavor_id=self._create_acc_flavor(), networks='none')
        self._refuses(
            server, 'Feature not supported with instances that have '
            'accelerators.')

    def test_port(self):
        self.neutron._networks[
            self.neutron.network_2['id']] = self.neutron.network_2
        self.neutron._subnets[
            self.neutron.subnet_2['id']] = self.neutron.subnet_2
        port = self.neutron.ports_with_accelerator[0]
        self.neutron._ports[port['id']] = dict(port)
        server = self._create_server(
            flavor_id=self._create_flavor(), networks=[{'port': port['id']}])
        bound = self.neutron.show_port(port['id'])['port']['binding:profile']
        self.assertIn('arq_uuid', bound)
        self._refuses(
            server, 'Feature not supported with Ports that have '
            'accelerators.')
        self.assertEqual(
            bound,
            self.neutron.show_port(port['id'])['port']['binding:profile'])
