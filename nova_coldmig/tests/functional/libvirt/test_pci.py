# SPDX-License-Identifier: Apache-2.0

"""Servers with PCI devices that Placement knows."""

from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import test_pci_sriov_servers

from nova_coldmig.tests.functional.libvirt import base

CLASS = test_pci_sriov_servers.PCIServersTest.PCI_RC


class PciTestCase(base.LibvirtMixin, base.without_tests(
        test_pci_sriov_servers.PCIServersTest)):
    """Two hosts with devices; those of the second are in both NUMA cells."""

    def setUp(self):
        super().setUp()
        self.configure()
        for host in ('compute1', 'compute2'):
            self.start_compute(
                hostname=host, host_info=fakelibvirt.HostInfo(
                    cpu_nodes=2, cpu_sockets=1, cpu_cores=2, cpu_threads=2),
                pci_info=self.devices(host))
        self.resources = {'VCPU': 2, 'MEMORY_MB': 1024, 'DISK_GB': 1}

    def configure(self):
        """Set the options of the hosts."""

    def devices(self, host):
        return fakelibvirt.HostPCIDevicesInfo(num_pci=2)

    def flavor(self, count=1, vcpu=2, **extra_specs):
        if count:
            extra_specs['pci_passthrough:alias'] = '%s:%d' % (
                self.ALIAS_NAME, count)
        return self._create_flavor(
            memory_mb=1024, vcpu=vcpu, disk=1, ephemeral=0,
            extra_spec=extra_specs)

    def device(self, host, slot):
        return '%s_0000:81:%02x.0' % (host, slot)

    def claimed(self, server, host):
        """List the devices of a host that a server has, as providers."""
        with self.cell_context() as context:
            devices = base.base.objects.PciDeviceList.get_by_compute_node(
                context, self.node_record(context, host).id)
        return {'%s_%s' % (host, device.address) for device in devices
                if device.instance_uuid == server['id']}

    def assertDevices(self, server, host, *slots):
        """Check that a server has what it holds in Placement."""
        providers = {self.device(host, slot) for slot in slots}
        self.assertEqual(providers, self.claimed(server, host))
        took = {provider: {CLASS: 1} for provider in providers}
        took[host] = self.resources
        return took


class AliasTest(PciTestCase):

    def test_all_of_two(self):
        server = self.boot('compute1', self.flavor(2))
        self.force(server, 'compute2')
        took = self.assertDevices(server, 'compute2', 0, 1)
        self.assertMoved(server, 'compute1', 'compute2', took=took)
        self.confirm(server, took=took)
        self.assertEqual(set(), self.claimed(server, 'compute1'))

    def test_revert(self):
        server = self.boot('compute1', self.flavor(2))
        self.force(server, 'compute2')
        self.assertMoved(
            server, 'compute1', 'compute2',
            took=self.assertDevices(server, 'compute2', 0, 1))
        self.revert(server)
        self.assertDevices(server, 'compute1', 0, 1)
        self.assertEqual(set(), self.claimed(server, 'compute2'))

    def test_too_few(self):
        self.boot('compute2', self.flavor(1))
        server = self.boot('compute1', self.flavor(2))
        self.assertRefused(
            server, 'Placement has nothing on host compute2 that holds the '
            'server: it is full or lacks a device', host='compute2')

    def test_devices_of_another_owner(self):
        """A device that is not Nova's is not taken for one."""
        base.base.since(self, 34, 'traits for the owner of a device')
        server = self.boot('compute1', self.flavor(1))
        for slot in range(2):
            provider = self._get_provider_uuid_by_name(
                self.device('compute2', slot))
            self.placement.delete(
                '/resource_providers/%s/traits' % provider, version='1.6')
        self.assertRefused(
            server, 'lacks a device or capability', host='compute2')

    def test_upstream_claim_does_not_follow_the_allocation(self):
        """Nova claims a device of its own choice, not the one allocated.

        Here the first device is reserved in Placement, as for maintenance,
        and free in the database. Forced or not, the server ends in ERROR on
        its source, and what it holds is as before.
        """
        self._reserve_placement_resource(
            self.device('compute2', 0), CLASS, 1)
        server = self.boot('compute1', self.flavor(1))
        before = self.held()
        self.migrate(server, 'compute2', force=True)
        self._wait_for_state_change(server, 'ERROR')
        self._wait_for_migration_status(server, ['error'])
        self.assertOn(server, 'compute1', 'ERROR')
        self._wait_for_assert(
            lambda: self.assertEqual(before, self.held()))


class CellTest(PciTestCase):
    """Of two devices only the one beside the free CPUs will do.

    Placement does not know of cells, so the candidates are tried against
    them before one is claimed.
    """

    def configure(self):
        self.flags(cpu_dedicated_set='0-7', group='compute')

    def devices(self, host):
        devices = fakelibvirt.HostPCIDevicesInfo(num_pci=0)
        for cell in range(2):
            devices.add_device(
                dev_type='PCI', bus=0x81, slot=cell, function=0,
                iommu_group=42 + cell, numa_node=cell)
        return devices

    def setUp(self):
        super().setUp()
        self.resources = {'PCPU': 4, 'MEMORY_MB': 1024, 'DISK_GB': 1}

    def pinned_flavor(self, count=1):
        return self.flavor(count, vcpu=4, **{'hw:cpu_policy': 'dedicated'})

    def _fill(self, cell):
        """Take the CPUs of a cell of the destination."""
        for _cell in range(2):
            server = self.boot('compute2', self.pinned_flavor(0))
            (filled, _cpus), = self.pinned(server)
            if filled == cell:
                break
        else:
            self.fail('no server went to cell %d' % cell)
        for other in self.api.get_servers():
            if other['id'] != server['id']:
                self._delete_server(other)

    def _moves(self, free):
        self._fill(1 - free)
        server = self.boot('compute1', self.pinned_flavor())
        self.force(server, 'compute2')
        self.assertMoved(
            server, 'compute1', 'compute2',
            took=self.assertDevices(server, 'compute2', free))
        (cell, _cpus), = self.pinned(server)
        self.assertEqual(free, cell)

    def test_first(self):
        self._moves(0)

    def test_second(self):
        self._moves(1)

    def test_none(self):
        """A device in one cell and CPUs in the other are not enough."""
        self._fill(0)
        self._reserve_placement_resource(
            self.device('compute2', 1), CLASS, 1)
        server = self.boot('compute1', self.pinned_flavor())
        self.assertRefused(
            server, 'The NUMA cells or PCI devices that are free on host '
            'compute2 do not fit the server', host='compute2')
