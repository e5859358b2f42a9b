# SPDX-License-Identifier: Apache-2.0

"""The tasks of cold migrations that are forced, or guarded."""

import contextlib

from keystoneauth1 import exceptions as ks_exc
from nova import availability_zones
from nova.conductor.tasks import migrate
from nova import exception
from nova.i18n import _
from nova import objects
from nova.scheduler import utils as scheduler_utils
from oslo_log import log as logging
from oslo_serialization import jsonutils

from nova_coldmig.conductor import bypass
from nova_coldmig.conductor import candidates
from nova_coldmig.conductor import claim
from nova_coldmig.conductor import fit
from nova_coldmig.conductor import group_policy
import nova_coldmig.conf
from nova_coldmig import destination
from nova_coldmig import events
from nova_coldmig import exception as coldmig_exc
from nova_coldmig import records

CONF = nova_coldmig.conf.CONF
LOG = logging.getLogger(__name__)


class ForcedMigrationTask(migrate.MigrationTask):
    """Cold migrates a server to the named host without the scheduler.

    What is not overridden is Nova's: the group, port and PCI requests before
    the claim, prep_resize after it, and the rollback. The task holds no
    scheduler client, so there is no way to the scheduler from it.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param instance: nova.objects.Instance
    :param flavor: nova.objects.Flavor, the one the server has.
    :param request_spec: nova.objects.RequestSpec, whose requested_destination
        names host and node.
    :param clean_shutdown: bool
    :param compute_rpcapi: nova.compute.rpcapi.ComputeAPI
    :param report_client: nova.scheduler.client.report.SchedulerReportClient
    :param network_api: nova.network.neutron.API
    :param servicegroup_api: nova.servicegroup.API
    :param host: str, the conductor's own host, for the record.
    """

    def __init__(self, context, instance, flavor, request_spec,
                 clean_shutdown, compute_rpcapi, report_client, network_api,
                 servicegroup_api, host):
        super().__init__(
            context, instance, flavor, request_spec, clean_shutdown,
            compute_rpcapi, query_client=None, report_client=report_client,
            host_list=None, network_api=network_api)
        self.servicegroup_api = servicegroup_api
        self.host = host
        self.migrations = []
        self.details = None

    def _preallocate_migration(self):
        """Make the migration record and leave the allocations alone.

        Mirrors MigrationTask._preallocate_migration, which also hands the
        source's allocation to the migration; here the claim does that. Nova
        goes on with a record that is pre-migrating, for its reschedules. A
        forced move is never rescheduled, so that any such record is one of an
        earlier move, with its source.

        :returns: nova.objects.Migration
        :raises: nova_coldmig.exception.MoveRefused if an earlier move is not
            done with.
        """
        self.migrations = _check_records(
            self.context, self.reportclient, self.instance)
        with _refusals(self.instance):
            self._source_cn = destination.get_source_node(
                self.context, self.instance)
        self._migration = objects.Migration(
            context=self.context.elevated(),
            instance_uuid=self.instance.uuid,
            migration_type='migration',
            status='pre-migrating',
            source_compute=self.instance.host,
            source_node=self.instance.node,
            old_instance_type_id=self.instance.flavor.id,
            new_instance_type_id=self.flavor.id)
        self._migration.create()
        return self._migration

    def _execute(self):
        """Run Nova's, and leave word of what was forced.

        After the message to the destination, so that the event says what was
        done. From then on the move is the computes', and nothing that fails
        here may roll it back.
        """
        super()._execute()
        try:
            events.record(self.context, self.instance, events.FORCED,
                          self.host, self.details)
        except Exception:
            LOG.exception('The event %(event)s could not be recorded: '
                          '%(details)s',
                          {'event': events.FORCED, 'details': self.details},
                          instance=self.instance)

    def _schedule(self):
        """Claim the destination, in place of asking the scheduler for one.

        :returns: nova.objects.Selection
        :raises: nova_coldmig.exception.MoveRefused with a reason for the
            operator, before anything is changed.
        """
        with _refusals(self.instance):
            node, service = self._check_destination()
            group_policy.check(self.context, self.instance, node)
            source = claim.get_source(
                self.context, self.reportclient, self.instance,
                self._source_cn, self.migrations)
            request, version, overridden = self._claim(node, source)

        selection = objects.Selection(
            compute_node_uuid=node.uuid,
            service_host=node.host,
            nodename=node.hypervisor_hostname,
            cell_uuid=self.context.cell_uuid,
            limits=fit.limits(self.request_spec, node),
            allocation_request=jsonutils.dumps(request),
            allocation_request_version=version,
            availability_zone=availability_zones.get_host_availability_zone(
                self.context, node.host))
        # No alternates: the operator named one host.
        self.host_list = []
        scheduler_utils.fill_provider_mapping(self.request_spec, selection)
        self.details = self._describe(node, service, overridden)
        # As late as can be: once the destination is told, it would hand the
        # source back to a server that was deleted (bug 1848343).
        self._get_instance()
        return selection

    def rollback(self, ex):
        """Take back what was done, and keep the reason if that fails.

        :param ex: Exception, why.
        """
        try:
            super().rollback(ex)
            self._release_if_deleted()
        except (ks_exc.ClientException,
                exception.AllocationDeleteFailed,
                exception.AllocationMoveFailed,
                exception.ConsumerAllocationRetrievalFailed) as e:
            # Whoever raises here takes the place of the reason. What is left
            # is found before the next claim.
            LOG.error('The claim of the migration could not be taken back: '
                      "%s. 'nova-coldmig-manage migration check' tells what "
                      'is left.', e, instance=self.instance)

    def _get_instance(self):
        """Read the instance anew.

        :returns: nova.objects.Instance
        :raises: nova.exception.InstanceNotFound if it was deleted meanwhile.
        """
        return objects.Instance.get_by_uuid(
            self.context, self.instance.uuid, expected_attrs=[])

    def _release_if_deleted(self):
        """Take from a server that is gone what the rollback gave back."""
        if not self._held_allocations:
            return
        try:
            self._get_instance()
        except exception.InstanceNotFound:
            self.reportclient.delete_allocation_for_instance(
                self.context, self.instance.uuid, force=True)

    def _check_destination(self):
        named = self.request_spec.requested_destination
        if 'host' not in named or not self.context.cell_uuid:
            # Without its instance mapping the context has no cell, and Nova
            # would start a cross-cell migration.
            raise coldmig_exc.MoveRefused(reason=_(
                "The conductor was not told the host, or does not know the "
                "cell of the server. Check 'nova-manage cell_v2 "
                "verify_instance --uuid %s', then migrate again.") %
                self.instance.uuid)
        node = destination.get_compute_node(
            self.context, named.host, self._source_cn)
        destination.check_hypervisor_type(self._source_cn, node)
        destination.check_image(self.request_spec.image, node)
        records.check_not_evacuated_from(self.migrations, node.host)
        service = destination.get_service_up(
            self.context, self.servicegroup_api, node.host)
        return node, service

    def _claim(self, node, source):
        found = fitting = tried = 0
        for request, version, overridden in candidates.find(
                self.context, self.reportclient, self.request_spec, node):
            found += 1
            if not fit.fits(self.request_spec, node, request):
                continue
            fitting += 1
            if tried == CONF.coldmig.max_claim_attempts:
                break
            tried += 1
            try:
                claimed = claim.move(
                    self.context, self.reportclient, self.instance,
                    self._migration, source, self.request_spec, request,
                    version)
            except (ks_exc.ClientException,
                    exception.ConsumerAllocationRetrievalFailed):
                # The claim may have been made: have the rollback look.
                self._held_allocations = source['allocations']
                raise
            if claimed:
                self._held_allocations = source['allocations']
                return request, version, overridden
        raise coldmig_exc.MoveRefused(
            reason=self._why_not(node, found, fitting, tried))

    def _why_not(self, node, found, fitting, tried):
        facts = {'host': node.host, 'node': node.uuid, 'tried': tried}
        if fitting:
            return _("Other requests took the room on host %(host)s first, "
                     "%(tried)d times in a row. Migrate again.") % facts
        if found:
            return _("The NUMA cells or PCI devices that are free on host "
                     "%(host)s do not fit the server, and force does not "
                     "override that. Free some, or name another host.") % facts
        candidates.check_provider(self.context, self.reportclient, node)
        candidates.check_segments(
            self.context, self.reportclient, self.request_spec, node)
        traits = candidates.explicit_traits(self.request_spec)
        if traits and not CONF.coldmig.relax_traits:
            facts['traits'] = ', '.join(traits)
            return _("Placement has nothing on host %(host)s that holds the "
                     "server with its traits, and [coldmig]relax_traits "
                     "forbids to override them. Name another host. The "
                     "traits: %(traits)s.") % facts
        return _("Placement has nothing on host %(host)s that holds the "
                 "server: it is full or lacks a device or capability. Free "
                 "some (see 'openstack resource provider usage show "
                 "%(node)s') or name another host.") % facts

    def _describe(self, node, service, overridden):
        """Say what is forced, and what that bypasses.

        :returns: str, the details of the event.
        """
        bypassed = bypass.reasons(self.context, self.request_spec, service)
        if overridden:
            bypassed.append(_("it lacks the traits %s") %
                            ', '.join(overridden))
        details = _("Forced from host %(source)s to host %(host)s without "
                    "the scheduler.") % {'source': self.instance.host,
                                         'host': node.host}
        if bypassed:
            details += _(" Bypassed: %s.") % '; '.join(bypassed)
            LOG.warning(details, instance=self.instance)
        else:
            LOG.info(details, instance=self.instance)
        return details


class GuardedMigrationTask(migrate.MigrationTask):
    """Nova's cold migration or resize, of a server without unfinished moves.

    Nova takes a record that an earlier move left behind for that of the move
    at hand, source host and all. Where there is none it does what it did
    before. Only for a first attempt: a reschedule goes on with the record of
    the attempt before it.
    """

    def _preallocate_migration(self):
        _check_records(self.context, self.reportclient, self.instance)
        return super()._preallocate_migration()


def _check_records(context, reportclient, instance):
    """Read the migrations of a server, and refuse it if one is unfinished.

    :returns: list of nova.objects.Migration
    :raises: nova_coldmig.exception.MoveRefused
    """
    def holds(migration):
        return bool(reportclient.get_allocs_for_consumer(
            context, migration.uuid)['allocations'])

    with _refusals(instance):
        migrations = records.read(context, instance)
        records.check(instance, migrations, holds)
    return migrations


@contextlib.contextmanager
def _refusals(instance):
    """Turn what keeps a move from being claimed into a refusal.

    :raises: nova_coldmig.exception.MoveRefused
    """
    try:
        yield
    except (coldmig_exc.EarlierMoveUnfinished,
            coldmig_exc.ForcedDestinationInvalid,
            coldmig_exc.ForcedDestinationUnavailable) as e:
        raise coldmig_exc.MoveRefused(reason=e.format_message())
    except (ks_exc.ClientException,
            exception.ConsumerAllocationRetrievalFailed) as e:
        LOG.warning('Placement did not answer: %s', e, instance=instance)
        raise coldmig_exc.MoveRefused(reason=_(
            "Placement did not answer. The server stays where it is; see "
            "the log of nova-conductor, and migrate again when Placement "
            "answers."))
