# SPDX-License-Identifier: Apache-2.0

"""The task manager of the super conductor."""

from nova.conductor import manager
from oslo_log import log as logging
from oslo_utils import excutils

from nova_coldmig.compute import api as compute
from nova_coldmig.conductor import rpcapi
from nova_coldmig.conductor.tasks import migrate
import nova_coldmig.conf
from nova_coldmig import events
from nova_coldmig import exception

CONF = nova_coldmig.conf.CONF
LOG = logging.getLogger(__name__)


class ConductorManager(manager.ConductorManager):
    """Nova's conductor manager, which can be asked whether it knows force."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.additional_endpoints.append(rpcapi.ConductorEndpoint())


def name(_current, _tree):
    """Return what nova.service shall make for nova-conductor.

    :param _current: str, what it made before.
    :param _tree: nova_coldmig.series.Series
    :returns: str
    """
    return '%s.%s' % (ConductorManager.__module__, ConductorManager.__name__)


def compute_task_manager(upstream, _tree):
    """Make the class that takes the place of Nova's ComputeTaskManager.

    :param upstream: class, nova.conductor.manager.ComputeTaskManager.
    :param _tree: nova_coldmig.series.Series
    :returns: class
    """

    class ComputeTaskManager(upstream):  # type: ignore[misc,valid-type]
        """Runs ForcedMigrationTask for a cold migration that is forced."""

        @staticmethod
        def _get_request_spec_for_cold_migrate(
                context, instance, flavor, filter_properties, request_spec):
            request_spec = upstream._get_request_spec_for_cold_migrate(
                context, instance, flavor, filter_properties, request_spec)
            # Not a field: neither saved nor sent on with the request spec.
            request_spec.coldmig_force = (
                filter_properties.get(compute.FORCE_KEY) is True)
            return request_spec

        def _cold_migrate(self, context, instance, *args, **kwargs):
            # When Nova has put the state of the server back.
            try:
                return super()._cold_migrate(
                    context, instance, *args, **kwargs)
            except exception.MoveRefused as e:
                with excutils.save_and_reraise_exception():
                    self._record_refusal(context, instance, e.reason)

        def _record_refusal(self, context, instance, reason):
            LOG.warning('The cold migration is refused: %s', reason,
                        instance=instance)
            try:
                events.record(context, instance, events.REFUSED, self.host,
                              reason, result='Error')
            except Exception:
                # Nothing may take the place of the refusal.
                LOG.exception('The event %s could not be recorded.',
                              events.REFUSED, instance=instance)

        def _build_cold_migrate_task(self, context, instance, flavor,
                                     request_spec, clean_shutdown, host_list):
            # A host list says that a compute asks for another destination
            # than the one it was given. That is never forced.
            if request_spec.coldmig_force and host_list is None:
                return migrate.ForcedMigrationTask(
                    context, instance, flavor, request_spec, clean_shutdown,
                    self.compute_rpcapi, self.report_client, self.network_api,
                    self.servicegroup_api, self.host)
            if CONF.coldmig.guard_checked_moves and host_list is None:
                return migrate.GuardedMigrationTask(
                    context, instance, flavor, request_spec, clean_shutdown,
                    self.compute_rpcapi, self.query_client,
                    self.report_client, host_list, self.network_api)
            return super()._build_cold_migrate_task(
                context, instance, flavor, request_spec, clean_shutdown,
                host_list)

    return ComputeTaskManager
