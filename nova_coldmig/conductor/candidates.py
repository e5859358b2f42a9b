# SPDX-License-Identifier: Apache-2.0

"""Allocation candidates of one compute node, asked of Placement.

The request is made by what the scheduler makes it with, so that all that a
server can need (pinned CPUs, ports, PCI devices, numbered groups) is asked
for in the same words. Only deployment policy is left out.
"""

from nova import exception
from nova.i18n import _
from nova import objects
from nova.scheduler import request_filter
from nova.scheduler import utils as scheduler_utils

from nova_coldmig.conductor import bypass
import nova_coldmig.conf
from nova_coldmig import exception as coldmig_exc
from nova_coldmig import providers

CONF = nova_coldmig.conf.CONF


class _OneNode:
    """Stands in for the scheduler's host manager, which knows all nodes."""

    def __init__(self, node):
        self._nodes = [node]

    def get_compute_nodes_by_host_or_node(self, *args, **kwargs):
        return self._nodes


def explicit_traits(request_spec):
    """List the traits that flavor and image ask for outside of groups.

    :param request_spec: nova.objects.RequestSpec
    :returns: list of str, sorted; a forbidden trait has a ``!`` before it.
    """
    traits = set(_image_traits(request_spec))
    for key, value in request_spec.flavor.get('extra_specs', {}).items():
        if key.startswith('trait:'):
            name = key.partition(':')[2]
            traits.add('!' + name if value == 'forbidden' else name)
    return sorted(traits)


def _image_traits(request_spec):
    image = request_spec.image
    if image and 'traits_required' in image.properties:
        return image.properties.traits_required or []
    return []


def _without_explicit_traits(request_spec):
    spec = request_spec.obj_clone()
    spec.flavor.extra_specs = {
        key: value for key, value in spec.flavor.extra_specs.items()
        if not key.startswith('trait:')}
    if _image_traits(spec):
        spec.image.properties.traits_required = []
    return spec


def _filtered(context, request_spec):
    spec = request_spec.obj_clone()
    for request_filter_ in request_filter.ALL_REQUEST_FILTERS:
        if request_filter_ not in bypass.POLICY_FILTERS:
            request_filter_(context, spec)
    return spec


def _query(context, reportclient, request_spec, node, pinning):
    # A clone, as the resource request keeps and edits the spec's groups.
    resources = scheduler_utils.resources_from_request_spec(
        context, request_spec.obj_clone(), _OneNode(node),
        enable_pinning_translate=pinning)
    # None if Placement can not be reached, three of them if it refuses.
    answer = reportclient.get_allocation_candidates(context, resources)
    if answer is None or answer[0] is None:
        # Placement refuses to look into a tree that it does not have.
        check_provider(context, reportclient, node)
        raise coldmig_exc.MoveRefused(reason=_(
            "Placement did not answer the query for allocation candidates of "
            "host %s. Nothing was changed; see the log of nova-conductor, "
            "and migrate again when Placement answers.") % node.host)
    requests, _summaries, version = answer
    return resources, [(request, version) for request in requests]


def check_provider(context, reportclient, node):
    """Refuse a compute node that has no resource provider.

    :param context: nova.context.RequestContext
    :param reportclient: nova.scheduler.client.report.SchedulerReportClient
    :param node: nova.objects.ComputeNode
    :raises: nova_coldmig.exception.MoveRefused
    :raises: keystoneauth1.exceptions.ClientException if Placement does not
        answer.
    """
    if providers.root(context, reportclient, node.uuid) is None:
        raise coldmig_exc.MoveRefused(reason=_(
            "The compute node %(node)s of host %(host)s has no resource "
            "provider in Placement, so nothing can be claimed there. The log "
            "of nova-compute on that host says why: if the host was "
            "registered anew, a provider of before may have its name. Mend "
            "that, or name another host.") % {
                'node': node.uuid, 'host': node.host})


def check_segments(context, reportclient, request_spec, node):
    """Refuse a compute node outside of the segments of the server's ports.

    Of the pre-filters that force keeps, nova.scheduler.request_filter.
    routed_networks_filter asks for aggregates of Placement: those of the
    segments. No other does.

    :param context: nova.context.RequestContext
    :param reportclient: nova.scheduler.client.report.SchedulerReportClient
    :param request_spec: nova.objects.RequestSpec; it is not changed.
    :param node: nova.objects.ComputeNode, the destination.
    :raises: nova_coldmig.exception.MoveRefused
    :raises: keystoneauth1.exceptions.ClientException if Placement does not
        answer.
    """
    spec = request_spec.obj_clone()
    spec.requested_destination = objects.Destination()
    if not bypass.admits(
            _filtered(context, spec).requested_destination,
            lambda: providers.aggregates(context, reportclient, node.uuid)):
        raise coldmig_exc.MoveRefused(reason=_(
            "Host %s is not on the network segments of the server's ports, "
            "which would not work there, and force does not override that. "
            "Name a host on their segments.") % node.host)


def find(context, reportclient, request_spec, node):
    """Ask Placement what of a compute node could be claimed for a server.

    With the traits that flavor and image ask for first; without them only if
    nothing before was claimed, and if [coldmig]relax_traits allows. Each time
    with pinned CPUs as PCPU first and then, as nova.scheduler.manager.
    SchedulerManager.select_destinations does, as VCPU.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param reportclient: nova.scheduler.client.report.SchedulerReportClient
    :param request_spec: nova.objects.RequestSpec; it is not changed.
    :param node: nova.objects.ComputeNode, the destination.
    :returns: generator of tuples of a dict, the allocation request; a str,
        its microversion; and a list of str, the traits it does not honour.
    :raises: nova_coldmig.exception.MoveRefused if Placement does not
        answer or a pre-filter of Nova refuses the server.
    """
    traits = explicit_traits(request_spec)
    try:
        strict = _filtered(context, request_spec)
    except exception.RequestFilterFailed as e:
        raise coldmig_exc.MoveRefused(reason=_(
            "%s. Nova would place the server nowhere; mend that, then migrate "
            "again.") % e.format_message().rstrip('.'))
    queries: list[tuple[objects.RequestSpec, list[str]]] = [(strict, [])]
    if traits and CONF.coldmig.relax_traits:
        queries.append((_without_explicit_traits(strict), traits))
    for spec, overridden in queries:
        resources, found = _query(
            context, reportclient, spec, node, pinning=True)
        for request, version in found:
            yield request, version, overridden
        if (resources.cpu_pinning_requested and
                not CONF.workarounds.disable_fallback_pcpu_query):
            _resources, found = _query(
                context, reportclient, spec, node, pinning=False)
            for request, version in found:
                yield request, version, overridden
