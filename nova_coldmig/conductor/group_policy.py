# SPDX-License-Identifier: Apache-2.0

"""Hard server group policies, which force does not override."""

from nova import exception
from nova.i18n import _
from nova import objects

from nova_coldmig import exception as coldmig_exc


def check(context, instance, node):
    """Refuse a destination that violates the server group of an instance.

    Mirrors nova.compute.manager.ComputeManager.
    _validate_instance_group_policy, which the destination runs after the
    claim and whose refusal leaves the server in ERROR. Unlike there,
    [workarounds]disable_group_policy_check_upcall does not turn it off: the
    conductor asks no one upwards.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param instance: nova.objects.Instance
    :param node: nova.objects.ComputeNode, the destination.
    :raises: nova_coldmig.exception.MoveRefused
    """
    try:
        group = objects.InstanceGroup.get_by_instance_uuid(
            context, instance.uuid)
    except exception.InstanceGroupNotFound:
        return
    if group.policy == 'anti-affinity':
        _check_anti_affinity(context, instance, node, group)
    elif group.policy == 'affinity':
        _check_affinity(instance, node, group)


def _check_anti_affinity(context, instance, node, group):
    moving_in = objects.MigrationList.get_in_progress_by_host_and_node(
        context, node.host, node.hypervisor_hostname)
    there = set(objects.InstanceList.get_uuids_by_host(context, node.host))
    there |= {migration.instance_uuid for migration in moving_in}
    members = there & set(group.members) - {instance.uuid}
    allowed = (group.rules or {}).get('max_server_per_host', 1)
    if len(members) >= allowed:
        raise coldmig_exc.MoveRefused(reason=_(
            "Force does not override the anti-affinity group %(group)s of the "
            "server: host %(host)s runs or receives %(count)d of its members "
            "and may have %(allowed)d. Name another host.") % {
                'host': node.host, 'count': len(members),
                'group': group.uuid, 'allowed': allowed})


def _check_affinity(instance, node, group):
    hosts = group.get_hosts(exclude=[instance.uuid])
    if hosts and node.host not in hosts:
        raise coldmig_exc.MoveRefused(reason=_(
            "Force does not override the affinity group %(group)s of the "
            "server: its other members are on %(hosts)s. Name that host.") % {
                'group': group.uuid, 'hosts': ', '.join(sorted(hosts))})
