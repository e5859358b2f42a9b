# SPDX-License-Identifier: Apache-2.0

"""Read the servers of a cell, and what is known of them."""

from nova.compute import instance_actions
from nova.compute import rpcapi
from nova.compute import task_states
from nova.compute import vm_states
from nova import context as nova_context
from nova import exception
from nova import objects
from nova.scheduler.client import report
from nova import servicegroup
from oslo_log import log as logging
from oslo_utils import timeutils

from nova_coldmig import events
from nova_coldmig import providers
from nova_coldmig import records
from nova_coldmig.recovery import facts

LOG = logging.getLogger(__name__)

BATCH = 500
"""Servers read from a cell at a time."""

ENDINGS = (instance_actions.CONFIRM_RESIZE, instance_actions.REVERT_RESIZE)
"""Actions that end a move."""

HARMLESS = (events.REPAIRED, instance_actions.LOCK, instance_actions.UNLOCK)
"""Actions that change neither the guest nor the state of a server."""


class Cell:
    """Reads the servers of one cell.

    :param context: a nova.context.RequestContext targeted at the cell
    :param name: str, of the cell
    :param above: a nova.context.RequestContext that is not targeted at a
        cell, for the services of the super conductors
    """

    def __init__(self, context, name, above):
        self.context = context
        self.name = name
        self.above = above
        # Nova deletes the migrations of a server with it.
        self.deleted_too = context.elevated(read_deleted='yes')
        self.placement = report.report_client_singleton()
        self.read()

    def read(self):
        """Read the compute nodes and which services are down, anew."""
        self.conductors_down = frozenset(
            _down(self.above, 'nova-conductor') |
            _down(self.context, 'nova-conductor'))
        nodes = objects.ComputeNodeList.get_all(self.context)
        self.nodes = {node.uuid: node.host for node in nodes}
        self.by_name = {(node.host, node.hypervisor_hostname): node.uuid
                        for node in nodes}
        self.down = _down(self.context, 'nova-compute')
        self.roots = {}
        self.provided = {}

    def knows(self, host):
        """Whether a host has a compute node in the cell.

        :param host: str
        :returns: bool
        """
        return host in self.nodes.values()

    def _root(self, provider):
        """The root of a provider, or None if Placement does not have it."""
        if provider in self.nodes:
            return provider
        if provider not in self.roots:
            self.roots[provider] = providers.root(
                self.context, self.placement, provider)
        return self.roots[provider]

    def _allocations(self, consumer):
        return self.placement.get_allocs_for_consumer(
            self.context, consumer)['allocations']

    def _roots_held(self, consumer):
        """The roots of what a consumer holds, a set of UUIDs.

        A provider that Placement does not have any more is its own.
        """
        return {self._root(provider) or provider
                for provider in self._allocations(consumer)}

    def _has_provider(self, node):
        if node not in self.provided:
            self.provided[node] = providers.root(
                self.context, self.placement, node) is not None
        return self.provided[node]

    def facts(self, instance, ask=False):
        """Gather what is known of a server.

        :param instance: a nova.objects.Instance
        :param ask: whether to ask a host whether the guest runs there
        :returns: Facts
        :raises: nova.exception.ConsumerAllocationRetrievalFailed if Placement
            refuses, keystoneauth1.exceptions.ClientException if it can not
            be reached
        """
        migrations = list(objects.MigrationList.get_by_filters(
            self.deleted_too if instance.deleted else self.context,
            {'instance_uuid': instance.uuid}))
        working = [m for m in migrations if m.status not in records.ENDED]
        # The record of a repair is an action too.
        newest = list(objects.InstanceActionList.get_by_instance_uuid(
            self.context, instance.uuid, limit=1))
        changed = [record.updated_at or record.created_at
                   for record in [instance] + working + newest]
        if instance.deleted:
            changed.append(instance.deleted_at)
        changed = max(map(timeutils.normalize_time, changed))
        roots = {consumer: self._roots_held(consumer) for consumer in
                 [m.uuid for m in migrations] + [instance.uuid]}
        nodes = set(self.nodes)
        held = {consumer: of_it & nodes for consumer, of_it in roots.items()}
        hold_strangers = frozenset(
            consumer for consumer, of_it in roots.items() if of_it - nodes)
        node = self.by_name.get((instance.host, instance.node))
        reverting = facts.reverting_move(instance, migrations)
        hosts = {host for m in migrations
                 if m in working or roots[m.uuid] or m is reverting
                 for host in (m.source_compute, m.dest_compute) if host}
        if working:
            # The migration names its destination late.
            hosts |= {self.nodes[node] for node in held[instance.uuid]}
        maybe_reverted = facts.maybe_reverted(instance, migrations, roots.get)
        reverted, touched = self._history(instance, maybe_reverted)
        return facts.Facts(
            instance, migrations, held, node,
            timeutils.delta_seconds(changed, timeutils.utcnow()),
            frozenset(hosts & self.down), self.conductors_down,
            reverted, touched,
            self._guest_runs(instance, migrations, reverting, reverted and
                             maybe_reverted) if ask else None,
            frozenset(roots[instance.uuid] - nodes), hold_strangers,
            node is None or node in roots[instance.uuid] or
            instance.deleted or self._has_provider(node),
            frozenset(self.by_name[name]
                      for name in records.evacuated_nodes(migrations)
                      if name in self.by_name),
            self._source(
                facts.newest(m for m in migrations if records.is_open(m)) or
                reverting or maybe_reverted),
            ask, self._end_asked(instance, working), self.nodes)

    def _end_asked(self, instance, working):
        move = facts.newest(m for m in working if records.is_open(m))
        if (move is None or move.status != 'finished' or
                instance.vm_state == vm_states.RESIZED):
            return False
        return any(
            action.action in ENDINGS and action.start_time >= move.created_at
            for action in objects.InstanceActionList.get_by_instance_uuid(
                self.context, instance.uuid))

    def _source(self, move):
        return move and self.by_name.get(
            (move.source_compute, move.source_node))

    def _history(self, instance, move):
        """Tell whether a move was reverted, and the server touched since.

        :param move: nova.objects.Migration or None
        :returns: tuple of two bools
        """
        if move is None:
            return False, False
        touched = False
        for action in objects.InstanceActionList.get_by_instance_uuid(
                self.context, instance.uuid):
            if action.action in ENDINGS:
                return (action.action == instance_actions.REVERT_RESIZE and
                        action.start_time >= move.created_at, touched)
            touched = touched or action.action not in HARMLESS
        return False, touched

    def _guest_runs(self, instance, migrations, reverting, failed_revert):
        matters = (instance.task_state == task_states.RESIZE_FINISH or
                   failed_revert or
                   reverting and instance.host == reverting.source_compute or
                   instance.task_state is None and any(
                       m.status == 'migrating' and records.is_open(m)
                       for m in migrations))
        if not matters or instance.host in self.down:
            return None
        try:
            # Nova has no other way to ask: it answers if the guest runs.
            rpcapi.ComputeAPI().get_instance_diagnostics(
                self.context, instance)
        except exception.InstanceInvalidState:
            return False
        except Exception as e:
            # Of the bus, of the compute or of its driver: it is not known.
            LOG.warning('Host %(host)s does not tell whether the guest runs '
                        'there: %(error)s',
                        {'host': instance.host, 'error': e},
                        instance=instance)
            return None
        return True

    def instance(self, uuid):
        """Read a server, deleted or not.

        :param uuid: str
        :returns: nova.objects.Instance, or None if there is none
        """
        for context in (self.context,
                        self.context.elevated(read_deleted='only')):
            try:
                return objects.Instance.get_by_uuid(context, uuid)
            except exception.InstanceNotFound:
                pass
        return None

    def batches(self, host=None, server=None):
        """Read the servers of the cell, then those deleted that may hold.

        :param host: the host whose servers are read, or None
        :param server: the UUID of the one server to read, or None
        :returns: generator of lists of nova.objects.Instance, each of at most
            BATCH
        """
        filters = {}
        if host:
            filters['host'] = host
        if server:
            filters['uuid'] = [server]
        yield from self._pages(
            dict(filters, deleted=False, soft_deleted=True))
        seen: set[str] = set()
        for uuids in [[server]] if server else self._owners(host):
            for batch in self._pages({
                    'uuid': uuids, 'deleted': True, 'soft_deleted': False}):
                # A server may have held several nodes.
                new = [instance for instance in batch
                       if instance.uuid not in seen]
                seen.update(instance.uuid for instance in new)
                yield new

    def _owners(self, host):
        """Read for which servers something is held on nodes of the cell.

        :param host: the host whose nodes are looked at, or None for all
        :returns: generator of lists of UUIDs, each of at most 2 * BATCH
        """
        for node, of_host in self.nodes.items():
            if host and of_host != host:
                continue
            consumers = self._consumers(node, of_host)
            for start in range(0, len(consumers), BATCH):
                uuids = consumers[start:start + BATCH]
                migrations = objects.MigrationList.get_by_filters(
                    self.deleted_too, {'uuid': uuids})
                yield uuids + [m.instance_uuid for m in migrations]

    def _consumers(self, node, host):
        """Read who holds something on a node, a list of UUIDs."""
        try:
            return list(self.placement.get_allocations_for_resource_provider(
                self.context, node).allocations)
        except exception.ResourceProviderAllocationRetrievalFailed:
            if self._has_provider(node):
                raise
        LOG.warning('Compute node %(node)s of host %(host)s has no resource '
                    'provider, so nobody holds anything on it. See the log of '
                    'its nova-compute.', {'node': node, 'host': host})
        return []

    def _pages(self, filters):
        marker = None
        while True:
            batch = list(objects.InstanceList.get_by_filters(
                self.deleted_too if filters['deleted'] else self.context,
                filters, limit=BATCH, marker=marker, sort_key='uuid',
                sort_dir='asc', expected_attrs=[]))
            yield batch
            if len(batch) < BATCH:
                return
            marker = batch[-1].uuid


def cells(context):
    """Yield a Cell for each cell that has computes.

    :param context: an admin nova.context.RequestContext
    """
    for mapping in objects.CellMappingList.get_all(context):
        if not mapping.is_cell0():
            with nova_context.target_cell(context, mapping) as cell_context:
                yield Cell(
                    cell_context, mapping.name or mapping.uuid, context)


def _down(context, binary):
    """The hosts on which a service is down, a set."""
    return {
        service.host for service in objects.ServiceList.get_by_binary(
            context, binary, include_disabled=True)
        if not servicegroup.API().service_is_up(service)}
