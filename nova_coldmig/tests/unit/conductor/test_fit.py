# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova import objects
from nova.pci import stats
from nova import test
from nova.virt import hardware

from nova_coldmig.conductor import fit

CANDIDATE = {'allocations': {}, 'mappings': {'': ['uuid']}}


def make_topology():
    return objects.NUMATopology(cells=[objects.NUMACell(
        id=0, cpuset={0, 1}, pcpuset={2, 3}, memory=2048, cpu_usage=0,
        memory_usage=0, pinned_cpus=set(), siblings=[{2}, {3}], mempages=[])])


class FitTestCase(test.NoDBTestCase):

    def _node(self, topology=None):
        return objects.ComputeNode(
            numa_topology=topology and topology._to_json(),
            cpu_allocation_ratio=4.0, ram_allocation_ratio=1.5,
            pci_device_pools=None)

    def _spec(self, pinned=None, requests=()):
        numa = pinned and objects.InstanceNUMATopology(cells=[
            objects.InstanceNUMACell(
                id=0, cpuset=set(), pcpuset=set(range(pinned)), memory=512,
                cpu_policy='dedicated')])
        return objects.RequestSpec(
            numa_topology=numa or None,
            pci_requests=objects.InstancePCIRequests(requests=list(requests)))


class FitsTest(FitTestCase):

    def test_no_needs(self):
        self.assertTrue(fit.fits(self._spec(), self._node(), CANDIDATE))

    def test_pinned_cpus(self):
        node = self._node(make_topology())
        spec = self._spec(pinned=2)
        self.assertTrue(fit.fits(spec, node, CANDIDATE))
        # The dry run pins no CPU in what is used later.
        self.assertFalse(spec.numa_topology.cells[0].cpu_pinning)
        self.assertTrue(fit.fits(spec, node, CANDIDATE))
        self.assertFalse(fit.fits(self._spec(pinned=3), node, CANDIDATE))

    def test_host_without_numa(self):
        """The scheduler refuses it too: the guest would lose its pinning."""
        self.assertFalse(
            fit.fits(self._spec(pinned=2), self._node(), CANDIDATE))

    @mock.patch.object(hardware, 'numa_fit_instance_to_host', autospec=True)
    @mock.patch.object(stats.PciDeviceStats, 'support_requests',
                       autospec=True)
    def test_devices_are_those_of_the_candidate(self, support, fit_host):
        requests = [objects.InstancePCIRequest(count=1)]
        spec = self._spec(pinned=2, requests=requests)
        node = self._node(make_topology())
        support.return_value = False
        self.assertFalse(fit.fits(spec, node, CANDIDATE))
        fit_host.assert_not_called()
        support.return_value = True
        fit_host.return_value = None
        self.assertFalse(fit.fits(spec, node, CANDIDATE))
        self.assertEqual(CANDIDATE['mappings'],
                         fit_host.call_args[1]['provider_mapping'])
        self.assertEqual(CANDIDATE['mappings'],
                         support.call_args[1]['provider_mapping'])
        fit_host.return_value = spec.numa_topology
        self.assertTrue(fit.fits(spec, node, CANDIDATE))


class LimitsTest(FitTestCase):

    def test_without_numa_there_are_none(self):
        for spec, node in (
                (self._spec(), self._node(make_topology())),
                (self._spec(pinned=2), self._node())):
            self.assertEqual({}, fit.limits(spec, node).to_dict())

    def test_ratios_and_networks(self):
        spec = self._spec(pinned=2)
        node = self._node(make_topology())
        numa = fit.limits(spec, node).numa_topology
        self.assertEqual((4.0, 1.5), (numa.cpu_allocation_ratio,
                                      numa.ram_allocation_ratio))
        self.assertNotIn('network_metadata', numa)
        spec.network_metadata = objects.NetworkMetadata(
            physnets={'physnet1'}, tunneled=False)
        numa = fit.limits(spec, node).numa_topology
        self.assertEqual({'physnet1'}, numa.network_metadata.physnets)
