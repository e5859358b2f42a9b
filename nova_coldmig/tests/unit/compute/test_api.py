# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import threading
from unittest import mock

from cinderclient import exceptions as cinder_exc
from keystoneauth1 import exceptions as ks_exc
from nova.compute import api as compute
from nova.conductor import api as conductor
from nova import context as nova_context
from nova import exception
from nova import objects
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.compute import api
from nova_coldmig import exception as coldmig_exc
from nova_coldmig.policies import migrate_server as policies


def make_instance(**values):
    values.setdefault('host', 'source')
    return objects.Instance(
        uuid=values.pop('uuid', uuids.instance), project_id=uuids.project,
        node='source', **values)


def make_request_spec(host):
    return objects.RequestSpec(
        requested_destination=objects.Destination(host=host))


class ForcedComputeTaskAPITest(test.NoDBTestCase):

    def test_adds_the_key_to_a_copy(self):
        upstream = mock.create_autospec(conductor.ComputeTaskAPI)
        context = nova_context.RequestContext('user', uuids.project)
        instance = make_instance()
        spec = make_request_spec('dest')
        hint = {'filter_properties': {'ignore_hosts': ['source']}}
        api.ForcedComputeTaskAPI(upstream).resize_instance(
            context, instance, scheduler_hint=hint,
            flavor=mock.sentinel.flavor, request_spec=spec, do_cast=True)
        upstream.resize_instance.assert_called_once_with(
            context, instance,
            scheduler_hint={'filter_properties': {
                'ignore_hosts': ['source'], 'nova_coldmig:force': True}},
            flavor=mock.sentinel.flavor, request_spec=spec, do_cast=True)
        self.assertEqual(
            {'filter_properties': {'ignore_hosts': ['source']}}, hint)
        self.assertIn(
            'User user of project %s forces the cold migration of the server '
            'from host source to host dest.' % uuids.project,
            self.stdlog.logger.output)

    def test_says_nothing_that_did_not_happen(self):
        upstream = mock.create_autospec(conductor.ComputeTaskAPI)
        upstream.resize_instance.side_effect = exception.NovaException
        self.assertRaises(
            exception.NovaException,
            api.ForcedComputeTaskAPI(upstream).resize_instance,
            nova_context.RequestContext('user', uuids.project),
            make_instance(), scheduler_hint={'filter_properties': {}},
            flavor=mock.sentinel.flavor,
            request_spec=make_request_spec('dest'))
        self.assertNotIn('forces', self.stdlog.logger.output)


class ForcedAPITest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.shared = compute.API()
        self.before = dict(vars(self.shared))
        self.context = nova_context.RequestContext(
            'user', uuids.project, is_admin=True)
        self.can = self.useFixture(test.fixtures.MockPatchObject(
            nova_context.RequestContext, 'can')).mock

    def test_leaves_the_shared_object_alone(self):
        forced = api.ForcedAPI.of(self.shared)
        self.assertIsInstance(forced, compute.API)
        self.assertIsInstance(
            forced.compute_task_api, api.ForcedComputeTaskAPI)
        self.assertEqual(self.before, vars(self.shared))
        self.assertIs(self.shared.network_api, forced.network_api)

    def test_never_crosses_cells(self):
        forced = api.ForcedAPI.of(self.shared)
        for arguments in ((self.context, make_instance()),
                          (self.context, make_instance(), 66)):
            self.assertIs(False, forced._allow_cross_cell_resize(*arguments))

    @mock.patch.object(compute.API, 'resize', autospec=True)
    def test_checks_the_policy_before_anything_else(self, resize):
        self.can.side_effect = exception.PolicyNotAuthorized(
            action=policies.FORCE)
        self.assertRaises(
            exception.PolicyNotAuthorized,
            api.ForcedAPI.of(self.shared).resize,
            self.context, make_instance(), host_name='dest')
        resize.assert_not_called()

    @mock.patch.object(compute.API, 'resize', autospec=True)
    def test_resizes_as_nova_does(self, resize):
        instance = make_instance()
        forced = api.ForcedAPI.of(self.shared)
        forced.resize(self.context, instance, host_name='dest')
        self.can.assert_called_once_with(
            policies.FORCE, target={'project_id': uuids.project})
        resize.assert_called_once_with(
            self.context, instance, host_name='dest')

    @mock.patch.object(compute.API, 'resize', autospec=True)
    def test_server_that_another_request_changed(self, resize):
        for error in (
            exception.InstanceUpdateConflict(
                instance_uuid='i', expected={}, actual={}),
            exception.UnknownInstanceUpdateConflict(instance_uuid='i'),
            exception.UnexpectedTaskStateError(
                instance_uuid='i', expected={}, actual={}),
            exception.UnexpectedDeletingTaskStateError(
                instance_uuid='i', expected={}, actual={}),
        ):
            resize.side_effect = error
            exc = self.assertRaises(
                coldmig_exc.ForcedServerChanged,
                api.ForcedAPI.of(self.shared).resize,
                self.context, make_instance(), host_name='dest')
            self.assertIn("'openstack server show %s'" % uuids.instance,
                          exc.format_message())

    def test_threads_share_nothing(self):
        """Forced and unforced requests on the object of one controller."""
        forced_to = set()
        unforced = set()
        barrier = threading.Barrier(8)

        def resized(self_, context, instance, host_name):
            hint = {'filter_properties': {}}
            self_.compute_task_api.resize_instance(
                context, instance, scheduler_hint=hint,
                request_spec=make_request_spec(host_name))

        def told(context, instance, scheduler_hint, request_spec):
            flags = scheduler_hint['filter_properties']
            (forced_to if flags else unforced).add(instance.uuid)

        self.useFixture(test.fixtures.MonkeyPatch(
            'nova.compute.api.API.resize', resized))
        self.shared.compute_task_api = mock.Mock(
            spec=conductor.ComputeTaskAPI)
        self.shared.compute_task_api.resize_instance.side_effect = told

        def request(number):
            instance = make_instance(uuid=getattr(uuids, 'i%d' % number))
            barrier.wait()
            subject = (api.ForcedAPI.of(self.shared) if number % 2
                       else self.shared)
            subject.resize(self.context, instance, host_name='dest')

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(request, range(200)))
        self.assertEqual({getattr(uuids, 'i%d' % n)
                          for n in range(1, 200, 2)}, forced_to)
        self.assertEqual({getattr(uuids, 'i%d' % n)
                          for n in range(0, 200, 2)}, unforced)


@mock.patch.object(objects.BlockDeviceMappingList, 'get_by_instance_uuid',
                   autospec=True)
@mock.patch('nova.availability_zones.get_host_availability_zone',
            autospec=True, return_value='zone1')
class VolumesTest(test.NoDBTestCase):
    """[cinder]cross_az_attach, which only the pinned zone looks after."""

    def setUp(self):
        super().setUp()
        self.forced = api.ForcedAPI.of(compute.API())
        self.forced.volume_api = mock.create_autospec(
            self.forced.volume_api, instance=True)
        self.flags(cross_az_attach=False, group='cinder')

    def _check(self, bdms, zone):
        bdms.return_value = [
            objects.BlockDeviceMapping(
                source_type='image', destination_type='local',
                volume_id=None),
            objects.BlockDeviceMapping(
                source_type='volume', destination_type='volume',
                volume_id=uuids.volume)]
        self.forced.volume_api.get.return_value = {'availability_zone': zone}
        self.forced._check_volumes_can_attach(
            mock.sentinel.context, make_instance(), 'dest')

    def test_same_zone(self, get_zone, bdms):
        self._check(bdms, 'zone1')
        self.forced.volume_api.get.assert_called_once_with(
            mock.sentinel.context, uuids.volume)

    def test_other_zone(self, get_zone, bdms):
        exc = self.assertRaises(coldmig_exc.ForcedDestinationInvalid,
                                self._check, bdms, 'zone2')
        self.assertIn('Name a host in zone2.', exc.format_message())

    def test_other_zone_where_that_is_fine(self, get_zone, bdms):
        self.flags(cross_az_attach=True, group='cinder')
        self._check(bdms, 'zone2')
        self.forced.volume_api.get.assert_not_called()

    def _answers(self, error):
        self.forced.volume_api.get.side_effect = error
        return self.assertRaises(
            (coldmig_exc.ForcedDestinationInvalid,
             coldmig_exc.ForcedDestinationUnavailable),
            self.forced._get_volume, mock.sentinel.context, uuids.volume)

    def test_whatever_asking_cinder_raises(self, get_zone, bdms):
        """Also what keystoneauth and cinderclient raise one day."""
        errors = [cls for module in (ks_exc, cinder_exc)
                  for cls in vars(module).values()
                  if isinstance(cls, type) and issubclass(cls, Exception)]
        self.assertIn(ks_exc.EndpointNotFound, errors)
        self.assertIn(cinder_exc.UnsupportedVersion, errors)
        for error in errors:
            # Some want arguments, which do not matter here.
            self._answers(type(error.__name__, (error,), {
                '__init__': lambda self: None,
                '__str__': lambda self: 'why'})())

    def test_volume_that_is_not_shown(self, get_zone, bdms):
        self.assertIsInstance(
            self._answers(exception.VolumeNotFound(volume_id=uuids.volume)),
            coldmig_exc.ForcedDestinationInvalid)

    def test_volume_that_is_forbidden(self, get_zone, bdms):
        exc = self._answers(exception.Forbidden('no'))
        self.assertIsInstance(exc, coldmig_exc.ForcedDestinationUnavailable)
        self.assertIn('does not let you see volume %s' % uuids.volume,
                      exc.format_message())
