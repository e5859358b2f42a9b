# SPDX-License-Identifier: Apache-2.0

"""The claim of a forced move in Placement: one request, all or nothing.

The migration takes over what the server holds on its source, and the server
gets its allocation on the destination, in one POST /allocations. Placement
runs it as one transaction, so no moment and no failure leaves the server
without an allocation or with a wrong one.
"""

from keystoneauth1 import exceptions as ks_exc
from nova.i18n import _
from nova import objects
from nova.scheduler.client import report
from oslo_log import log as logging

from nova_coldmig.conductor import turns
import nova_coldmig.conf
from nova_coldmig import exception as coldmig_exc
from nova_coldmig import providers
from nova_coldmig import records

CONF = nova_coldmig.conf.CONF
LOG = logging.getLogger(__name__)

#: Of all claims of the process.
TURNS = turns.Turns()


def get_source(context, reportclient, instance, source_node, migrations):
    """Read what a server holds, which must be all on its source.

    A server that was evacuated holds the host that it was lost on, too, until
    that host is back. Nova hands all of it to the migration (nova.conductor.
    tasks.migrate.replace_allocation_with_migration), and so does this.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param reportclient: nova.scheduler.client.report.SchedulerReportClient
    :param instance: nova.objects.Instance
    :param source_node: nova.objects.ComputeNode, the one it runs on.
    :param migrations: list of nova.objects.Migration, all of the server.
    :returns: dict, the answer of Placement to GET /allocations/{consumer}.
    :raises: nova_coldmig.exception.MoveRefused if the server holds nothing on
        its source, or something on a compute node that it has nothing to do
        with. Both are left by a move that died, and a claim on top would
        count twice for ever.
    :raises: nova.exception.ConsumerAllocationRetrievalFailed,
        keystoneauth1.exceptions.ClientException if Placement does not answer.
    """
    source = reportclient.get_allocs_for_consumer(context, instance.uuid)
    held = source['allocations']
    # Mostly there is nothing to ask the database for. Providers below the
    # source's compute node are none themselves.
    elsewhere = [provider for provider in held if provider != source_node.uuid]
    nodes = objects.ComputeNodeList.get_all_by_uuids(
        context, elsewhere) if elsewhere else []
    evacuated = records.evacuated_nodes(migrations)
    others = sorted(node.host for node in nodes
                    if (node.host, node.hypervisor_hostname) not in evacuated)
    facts = {'uuid': instance.uuid, 'source': instance.host,
             'node': source_node.uuid, 'others': ', '.join(others),
             'providers': ', '.join(sorted(held))}
    if others:
        raise coldmig_exc.MoveRefused(reason=_(
            "Host %(others)s holds an allocation of the server, of a move cut "
            "short. 'nova-coldmig-manage migration repair --server %(uuid)s' "
            "says how to put that right; then migrate again.") % facts)
    if source_node.uuid in held:
        return source
    if providers.root(context, reportclient, source_node.uuid) is None:
        raise coldmig_exc.MoveRefused(reason=_(
            "The compute node %(node)s of the server's host %(source)s has no "
            "resource provider in Placement, so the server holds nothing "
            "there. 'nova-coldmig-manage migration repair --server %(uuid)s' "
            "says what to do; then migrate again.") % facts)
    if held:
        raise coldmig_exc.MoveRefused(reason=_(
            "The server holds no allocation on its host %(source)s. What it "
            "holds is of other resource providers: %(providers)s. "
            "'nova-coldmig-manage migration repair --server %(uuid)s' says "
            "what to do; then migrate again.") % facts)
    raise coldmig_exc.MoveRefused(reason=_(
        "The server holds no allocation on its host %(source)s. "
        "'nova-coldmig-manage migration repair --server %(uuid)s' says "
        "how to give it one; then migrate again.") % facts)


def move(context, reportclient, instance, migration, source, request_spec,
         request, version):
    """Hand the source to the migration and claim the destination.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param reportclient: nova.scheduler.client.report.SchedulerReportClient
    :param instance: nova.objects.Instance
    :param migration: nova.objects.Migration, which holds nothing so far.
    :param source: dict, what get_source returned.
    :param request_spec: nova.objects.RequestSpec. As in nova.scheduler.utils.
        claim_resources, the new allocation of the server belongs to its
        project and user.
    :param request: dict, an allocation request of Placement.
    :param version: str, the microversion of request.
    :returns: bool, whether it was done. If not, another request took the room
        first and nothing was changed.
    :raises: nova_coldmig.exception.MoveRefused if the server or the migration
        was changed meanwhile, or a host that it holds is over its capacity.
    :raises: keystoneauth1.exceptions.ClientException or
        nova.exception.ConsumerAllocationRetrievalFailed if Placement does not
        answer, or with an error of its own. Whether it was done is not known
        then.
    """
    held = {provider: {'resources': allocation['resources']}
            for provider, allocation in source['allocations'].items()}
    payload = {
        migration.uuid: dict(
            project_id=source['project_id'], user_id=source['user_id'],
            # No generation says that the consumer must be new.
            allocations=held, consumer_generation=None),
        instance.uuid: dict(
            project_id=request_spec.project_id, user_id=request_spec.user_id,
            consumer_generation=source['consumer_generation'],
            **request),
    }
    with TURNS.turn([*held, *request['allocations']],
                    CONF.coldmig.claim_turn_timeout,
                    CONF.coldmig.max_waiting_claims):
        response = _post(reportclient, context, payload, version)
    if response is False or response.status_code == 204:
        return bool(response)
    detail = response.json()['errors'][0]['detail']
    if 'consumer generation conflict' in detail:
        if _is_made(context, reportclient, payload):
            return True
        raise coldmig_exc.MoveRefused(reason=_(
            "The allocations of the server changed while it was being "
            "claimed for the migration. Nothing was changed; look at the "
            "server and migrate again."))
    over = [provider for provider in held if provider in detail]
    if over:
        raise coldmig_exc.MoveRefused(reason=_(
            "Host %s, which the server holds, is over its capacity and this "
            "Placement lets no allocation there change hands; Placement "
            "14.0.0 does. Raise the allocation ratio of the host, or upgrade "
            "Placement, then migrate again.") %
            _host_of(context, reportclient, instance, over[0]))
    LOG.info('Placement did not grant the claim of the migration: %s',
             detail, instance=instance)
    return False


def _host_of(context, reportclient, instance, provider):
    """Name the host of a provider that a server holds."""
    root = providers.root(context, reportclient, provider)
    nodes = objects.ComputeNodeList.get_all_by_uuids(
        context, [root]) if root else []
    # Of one that no compute node of the cell is, such as a shared one, the
    # server's host is the next best.
    return ([node.host for node in nodes] or [instance.host])[0]


def _is_made(context, reportclient, payload):
    """Tell whether a claim that is refused was made before.

    With [placement]connect_retries or status_code_retries, keystoneauth sends
    a claim again whose answer was lost on the way.
    """
    return all(
        _resources(reportclient.get_allocs_for_consumer(context, consumer)) ==
        _resources(claimed) for consumer, claimed in payload.items())


def _resources(consumer):
    return {provider: allocation['resources'] for provider, allocation in
            consumer['allocations'].items()}


@report.retries
def _post(reportclient, context, payload, version):
    response = reportclient.post(
        '/allocations', payload, version=version,
        global_request_id=context.global_id)
    if response.status_code not in (204, 409):
        raise ks_exc.HttpError(
            message=response.text, http_status=response.status_code)
    if response.status_code == 409:
        error = response.json()['errors'][0]
        # As in SchedulerReportClient.move_allocations: a conflict that is
        # not of a consumer is one of providers, which this request does not
        # name, and so passes.
        if (error['code'] == 'placement.concurrent_update' and
                'consumer generation conflict' not in error['detail']):
            raise report.Retry('claim', error['detail'])
    return response
