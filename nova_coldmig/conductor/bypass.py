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

"""What of the deployment's policy a forced move goes against.

For the record only: nothing here refuses a move.
"""

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
    found = []
    if service.disabled:
        found.append(POLICY_FILTERS[request_filter.compute_status_filter])
    member_of = {aggregate.uuid for aggregate in
                 objects.AggregateList.get_by_host(context, service.host)}
    for filter_, reason in POLICY_FILTERS.items():
        if not _admits(context, request_spec, filter_, member_of):
            found.append(reason)
    return found


def _admits(context, request_spec, filter_, member_of):
    spec = request_spec.obj_clone()
    spec.requested_destination = objects.Destination()
    try:
        filter_(context, spec)
    except exception.RequestFilterFailed:
        return False
    destination = spec.requested_destination
    # Each entry is a list of aggregates, joined, of which one is needed.
    required = [set(entry.split(','))
                for entry in destination.aggregates or []]
    return (all(entry & member_of for entry in required) and
            not (destination.forbidden_aggregates or set()) & member_of)
