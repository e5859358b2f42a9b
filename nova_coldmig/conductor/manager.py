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

"""The task manager of the super conductor."""

from nova.conductor import manager

from nova_coldmig.compute import api as compute
from nova_coldmig.conductor import rpcapi
from nova_coldmig.conductor.tasks import migrate


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

    class ComputeTaskManager(upstream):
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

        def _build_cold_migrate_task(self, context, instance, flavor,
                                     request_spec, clean_shutdown, host_list):
            # A host list says that a compute asks for another destination
            # than the one it was given. That is never forced.
            if request_spec.coldmig_force and host_list is None:
                return migrate.ForcedMigrationTask(
                    context, instance, flavor, request_spec, clean_shutdown,
                    self.compute_rpcapi, self.report_client, self.network_api,
                    self.servicegroup_api, self.host)
            return super()._build_cold_migrate_task(
                context, instance, flavor, request_spec, clean_shutdown,
                host_list)

    return ComputeTaskManager
