# SPDX-License-Identifier: Apache-2.0

"""Servers with a virtual GPU, of one of two types."""

from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import test_vgpu

from nova_coldmig.tests.functional.libvirt import base


class VgpuTest(base.LibvirtMixin, base.without_tests(
        test_vgpu.VGPUMultipleTypesTests)):
    """The type is a trait of the provider of each physical GPU."""

    #: The trait of each type, and the name of the GPU that has it.
    GPUS = {
        'CUSTOM_NVIDIA_11': fakelibvirt.MDEVCAP_DEV1_PCI_ADDR,
        'CUSTOM_NVIDIA_12': fakelibvirt.MDEVCAP_DEV2_PCI_ADDR,
    }

    def setUp(self):
        super().setUp()
        self.flags(device_addresses=[self.libvirt2pci_address(
            self.GPUS['CUSTOM_NVIDIA_12'])], group='mdev_nvidia-12')
        for host in ('host2', 'host3'):
            self.start_compute_with_vgpu(
                host, fakelibvirt.HostPCIDevicesInfo(
                    num_pci=0, num_pfs=0, num_vfs=0, num_mdevcap=2,
                    multiple_gpu_types=True))
            for trait, gpu in self.GPUS.items():
                self._set_provider_traits(
                    self._get_provider_uuid_by_name(
                        '%s_%s' % (host, gpu)), [trait])
        self.resources = {'VCPU': 2, 'MEMORY_MB': 2048, 'DISK_GB': 20}

    def _moves(self, trait):
        flavor = self._create_flavor(extra_spec={
            'resources:VGPU': '1', 'trait:' + trait: 'required'})
        server = self.boot('host2', flavor)
        self.force(server, 'host3')
        took = {'host3': self.resources,
                'host3_' + self.GPUS[trait]: {'VGPU': 1}}
        self.assertMoved(server, 'host2', 'host3', took=took)
        return server, took

    def test_first_type(self):
        server, took = self._moves('CUSTOM_NVIDIA_11')
        self.confirm(server, took=took)

    def test_second_type(self):
        self._moves('CUSTOM_NVIDIA_12')

    def test_type_of_a_group(self):
        """In a numbered group the trait is never left out."""
        flavor = self._create_flavor(extra_spec={
            'resources1:VGPU': '1',
            'trait1:CUSTOM_NVIDIA_12': 'required'})
        server = self.boot('host2', flavor)
        gpu = 'host3_' + self.GPUS['CUSTOM_NVIDIA_12']
        self.set_inventory(gpu, 'VGPU', reserved=16, total=16)
        self.assertRefused(
            server, 'it is full or lacks a device', host='host3')
