# SPDX-License-Identifier: Apache-2.0

"""What to see to of volumes and ports, which neither check nor repair reads.

What Cinder and Neutron have of a move that was cut short is not in Nova's
records, so a server may be in order by these and be cut off from its volumes.
When each of them is told is in nova.compute.manager.ComputeManager:
_resize_instance has the volumes and ports given up after the copy, and
_finish_resize has Cinder complete the attachments after the guest was started.
"""

import dataclasses
import typing as ty

from nova import objects

if ty.TYPE_CHECKING:  # pragma: no mutate
    from nova_coldmig.recovery import plan

COMPLETE = 'complete'
"""The guest was started, and Cinder may not have been told."""

CONNECT = 'connect'
"""The host may have given the volumes and the ports up."""


@dataclasses.dataclass(frozen=True)  # pragma: no mutate
class Attached:
    """What a server has attached, by Nova's records.

    :ivar volumes: list of tuples of the UUIDs of a volume and of its
        attachment, which may be None
    :ivar ports: list of UUIDs of ports
    """

    volumes: list[tuple[str, ty.Optional[str]]]
    ports: list[str]


def read(context: ty.Any, instance: ty.Any) -> Attached:
    """Read what a server has attached.

    :param context: nova.context.RequestContext targeted at its cell
    :param instance: nova.objects.Instance
    :returns: Attached
    """
    devices = objects.BlockDeviceMappingList.get_by_instance_uuid(
        context, instance.uuid)
    return Attached(
        [(device.volume_id, device.attachment_id) for device in devices
         if device.is_volume and device.volume_id],
        [port['id'] for port in instance.get_network_info()])


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
    has = read(context, instance)
    if chosen.connections == COMPLETE:
        return ' '.join(_completed(*volume) for volume in has.volumes)
    names = {'host': instance.host, 'uuid': instance.uuid}
    told = []
    if has.volumes:
        told.append(
            'Volumes may have been given up by %(host)s, even if the guest '
            'runs, which check does not see. Stop the server; on %(host)s '
            'nova-manage volume_attachment get_connector --json > '
            'connector.json; with that file, %%s; then start it.' % names %
            ' and '.join(
                'nova-manage volume_attachment refresh %s %s connector.json' %
                (instance.uuid, volume) for volume, _attachment
                in has.volumes))
    if has.ports:
        told.append(
            'Ports may be bound to another host, which check does not see. '
            "If openstack port show -c binding_host_id does not say %s: %s." %
            (instance.host, ' and '.join(
                'openstack port set --host %s %s' % (instance.host, port)
                for port in has.ports)))
    return ' '.join(told)


def _completed(volume: str, attachment: ty.Optional[str]) -> str:
    return ('Volume %s may be left in attaching, which check does not see. If '
            'openstack volume show -c status says so: openstack '
            '--os-volume-api-version 3.44 volume attachment complete %s.' %
            (volume, attachment or 'ATTACHMENT'))
