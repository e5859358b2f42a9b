#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

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

from nova_coldmig import exception as coldmig_exc


def get_compute_node(context, host):
    """Find the one compute node of a host in the cell of the context.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param host: str, name of the compute service's host.
    :returns: nova.objects.ComputeNode
    :raises: ForcedDestinationInvalid if the cell has no such host, the host
        has no compute node, or it has several.
    """
    try:
        nodes = objects.ComputeNodeList.get_all_by_host(context, host)
    except exception.ComputeHostNotFound:
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "Compute host %s has no compute node in the cell of the server, "
            "and a forced cold migration stays in the cell. Name a host of "
            "that cell.") % host)
    if len(nodes) > 1:
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "Compute host %(host)s manages %(count)d compute nodes and a "
            "forced cold migration can not tell which one is meant. Migrate "
            "without force, so that the scheduler picks the node.") %
            {'host': host, 'count': len(nodes)})
    return nodes[0]


def check_not_source(instance, host):
    """Refuse the host that the instance is on.

    :param instance: nova.objects.Instance
    :param host: str, name of the compute service's host.
    :raises: ForcedDestinationInvalid
    """
    if host == instance.host:
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "The server is on compute host %s already. Name another host.") %
            host)


def get_service_up(context, servicegroup_api, host):
    """Get the compute service of a host, which must be up.

    A disabled service is fine: emptying or filling such hosts is what force
    is for. One that is down, or forced down, would leave the move waiting in
    a queue that nobody reads.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param servicegroup_api: nova.servicegroup.API
    :param host: str, name of the compute service's host.
    :returns: nova.objects.Service
    :raises: ForcedDestinationUnavailable
    """
    try:
        service = objects.Service.get_by_compute_host(context, host)
    except exception.ComputeHostNotFound:
        service = None
    if service is None or not servicegroup_api.service_is_up(service):
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "The nova-compute service of host %s is down or forced down, and "
            "a forced cold migration needs it up. Start it, or unset its "
            "forced-down flag, or name another host.") % host)
    return service


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
    :raises: ForcedDestinationInvalid
    """
    wanted = ['%s=%s' % (name, image.properties.get(name))
              for name in _IMAGE_PROPERTIES
              if image and image.properties.get(name)]
    if not wanted:
        return
    host_state = types.SimpleNamespace(
        supported_instances=[spec.to_list()
                             for spec in node.supported_hv_specs],
        hypervisor_version=node.hypervisor_version,
        cpu_info=_cpu_info(node))
    if not image_props_filter.ImagePropertiesFilter().host_passes(
            host_state, types.SimpleNamespace(image=image)):
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "Compute host %(host)s can not run the image of the server, which "
            "asks for %(wanted)s. Name a host that can.") %
            {'host': node.host, 'wanted': ', '.join(wanted)})


def _cpu_info(node):
    try:
        info = jsonutils.loads(node.cpu_info)
    except (TypeError, ValueError):
        # Of a driver that does not report it.
        return {}
    return info if isinstance(info, dict) else {}
