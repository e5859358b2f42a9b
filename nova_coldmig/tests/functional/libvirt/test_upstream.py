# SPDX-License-Identifier: Apache-2.0

"""Tests of Nova for cold migration, with force.

They know best what each kind of server needs on its new host.
"""

from nova.tests.functional.libvirt import test_numa_servers
from nova.tests.functional.libvirt import test_pci_sriov_servers
from nova.tests.functional.libvirt import test_vtpm
from oslo_utils import importutils

from nova_coldmig.tests.functional.libvirt import base

test_server_shares = importutils.try_import(
    'nova.tests.functional.libvirt.test_server_shares')
test_stateless_firmware = importutils.try_import(
    'nova.tests.functional.libvirt.test_stateless_firmware')


class PinnedTest(base.forced(
        test_numa_servers.NUMAServersTest,
        'test_resize_dedicated_policy_race_on_dest_bug_1953359')):
    pass


class PciTest(base.forced(
        test_pci_sriov_servers.PCIServersTest,
        'test_cold_migrate_server_with_pci')):
    pass


class SriovTest(base.forced(
        test_pci_sriov_servers.SRIOVServersTest,
        'test_cold_migrate_server_with_neutron',
        'test_cold_migrate_and_rever_server_with_neutron')):
    pass


class VdpaTest(base.forced(
        test_pci_sriov_servers.VDPAServersTest, 'test_cold_migrate')):
    pass


class RemoteManagedTest(base.forced(
        test_pci_sriov_servers.RemoteManagedServersTest,
        'test_cold_migrate_server_with_neutron',
        'test_cold_migrate_server_with_neutron_revert')):
    pass


class VtpmTest(base.forced(
        test_vtpm.VTPMServersTest, 'test_migrate_server',
        'test_migrate_server_as_admin')):
    pass


if test_stateless_firmware:
    class StatelessFirmwareTest(base.forced(
            test_stateless_firmware.LibvirtStatelessFirmwareTest,
            'test_migrate_server', 'test_migrate_server_revert')):
        pass


if hasattr(test_server_shares, 'ServerSharesColdMigrateTest'):
    class ShareTest(base.forced(
            test_server_shares.ServerSharesColdMigrateTest,
            'test_cold_migrate_with_share',
            'test_cold_migrate_revert_with_share')):
        pass
