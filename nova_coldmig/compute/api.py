# SPDX-License-Identifier: Apache-2.0

"""The compute API of a forced cold migration."""

from nova import availability_zones
from nova.compute import api as compute
from nova import exception as nova_exception
from nova.i18n import _
from nova import objects
from oslo_log import log as logging

from nova_coldmig.compute import image
import nova_coldmig.conf
from nova_coldmig import database
from nova_coldmig import destination
from nova_coldmig import exception
from nova_coldmig.policies import migrate_server as policies
from nova_coldmig import records

CONF = nova_coldmig.conf.CONF
LOG = logging.getLogger(__name__)

#: The key of scheduler_hint['filter_properties'] that tells the conductor. A
#: conductor that does not know it asks the scheduler about the same host.
FORCE_KEY = 'nova_coldmig:force'


class ForcedComputeTaskAPI:
    """Tells the conductor that the destination is forced.

    :param api: nova.conductor.api.ComputeTaskAPI
    """

    def __init__(self, api):
        self._api = api

    def resize_instance(self, context, instance, scheduler_hint,
                        request_spec, **kwargs):
        """Pass the request on with the key for force, and say so in the log.

        :param context: nova.context.RequestContext
        :param instance: nova.objects.Instance
        :param scheduler_hint: dict, as nova.compute.api.API.resize makes it.
        :param request_spec: nova.objects.RequestSpec, whose
            requested_destination names the host.
        """
        filter_properties = dict(
            scheduler_hint['filter_properties'], **{FORCE_KEY: True})
        self._api.resize_instance(
            context, instance,
            scheduler_hint=dict(scheduler_hint,
                                filter_properties=filter_properties),
            request_spec=request_spec, **kwargs)
        LOG.info('User %(user)s of project %(project)s forces the cold '
                 'migration of the server from host %(source)s to host '
                 '%(destination)s.',
                 {'user': context.user_id, 'project': context.project_id,
                  'source': instance.host,
                  'destination': request_spec.requested_destination.host},
                 instance=instance)


class ForcedAPI(compute.API):
    """Nova's compute API for one forced cold migration.

    It is made for one request from the API object of the controller, which
    all requests share and which stays as it is.
    """

    @classmethod
    def of(cls, api):
        """Make one from the API object of a controller.

        :param api: nova.compute.api.API
        :returns: ForcedAPI
        """
        forced = cls.__new__(cls)
        forced.__dict__.update(vars(api))
        forced.compute_task_api = ForcedComputeTaskAPI(api.compute_task_api)
        return forced

    def resize(self, context, instance, host_name):
        """Cold migrate an instance to a host without asking the scheduler.

        :param context: nova.context.RequestContext
        :param instance: nova.objects.Instance
        :param host_name: str, the destination.
        :raises: nova.exception.PolicyNotAuthorized, what
            nova.compute.api.API.resize raises, what
            _validate_host_for_cold_migrate raises, and
            nova_coldmig.exception.ForcedServerChanged in place of
            nova.exception.InstanceUpdateConflict, which the migrate action
            does not know.
        """
        context.can(policies.FORCE,
                    target={'project_id': instance.project_id})
        try:
            super().resize(context, instance, host_name=host_name)
        except nova_exception.InstanceUpdateConflict:
            raise exception.ForcedServerChanged(reason=_(
                "Another request changed the server at the same time, so this "
                "one did nothing. See what the server does now ('openstack "
                "server show %s'), and migrate again if that is still "
                "needed.") % instance.uuid)

    def _allow_cross_cell_resize(self, *args, **kwargs):
        # So that Nova looks for the host in the cell of the instance, and a
        # conductor that does not know force stays there too.
        return False

    def _allow_resize_to_same_host(self, *args, **kwargs):
        # Nova would ask Placement whether the source may be the destination,
        # which a forced one never is.
        return False

    def _validate_host_for_cold_migrate(self, context, instance, host_name,
                                        allow_cross_cell_resize):
        """Check what the API can know of the destination.

        Nova's resize calls this when it has checked the server's state and
        before it changes anything.

        :param context: nova.context.RequestContext, targeted at the cell of
            the instance.
        :param instance: nova.objects.Instance
        :param host_name: str
        :param allow_cross_cell_resize: bool, False.
        :returns: nova.objects.ComputeNode
        :raises: nova_coldmig.exception.ForcedDestinationInvalid,
            nova_coldmig.exception.ForcedDestinationUnavailable,
            nova_coldmig.exception.EarlierMoveUnfinished
        """
        migrations = records.read(context, instance)
        # What has ended and may yet hold something, the conductor asks of
        # Placement.
        records.check(instance, migrations, holds=lambda migration: False)
        source = destination.get_source_node(context, instance)
        node = destination.get_compute_node(context, host_name, source)
        records.check_not_evacuated_from(migrations, node.host)
        destination.check_hypervisor_type(source, node)
        destination.check_image(image.get(instance), node)
        destination.get_service_up(context, self.servicegroup_api, node.host)
        self._check_volumes_can_attach(context, instance, node.host)
        return node

    def _check_volumes_can_attach(self, context, instance, host):
        # Unforced, the zone that the server is pinned to takes care of this.
        if CONF.cinder.cross_az_attach:
            return
        with database.reading(_("the availability zone of host %s") % host,
                              'aggregates'):
            zone = availability_zones.get_host_availability_zone(context, host)
        with database.reading(_("the volumes of the server"),
                              'block_device_mapping'):
            bdms = objects.BlockDeviceMappingList.get_by_instance_uuid(
                context, instance.uuid)
        for bdm in bdms:
            if not bdm.is_volume or not bdm.volume_id:
                continue
            volume = self._get_volume(context, bdm.volume_id)
            if volume['availability_zone'] != zone:
                raise exception.ForcedDestinationInvalid(reason=_(
                    "Volume %(volume)s of the server is in availability zone "
                    "%(volume_zone)s and host %(host)s is in %(zone)s, and "
                    "[cinder]cross_az_attach forbids that. Name a host in "
                    "%(volume_zone)s.") % {
                        'volume': bdm.volume_id,
                        'volume_zone': volume['availability_zone'],
                        'host': host, 'zone': zone})

    def _get_volume(self, context, volume_id):
        try:
            return self.volume_api.get(context, volume_id)
        except nova_exception.VolumeNotFound:
            # Also one of another project, to a user who is no admin.
            raise exception.ForcedDestinationInvalid(reason=_(
                "Volume %s of the server is not in Cinder, or Cinder does not "
                "show it to you, so it can not be told whether the host may "
                "attach it, which [cinder]cross_az_attach asks for. If an "
                "admin does not see it either, detach it; then migrate "
                "again.") % volume_id)
        except nova_exception.Forbidden:
            raise exception.ForcedDestinationUnavailable(reason=_(
                "Cinder does not let you see volume %s of the server, so it "
                "can not be told whether the host may attach it, which "
                "[cinder]cross_az_attach asks for. Have a user migrate who "
                "may see it.") % volume_id)
        except Exception as e:
            # Nova translates a few errors of Cinder. The rest are those of
            # keystoneauth and of cinderclient, many of which are bare, and
            # whatever comes of an answer that is not Cinder's.
            LOG.warning('Cinder did not answer about volume %(volume)s: '
                        '%(error)s', {'volume': volume_id, 'error': e},
                        exc_info=True)
            raise exception.ForcedDestinationUnavailable(reason=_(
                "Cinder did not answer whether the host may attach volume %s "
                "of the server, which [cinder]cross_az_attach asks for. See "
                "the log of nova-api, and migrate again when Cinder "
                "answers.") % volume_id)
