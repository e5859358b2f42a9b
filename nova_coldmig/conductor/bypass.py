# SPDX-License-Identifier: Apache-2.0

"""What of the deployment's policy a forced move goes against.

For the record only: nothing here refuses a move.
"""

import functools

from nova import exception
from nova.i18n import _
from nova import objects
from nova.scheduler import request_filter

#: The pre-filters that express policy of the deployment, which is what force
#: bypasses, and what to say if one would have refused the host. All other
#: pre-filters say what the guest needs to run, and force keeps them.
POLICY_FILTERS = {
    request_filter.compute_status_filter:
        _("its compute service is disabled"),
    request_filter.isolate_aggregates:
        _("it is in an aggregate kept for servers with other traits"),
    request_filter.map_az_to_placement_aggregate:
        _("it is not in the availability zone that the server is pinned to"),
    request_filter.require_tenant_aggregate:
        _("it is not in an aggregate of the server's project"),
}


def reasons(context, request_spec, service):
    """Tell which pre-filters of Nova would have refused a host.

    :param context: nova.context.RequestContext
    :param request_spec: nova.objects.RequestSpec; it is not changed.
    :param service: nova.objects.Service, the compute service of the host.
    :returns: list of str, one for each.
    """
    @functools.cache
    def member_of():
        # Mostly no filter asks for any aggregate.
        return {aggregate.uuid for aggregate in
                objects.AggregateList.get_by_host(context, service.host)}

    found = []
    if service.disabled:
        found.append(POLICY_FILTERS[request_filter.compute_status_filter])
    # One clone will do: these filters read nothing that another one writes.
    spec = request_spec.obj_clone()
    for filter_, reason in POLICY_FILTERS.items():
        spec.requested_destination = objects.Destination()
        if not _admits(context, spec, filter_, member_of):
            found.append(reason)
    return found


def _admits(context, spec, filter_, member_of):
    try:
        filter_(context, spec)
    except exception.RequestFilterFailed:
        return False
    return admits(spec.requested_destination, member_of)


def admits(destination, member_of):
    """Tell whether a host is in the aggregates that pre-filters ask for.

    :param destination: nova.objects.Destination, as they left it.
    :param member_of: callable that returns the UUIDs of the aggregates of the
        host, a set. It is called only if any aggregate is asked for.
    :returns: bool
    """
    required = destination.aggregates or []
    forbidden = destination.forbidden_aggregates or set()
    if not required and not forbidden:
        return True
    # Each entry is a list of aggregates, joined, of which one is needed.
    return (all(set(entry.split(',')) & member_of() for entry in required) and
            not forbidden & member_of())
