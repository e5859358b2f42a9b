# SPDX-License-Identifier: Apache-2.0

"""What to see to of volumes and ports, which neither check nor repair reads.

What Cinder and Neutron have of a move that was cut short is not in Nova's
records, so a server may be in order by these and be cut off from its volumes.
When each of them is told is in nova.compute.manager.ComputeManager:
_resize_instance has the volumes and ports given up after the copy, and
_finish_resize has Cinder complete the attachments after the guest was started.
"""

import typing as ty

from nova import objects

if ty.TYPE_CHECKING:  # pragma: no mutate
    from nova_coldmig.recovery import plan

COMPLETE = 'complete'
"""The guest was started, and Cinder may not have been told."""

CONNECT = 'connect'
"""The host may have given the volumes and the ports up."""


def tell(context: ty.Any, instance: ty.Any, chosen: 'plan.Plan') -> str:
    """Say what a person has to see to of volumes and ports.

    :param context: nova.context.RequestContext targeted at the cell of the
        server
    :param instance: nova.objects.Instance
    :param chosen: nova_coldmig.recovery.plan.Plan
    :returns: str, empty if there is nothing to see to
    """
    if chosen.connections is None:
        return ''
    devices = objects.BlockDeviceMappingList.get_by_instance_uuid(
        context, instance.uuid)
    volumes = [device for device in devices
               if device.is_volume and device.volume_id]
    if chosen.connections == COMPLETE:
        return ' '.join(map(_completed, volumes))
    ports = [port['id'] for port in instance.get_network_info()]
    told = []
    if volumes:
        told.append(_connected(instance, volumes))
    if ports:
        told.append(_bound(instance, ports))
    return ' '.join(told)


def _completed(device: ty.Any) -> str:
    return ('Volume %s may be left in attaching, which check does not see. If '
            'openstack volume show -c status says so: openstack '
            '--os-volume-api-version 3.44 volume attachment complete %s.' %
            (device.volume_id, device.attachment_id or 'ATTACHMENT'))


def _connected(instance: ty.Any, volumes: list) -> str:
    return (
        'Volumes may have been given up by %(host)s, even if the guest runs, '
        'which check does not see. If openstack --os-volume-api-version 3.27 '
        'volume attachment show says reserved (%(attachments)s): once the '
        'server has no task and its disk is in place, stop it; on %(host)s '
        'nova-manage volume_attachment get_connector --json > '
        'connector.json; with that file, where nova-manage has the API '
        'database, %(commands)s; then start it.' % {
            'host': instance.host,
            'attachments': ', '.join(
                device.attachment_id or 'volume %s' % device.volume_id
                for device in volumes),
            'commands': ' and '.join(
                'nova-manage volume_attachment refresh %s %s connector.json' %
                (instance.uuid, device.volume_id) for device in volumes)})


def _bound(instance: ty.Any, ports: list[str]) -> str:
    return (
        'Ports may be bound to another host, which check does not see. If '
        'openstack port show -c binding_host_id does not say %s: %s.' % (
            instance.host, ' and '.join(
                'openstack port set --host %s %s' % (instance.host, port)
                for port in ports)))
