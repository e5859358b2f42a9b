# SPDX-License-Identifier: Apache-2.0

"""Servers with NUMA cells and pinned CPUs."""

from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import base as upstream
from nova.tests.functional.libvirt import test_numa_servers

from nova_coldmig.tests.functional.libvirt import base

DOES_NOT_FIT = (
    'The NUMA cells or PCI devices that are free on host compute2 do not fit '
    'the server, and force does not override that. Free some, or name '
    'another host.')


class NumaTestCase(base.LibvirtMixin, upstream.ServersTestBase):
    """Two hosts of two cells with four CPUs each."""

    ADDITIONAL_FILTERS = ['NUMATopologyFilter']

    def setUp(self):
        super().setUp()
        for host in ('compute1', 'compute2'):
            self.configure(host)
            self.start_compute(hostname=host, host_info=fakelibvirt.HostInfo(
                cpu_nodes=2, cpu_sockets=1, cpu_cores=2, cpu_threads=2))

    def configure(self, host):
        """Set the options that a host is to read."""

    def flavor(self, vcpu=2, **extra_specs):
        self.resources = {'VCPU': vcpu, 'MEMORY_MB': 1024, 'DISK_GB': 1}
        return self._create_flavor(
            memory_mb=1024, vcpu=vcpu, disk=1, ephemeral=0, extra_spec={
                key.replace('__', ':'): value
                for key, value in extra_specs.items()})

    def as_pcpus(self):
        self.resources['PCPU'] = self.resources.pop('VCPU')


class PinnedTest(NumaTestCase):
    """Each CPU of the guest has one of the host to itself."""

    def configure(self, host):
        self.flags(cpu_dedicated_set='0-7', group='compute')

    def dedicated(self, vcpu=2, **extra_specs):
        flavor = self.flavor(
            vcpu, hw__cpu_policy='dedicated', **extra_specs)
        self.as_pcpus()
        return flavor

    def test_moves(self):
        """It is pinned anew where the destination has CPUs to spare."""
        flavor = self.dedicated()
        there = self.boot('compute2', flavor)
        server = self.boot('compute1', flavor)
        self.assertEqual(self.pinned(there), self.pinned(server))
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        (_cell, theirs), = self.pinned(there)
        (_cell, ours), = self.pinned(server)
        self.assertEqual((2, set()), (len(ours), ours & theirs))
        self.confirm(server)

    def test_reverts(self):
        server = self.boot('compute1', self.dedicated())
        before = self.pinned(server)
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        self.revert(server)
        self.assertEqual(before, self.pinned(server))

    def test_two_cells(self):
        server = self.boot(
            'compute1', self.dedicated(4, hw__numa_nodes='2'))
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        self.assertEqual(
            [2, 2], [len(cpus) for _cell, cpus in self.pinned(server)])

    def test_mixed(self):
        """Some CPUs are pinned and some float."""
        self.flags(cpu_dedicated_set='0-5', cpu_shared_set='6-7',
                   group='compute')
        for host in ('compute3', 'compute4'):
            self.start_compute(hostname=host, host_info=fakelibvirt.HostInfo(
                cpu_nodes=1, cpu_sockets=1, cpu_cores=4, cpu_threads=2))
        server = self.boot('compute3', self.flavor(
            3, hw__cpu_policy='mixed', hw__cpu_dedicated_mask='0-1'))
        self.resources.update(VCPU=1, PCPU=2)
        self.force(server, 'compute4')
        self.assertMoved(server, 'compute3', 'compute4')
        self.confirm(server)

    def test_cells_are_full(self):
        """Three CPUs are free in each cell, and four are wanted of one."""
        for _cell in range(2):
            self.boot('compute2', self.dedicated(1, hw__numa_nodes='1'))
        self._spread('compute2')
        server = self.boot('compute1', self.dedicated(4))
        self.assertRefused(server, DOES_NOT_FIT, host='compute2')

    def _spread(self, host):
        """Check that both cells have a guest."""
        with self.cell_context() as context:
            node = self.node_record(context, host)
            topology = base.base.objects.NUMATopology.obj_from_db_obj(
                node.numa_topology)
        self.assertEqual(
            [1, 1], [len(cell.pinned_cpus) for cell in topology.cells])

    def test_no_cpu_is_free(self):
        self.boot('compute2', self.dedicated(8, hw__numa_nodes='2'))
        server = self.boot('compute1', self.dedicated())
        self.assertRefused(
            server, 'Placement has nothing on host compute2 that holds the '
            'server', host='compute2')

    def test_threads(self):
        """A trait of the policy for threads is not one to leave out."""
        server = self.boot(
            'compute1', self.dedicated(2, hw__cpu_thread_policy='require'))
        provider = self.compute_rp_uuids['compute2']
        traits = self._get_provider_traits(provider)
        self.assertIn('HW_CPU_HYPERTHREADING', traits)
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        self.confirm(server)
        provider = self.compute_rp_uuids['compute1']
        traits = self._get_provider_traits(provider)
        traits.remove('HW_CPU_HYPERTHREADING')
        self._set_provider_traits(provider, traits)
        self.assertRefused(
            server, 'lacks a device or capability', host='compute1')


class PinnedOnSharedTest(NumaTestCase):
    """Hosts from before there were PCPUs pin CPUs that they call VCPUs."""

    def configure(self, host):
        self.flags(cpu_dedicated_set=None, cpu_shared_set=None,
                   group='compute')
        self.flags(vcpu_pin_set='0-7')

    def test_falls_back(self):
        server = self.boot(
            'compute1', self.flavor(hw__cpu_policy='dedicated'))
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        (_cell, cpus), = self.pinned(server)
        self.assertEqual(2, len(cpus))
        self.confirm(server)

    def test_does_not_fall_back(self):
        """The scheduler would not, so force does not."""
        server = self.boot(
            'compute1', self.flavor(hw__cpu_policy='dedicated'))
        self.flags(group='workarounds', disable_fallback_pcpu_query=True)
        self.assertRefused(
            server, 'Placement has nothing on host compute2 that holds the '
            'server', host='compute2')


class PinnedOnOneHostTest(NumaTestCase):
    """Only the source tells the CPUs to pin from those to share.

    Both hosts are in one process, which has one configuration: it is that of
    the host that is about to read it.
    """

    DEDICATED = {'compute1': '0-7', 'compute2': None}
    SHARED = {'compute1': None, 'compute2': '0-7'}

    def configure(self, host):
        self.flags(cpu_dedicated_set=self.DEDICATED[host],
                   cpu_shared_set=None, group='compute')
        self.flags(vcpu_pin_set=self.SHARED[host])

    def setUp(self):
        super().setUp()
        flavor = self.flavor(hw__cpu_policy='dedicated')
        self.there = dict(self.resources)
        self.as_pcpus()
        self.configure('compute1')
        self.server = self.boot('compute1', flavor)
        self.assertHeld(compute1=self.server['id'])
        self.configure('compute2')

    def test_falls_back(self):
        """What was a PCPU on the source is a VCPU on the destination."""
        self.force(self.server, 'compute2')
        self.assertMoved(self.server, 'compute1', 'compute2',
                         took={'compute2': self.there})
        (_cell, cpus), = self.pinned(self.server)
        self.assertEqual(2, len(cpus))
        self.configure('compute1')
        self.confirm(self.server, took={'compute2': self.there})

    def test_reverts(self):
        before = self.pinned(self.server)
        self.force(self.server, 'compute2')
        self.assertMoved(self.server, 'compute1', 'compute2',
                         took={'compute2': self.there})
        self.revert(self.server)
        self.assertEqual(before, self.pinned(self.server))

    def test_does_not_fall_back(self):
        self.flags(group='workarounds', disable_fallback_pcpu_query=True)
        self.assertRefused(
            self.server, 'Placement has nothing on host compute2 that holds '
            'the server', host='compute2', compute1=self.server['id'])


class RatioTest(NumaTestCase):
    """The allocation ratio holds for each cell."""

    def configure(self, host):
        self.flags(initial_cpu_allocation_ratio=1.0,
                   initial_ram_allocation_ratio=1.0)

    def test_limits_reach_the_claim(self):
        server = self.boot('compute1', self.flavor(hw__numa_nodes='1'))
        claims = self.spy_on_claim('compute2')
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        limits, = claims
        limits = limits['numa_topology']
        self.assertEqual(1.0, limits.cpu_allocation_ratio)
        self.assertEqual(1.0, limits.ram_allocation_ratio)

    def test_no_limits_without_cells(self):
        server = self.boot('compute1', self.flavor())
        claims = self.spy_on_claim('compute2')
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        self.assertEqual([{}], claims)

    def test_cells_are_full(self):
        """Placement counts the host: two are free, but one in each cell."""
        flavor = self.flavor(3, hw__numa_nodes='1')
        for _cell in range(2):
            self.boot('compute2', flavor)
        server = self.boot('compute1', self.flavor(2, hw__numa_nodes='1'))
        self.assertRefused(server, DOES_NOT_FIT, host='compute2')
        # In two cells it fits.
        server = self.boot('compute1', self.flavor(2, hw__numa_nodes='2'))
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')


class PhysnetTest(base.LibvirtMixin, base.without_tests(
        test_numa_servers.NUMAServersWithNetworksTest)):
    """A network card is near to one cell, and so must be who uses it.

    Network "foo" is near to cell 1 and "bar" to cell 0.
    """

    def _moves(self, network, cell):
        for host in ('compute1', 'compute2'):
            self.start_compute(hostname=host)
        flavor = self._create_flavor(
            memory_mb=1024, vcpu=1, disk=1, ephemeral=0,
            extra_spec={'hw:numa_nodes': '1'})
        self.resources = {'VCPU': 1, 'MEMORY_MB': 1024, 'DISK_GB': 1}
        server = self.boot(
            'compute1', flavor, networks=[{'uuid': network['id']}])
        claims = self.spy_on_claim('compute2')
        self.force(server, 'compute2')
        self.assertMoved(server, 'compute1', 'compute2')
        limits, = claims
        metadata = limits['numa_topology'].network_metadata
        self.assertEqual(
            {network['provider:physical_network']}, metadata.physnets)
        self.assertEqual([(cell, set())], self.pinned(server))

    def test_cell_1(self):
        self._moves(upstream.LibvirtNeutronFixture.network_1, 1)

    def test_cell_0(self):
        self._moves(upstream.LibvirtNeutronFixture.network_2, 0)
