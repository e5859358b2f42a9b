# SPDX-License-Identifier: Apache-2.0

"""Whether an allocation candidate fits the NUMA cells and PCI devices.

The destination makes the same test in its claim, with live data and after the
cast, and a server that fails it there ends in ERROR. Failing here is free.
"""

from nova import objects
from nova.pci import stats
from nova.virt import hardware


def limits(request_spec, node):
    """Make the limits that the destination's claim shall respect.

    Mirrors what NUMATopologyFilter.host_passes leaves in the host state.

    :param request_spec: nova.objects.RequestSpec
    :param node: nova.objects.ComputeNode, the destination.
    :returns: nova.objects.SchedulerLimits
    """
    if not request_spec.numa_topology or not node.numa_topology:
        return objects.SchedulerLimits.from_dict({})
    numa = objects.NUMATopologyLimits(
        cpu_allocation_ratio=node.cpu_allocation_ratio,
        ram_allocation_ratio=node.ram_allocation_ratio)
    if 'network_metadata' in request_spec and request_spec.network_metadata:
        numa.network_metadata = request_spec.network_metadata
    return objects.SchedulerLimits.from_dict({'numa_topology': numa})


def fits(request_spec, node, candidate):
    """Tell whether a candidate fits a node.

    Mirrors NUMATopologyFilter and PciPassthroughFilter of nova.scheduler.

    :param request_spec: nova.objects.RequestSpec
    :param node: nova.objects.ComputeNode, the destination.
    :param candidate: dict, an allocation request of Placement.
    :returns: bool
    """
    requests = (request_spec.pci_requests.requests
                if request_spec.pci_requests else [])
    if not requests and not request_spec.numa_topology:
        return True
    host_numa = (objects.NUMATopology.obj_from_db_obj(node.numa_topology)
                 if node.numa_topology else None)
    pci_stats = stats.PciDeviceStats(host_numa, stats=node.pci_device_pools)
    mapping = candidate['mappings']
    if requests and not pci_stats.support_requests(
            requests, provider_mapping=mapping):
        return False
    if request_spec.numa_topology:
        return host_numa is not None and bool(
            hardware.numa_fit_instance_to_host(
                host_numa,
                # It pins the CPUs of what it is given.
                request_spec.numa_topology.obj_clone(),
                provider_mapping=mapping,
                limits=limits(request_spec, node).numa_topology,
                pci_requests=requests,
                pci_stats=pci_stats))
    return True
