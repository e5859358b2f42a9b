# SPDX-License-Identifier: Apache-2.0

"""What the destination of a forced move must be, whoever asks.

nova-api asks first, so that the caller is answered with an HTTP error. The
conductor asks again before it claims: the world moves in between.
"""

import types

from nova import exception
from nova.i18n import _
from nova import objects
from nova.scheduler.filters import image_props_filter
from oslo_serialization import jsonutils

from nova_coldmig import database
from nova_coldmig import exception as coldmig_exc


def get_source_node(context, instance):
    """Find the compute node that the server is on.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param instance: nova.objects.Instance
    :returns: nova.objects.ComputeNode
    :raises: ForcedDestinationUnavailable if it is not there, or can not be
        read.
    """
    try:
        with _reading_node(instance.host):
            return objects.ComputeNode.get_by_host_and_nodename(
                context, instance.host, instance.node)
    except exception.ComputeHostNotFound:
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "The server is on node %(node)s of compute host %(host)s, and the "
            "cell has no such compute node, so it can not be told which hosts "
            "can run the server. Restart nova-compute of that host, which "
            "reports its node, then migrate again.") %
            {'node': instance.node, 'host': instance.host})


def get_compute_node(context, host, source):
    """Find the one compute node of a host in the cell of the context.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param host: str, name of the compute service's host as it was typed. A
        database may find a host by another spelling of its name: what counts
        is the host of the node that is returned.
    :param source: nova.objects.ComputeNode, the one the server is on.
    :returns: nova.objects.ComputeNode
    :raises: ForcedDestinationInvalid if the cell has no such host, the host
        has no compute node, it has several, or the server is on it;
        ForcedDestinationUnavailable if it can not be read.
    """
    try:
        with _reading_node(host):
            nodes = objects.ComputeNodeList.get_all_by_host(context, host)
    except exception.ComputeHostNotFound:
        if _find_service(context, host):
            raise coldmig_exc.ForcedDestinationInvalid(reason=_(
                "Compute host %s has no compute node in the cell of the "
                "server: its nova-compute has not reported one. Look at the "
                "log of that nova-compute, or name another host.") % host)
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "No compute host with the name %s is known in the cell of the "
            "server, and a forced cold migration stays in the cell. Name one "
            "that 'openstack compute service list --service nova-compute' "
            "lists.") % host)
    check_not_source(source, nodes)
    if len(nodes) > 1:
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "Compute host %(host)s manages %(count)d compute nodes and a "
            "forced cold migration can not tell which one is meant. Migrate "
            "without force, so that the scheduler picks the node.") %
            {'host': nodes[0].host, 'count': len(nodes)})
    return nodes[0]


def check_not_source(source, nodes):
    """Refuse the host that the server is on.

    The records are compared, not the names: a database that does not look at
    case finds the source by any spelling of its name.

    :param source: nova.objects.ComputeNode, the one the server is on.
    :param nodes: nova.objects.ComputeNodeList, of the named host.
    :raises: ForcedDestinationInvalid
    """
    if source.uuid in [node.uuid for node in nodes]:
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "The server is on compute host %s already. Name another host.") %
            source.host)


#: What the reason of a service begins with that Nova disabled itself, when
#: the hypervisor did not answer: nova.virt.libvirt.driver.LibvirtDriver.
#: _set_host_enabled and nova.virt.vmwareapi.host.VCState._set_host_enabled.
AUTOMATIC_REASONS = ('AUTO:', 'set by vmwareapi host_state')


def get_service_up(context, servicegroup_api, host):
    """Get the compute service of a host, which must be up.

    A disabled service is fine if a person disabled it: emptying or filling
    such hosts is what force is for. One that Nova disabled itself has no
    hypervisor that could run the server. One that is down, or forced down,
    would leave the move waiting in a queue that nobody reads.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param servicegroup_api: nova.servicegroup.API
    :param host: str, name of the compute service's host.
    :returns: nova.objects.Service
    :raises: ForcedDestinationUnavailable
    """
    service = _find_service(context, host)
    if service is None:
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "Host %s has a compute node but no nova-compute service, and a "
            "forced cold migration needs it up. Start nova-compute there, or "
            "name another host.") % host)
    with _reading_service(host):
        up = servicegroup_api.service_is_up(service)
    if not up:
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "The nova-compute service of host %s is down or forced down, and "
            "a forced cold migration needs it up. Start it, or unset its "
            "forced-down flag, or name another host.") % host)
    reason = service.disabled_reason or ''
    if service.disabled and reason.startswith(AUTOMATIC_REASONS):
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "Nova itself disabled host %(host)s, where a server could not be "
            "started now. Mend its hypervisor, or name another host. Nova's "
            "reason: %(reason)s.") %
            {'host': host, 'reason': reason.rstrip('.')})
    return service


def _find_service(context, host):
    try:
        with _reading_service(host):
            return objects.Service.get_by_compute_host(context, host)
    except exception.ComputeHostNotFound:
        return None


def _reading_node(host):
    return database.reading(_("compute host %s") % host, 'compute_nodes')


def _reading_service(host):
    return database.reading(
        _("the nova-compute service of host %s") % host, 'services')


def check_hypervisor_type(source, node):
    """Refuse a node whose hypervisor can not run what the source runs.

    Mirrors nova.conductor.tasks.live_migrate.LiveMigrationTask.
    _check_compatible_with_source_hypervisor without its version check, which
    is about live state.

    :param source: nova.objects.ComputeNode, the one the server is on.
    :param node: nova.objects.ComputeNode, the destination.
    :raises: ForcedDestinationInvalid
    """
    if source.hypervisor_type != node.hypervisor_type:
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "The hypervisor of compute host %(host)s is %(dest)s and the "
            "server's is %(source)s. Name a host with the same hypervisor.") %
            {'host': node.host, 'dest': node.hypervisor_type,
             'source': source.hypervisor_type})


#: What ImagePropertiesFilter looks at.
_IMAGE_PROPERTIES = ('hw_architecture', 'hw_maxphysaddr_bits', 'hw_vm_mode',
                     'img_hv_requested_version', 'img_hv_type')


def check_image(image, node):
    """Refuse a node that can not run what the image asks for.

    Has nova.scheduler.filters.image_props_filter.ImagePropertiesFilter tell,
    the one filter that is not about policy: a guest of another architecture
    does not start. It reads of a host state what nova.scheduler.host_manager.
    HostState takes from the compute node.

    :param image: nova.objects.ImageMeta or None
    :param node: nova.objects.ComputeNode, the destination.
    :raises: ForcedDestinationInvalid, or ForcedDestinationUnavailable if the
        node does not say what it can run.
    """
    wanted = ['%s=%s' % (name, image.properties.get(name))
              for name in _IMAGE_PROPERTIES
              if image and image.properties.get(name)]
    if not wanted:
        return
    # A new compute node has none until its nova-compute reported.
    specs = node.supported_hv_specs if 'supported_hv_specs' in node else []
    host_state = types.SimpleNamespace(
        supported_instances=[spec.to_list() for spec in specs],
        hypervisor_version=node.hypervisor_version,
        cpu_info=_cpu_info(node))
    with _reading_node(node.host):
        passes = image_props_filter.ImagePropertiesFilter().host_passes(
            host_state, types.SimpleNamespace(image=image))
    if passes:
        return
    facts = {'host': node.host, 'wanted': ', '.join(wanted)}
    if not specs:
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "Compute host %(host)s has not reported what it can run, and the "
            "image of the server asks for %(wanted)s. Migrate again when its "
            "nova-compute has reported, or name another host.") % facts)
    raise coldmig_exc.ForcedDestinationInvalid(reason=_(
        "Compute host %(host)s can not run the image of the server, which "
        "asks for %(wanted)s. Name a host that can.") % facts)


def _cpu_info(node):
    try:
        info = jsonutils.loads(node.cpu_info)
    except (TypeError, ValueError):
        # Of a driver that does not report it.
        return {}
    return info if isinstance(info, dict) else {}
