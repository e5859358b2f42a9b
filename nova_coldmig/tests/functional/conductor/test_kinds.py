# SPDX-License-Identifier: Apache-2.0

"""Servers that need more, or less, than their flavor says at first sight.

Those that need what only a hypervisor has are with libvirt.
"""

from nova.tests import fixtures as nova_fixtures

from nova_coldmig.tests.functional import base


class DiskTest(base.ColdmigTestCase):

    def _boot(self, volume=None, **flavor):
        flavor = self._create_flavor(memory_mb=512, vcpu=1, **flavor)
        body = self._build_server(
            flavor_id=flavor, networks='none', host='host1',
            image_uuid='' if volume else None)
        if volume:
            body['block_device_mapping_v2'] = [{
                'source_type': 'volume', 'destination_type': 'volume',
                'boot_index': 0, 'uuid': volume}]
        server = self._wait_for_state_change(
            self.api.post_server({'server': body}), 'ACTIVE')
        self.scheduler_calls.clear()
        return server

    def _moves(self, server, disk):
        self.resources = {'VCPU': 1, 'MEMORY_MB': 512}
        if disk:
            self.resources['DISK_GB'] = disk
        self.assertHeld(host1=server['id'])
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self.confirm(server)

    def test_swap_and_ephemeral(self):
        self._moves(self._boot(disk=1, ephemeral=2, swap=1024), 4)

    def test_volume(self):
        volume = nova_fixtures.CinderFixture.IMAGE_BACKED_VOL
        server = self._boot(volume, disk=10, ephemeral=0)
        self._moves(server, 0)
        self.assertEqual([volume], [
            entry['id'] for entry in self.api.get_server(server['id'])[
                'os-extended-volumes:volumes_attached']])

    def test_volume_and_swap_and_ephemeral(self):
        volume = nova_fixtures.CinderFixture.IMAGE_BACKED_VOL
        self._moves(self._boot(volume, disk=10, ephemeral=2, swap=1024), 3)

    def test_volume_to_a_host_without_disk(self):
        """What a server does not need its destination need not have."""
        volume = nova_fixtures.CinderFixture.IMAGE_BACKED_VOL
        server = self._boot(volume, disk=10, ephemeral=0)
        inventory = self.placement.get(
            '/resource_providers/%s/inventories/DISK_GB' %
            self._get_provider_uuid_by_name('host2')).body
        self.set_inventory('host2', 'DISK_GB', reserved=inventory['total'])
        self._moves(server, 0)


class MemoryEncryptionTest(base.ColdmigTestCase):
    """Slots for encrypted guests, of the host or of a provider below it."""

    SEV = 'HW_CPU_X86_AMD_SEV'
    SEV_ES = 'HW_CPU_X86_AMD_SEV_ES'

    def _boot(self):
        image = self._create_image({
            'hw_firmware_type': 'uefi', 'hw_machine_type': 'q35'})
        flavor = self._create_flavor(
            memory_mb=512, vcpu=1, disk=1, ephemeral=0,
            extra_spec={'hw:mem_encryption': 'True'})
        return self.boot('host1', flavor_id=flavor, image_uuid=image['id'])

    def _add_slots(self, host, name, trait):
        return self.add_provider(
            host, name, trait, MEM_ENCRYPTION_CONTEXT=1)

    def test_moves(self):
        for host in self.hosts:
            self._add_slots(host, 'sev', self.SEV)
        server = self._boot()
        self.force(server, 'host2')
        took = {'host2': self.resources,
                'host2_sev': {'MEM_ENCRYPTION_CONTEXT': 1}}
        self.assertMoved(server, 'host1', 'host2', took=took)
        self.confirm(server, took=took)

    def test_no_slot(self):
        for host in self.hosts:
            self._add_slots(host, 'sev', self.SEV)
        server = self._boot()
        self.set_inventory(
            'host2_sev', 'MEM_ENCRYPTION_CONTEXT', reserved=1)
        self.assertRefused(server, 'it is full or lacks a device')

    def test_slot_of_another_model(self):
        """The trait of the model is never left out."""
        base.since(self, 32, 'models of memory encryption')
        self._add_slots('host1', 'sev', self.SEV)
        self._add_slots('host2', 'sev-es', self.SEV_ES)
        server = self._boot()
        self.assertRefused(server, 'lacks a device or capability')
