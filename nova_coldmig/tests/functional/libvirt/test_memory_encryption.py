# SPDX-License-Identifier: Apache-2.0

"""Guests whose memory AMD SEV encrypts, with what libvirt tells of the host.

The slots are the host's own up to 2025.1, and of a provider below it since.
"""

import fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import base as upstream

from nova_coldmig.tests.functional.libvirt import base

SLOTS = 'MEM_ENCRYPTION_CONTEXT'


class MemoryEncryptionTest(base.LibvirtMixin, upstream.ServersTestBase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova.virt.libvirt.host.Host._kernel_supports_amd_sev',
            lambda host, model='sev': model == 'sev'))
        connection = fakelibvirt.virConnect
        self.useFixture(fixtures.MockPatchObject(
            connection, '_domain_capability_features',
            new=connection._domain_capability_features_with_SEV))
        for host in ('compute1', 'compute2'):
            self.start_compute(hostname=host)
        image = self._create_image({
            'hw_firmware_type': 'uefi', 'hw_machine_type': 'q35'})
        flavor = self._create_flavor(
            vcpu=1, memory_mb=1024, disk=1,
            extra_spec={'hw:mem_encryption': 'True'})
        self.server = self.boot('compute1', flavor, image_uuid=image['id'])
        held = self.held_by_server()
        self.assertEqual({1}, {
            resources[SLOTS] for resources in held.values()
            if SLOTS in resources})
        self.took = {provider.replace('compute1', 'compute2'): resources
                     for provider, resources in held.items()}

    def held_by_server(self):
        """Read what the server holds, by provider."""
        return {provider: consumers[self.server['id']]
                for provider, consumers in self.held().items()
                if self.server['id'] in consumers}

    def slots(self):
        """Return the provider that has the slots of the destination."""
        provider, = (provider for provider, resources in self.took.items()
                     if SLOTS in resources)
        return provider

    def test_moves(self):
        self.force(self.server, 'compute2')
        self.assertMoved(
            self.server, 'compute1', 'compute2', took=self.took)
        self.confirm(self.server, took=self.took)

    def test_reverts(self):
        self.force(self.server, 'compute2')
        self.assertMoved(
            self.server, 'compute1', 'compute2', took=self.took)
        self.revert(self.server)

    def test_no_slot(self):
        url = '/resource_providers/%s/inventories/%s' % (
            self._get_provider_uuid_by_name(self.slots()), SLOTS)
        total = self.placement.get(url).body['total']
        self.set_inventory(self.slots(), SLOTS, reserved=total)
        self.assertRefused(
            self.server, 'it is full or lacks a device', host='compute2')
