# SPDX-License-Identifier: Apache-2.0

"""What force reads and asks beyond Nova's own migrate action, as tables.

Each call of ForcedAPI and of nova_coldmig.destination is in a row with what
it may raise and how the API answers then. No row may be a 500 that an
unforced request would not be.
"""

import collections
from unittest import mock

from cinderclient import exceptions as cinder_exc
from keystoneauth1 import exceptions as ks_exc
from nova.cmd import manage
from nova.conductor import api as conductor
from nova.db.main import api as db
from nova.db.main import models
from nova import exception
from nova import objects
from nova.volume import cinder
from oslo_db import exception as db_exc
from oslo_serialization import jsonutils
from oslo_versionedobjects import exception as ovo_exc
import sqlalchemy.exc

from nova_coldmig.tests.functional import base

NEW = base.TREE.microversion
OLD = base.TREE.max_microversion

#: The fixture of Cinder replaces it.
_get_volume = cinder.API.get


class EdgeTestCase(base.ColdmigTestCase):

    def assertAnswer(self, server, status, message, proves='', host='host2',
                     vm_status='ACTIVE'):
        """Check the answer to a forced request that changes nothing."""
        said = self.refused(server, status, {'host': host, 'force': True})
        self.assertIn(message, said, proves)
        self.assertEqual('.', said[-1], said)
        self.assertOn(server, 'host1', vm_status)
        self.assertEqual([], self.migrations(server), proves)
        self.assertNotIn('migrate', [
            action['action'] for action in
            self.api.get_instance_actions(server['id'])], proves)
        self.assertSchedulerCalls(0)
        return said

    def assertUnforced(self, server, status):
        """Check what the API answers a request without force."""
        for microversion, migrate in (
                (OLD, {'host': 'host2'}),
                (NEW, {'host': 'host2', 'force': False})):
            self.api.microversion = microversion
            self.refused(server, status, migrate)
        self.api.microversion = self.microversion


#: A call, what it raises, the status, and a part of the message.
Call = collections.namedtuple('Call', 'call raises status message')

DOWN = db_exc.DBConnectionError('no connection')
POOL = sqlalchemy.exc.TimeoutError('QueuePool limit of size 5 reached')
VALUE = ValueError('Field value 9 is invalid')
NEWER = ovo_exc.IncompatibleObjectVersion(
    objname='PciDevicePoolList', objver='9.9', supported='1.1')

SOURCE = 'nova.objects.ComputeNode.get_by_host_and_nodename'
NODES = 'nova.objects.ComputeNodeList.get_all_by_host'
SERVICE = 'nova.objects.Service.get_by_compute_host'
IS_UP = 'nova.servicegroup.api.API.service_is_up'
IMAGE = 'nova.objects.ImageMeta.from_instance'
FILTER = ('nova.scheduler.filters.image_props_filter.ImagePropertiesFilter.'
          'host_passes')
ZONE = 'nova.availability_zones.get_host_availability_zone'
VOLUMES = 'nova.objects.BlockDeviceMappingList.get_by_instance_uuid'
RECORDS = 'nova.objects.MigrationList.get_by_filters'
SAVE = 'nova.objects.Instance.save'

#: What each call of a forced request may raise beside what is right. The
#: image of the server asks for an architecture and Cinder forbids to attach
#: across zones, so that each is made.
CALLS = (
    Call(RECORDS, DOWN, 409,
         'did not answer about the migrations of the server'),
    Call(RECORDS, VALUE, 409,
         'of the migrations of the server can not be read'),
    Call(SOURCE, DOWN, 409, 'did not answer about compute host host1'),
    Call(SOURCE, POOL, 409, 'did not answer about compute host host1'),
    Call(SOURCE, VALUE, 409, 'compute_nodes of Nova\'s database has of '
         'compute host host1 can not be read by this Nova: Field value 9'),
    Call(SOURCE, NEWER, 409, 'of compute host host1 can not be read'),
    Call(SOURCE, exception.ComputeHostNotFound(host='host1'), 409,
         'host host1, and the cell has no such compute node'),
    Call(NODES, DOWN, 409, 'did not answer about compute host host2'),
    Call(NODES, POOL, 409, 'did not answer about compute host host2'),
    Call(NODES, VALUE, 409, 'of compute host host2 can not be read'),
    Call(NODES, NEWER, 409, 'of compute host host2 can not be read'),
    Call(NODES, KeyError('host'), 409, 'of compute host host2 can not be'),
    Call(NODES, exception.ComputeHostNotFound(host='host2'), 400,
         'host2 has no compute node in the cell'),
    Call(IMAGE, exception.InstanceNotFound(instance_id='gone'), 404,
         'Instance gone could not be found'),
    Call(FILTER, VALUE, 409, 'of compute host host2 can not be read'),
    Call(FILTER, TypeError('str and int'), 409,
         'of compute host host2 can not be read'),
    Call(FILTER, exception.InvalidArchitectureName(arch='pdp11'), 409,
         'of compute host host2 can not be read'),
    Call(SERVICE, DOWN, 409,
         'did not answer about the nova-compute service of host host2'),
    Call(SERVICE, POOL, 409,
         'did not answer about the nova-compute service of host host2'),
    Call(SERVICE, VALUE, 409,
         'services of Nova\'s database has of the nova-compute service of '
         'host host2 can not be read'),
    Call(SERVICE, exception.ComputeHostNotFound(host='host2'), 409,
         'host2 has a compute node but no nova-compute service'),
    Call(ZONE, DOWN, 409,
         'did not answer about the availability zone of host host2'),
    Call(ZONE, KeyError('availability_zone'), 409,
         'of the availability zone of host host2 can not be read'),
    Call(VOLUMES, DOWN, 409, 'did not answer about the volumes of the server'),
    Call(VOLUMES, VALUE, 409, 'of the volumes of the server can not be read'),
    Call(SAVE, exception.UnexpectedTaskStateError(
        instance_uuid='i', expected={'task_state': [None]},
        actual={'task_state': 'resize_prep'}), 409,
        'Another request changed the server at the same time'),
    Call(SAVE, exception.UnexpectedDeletingTaskStateError(
        instance_uuid='i', expected={'task_state': [None]},
        actual={'task_state': 'deleting'}), 409,
        'Another request changed the server at the same time'),
    Call(SAVE, exception.UnknownInstanceUpdateConflict(instance_uuid='i'),
         409, 'Another request changed the server at the same time'),
    Call(SAVE, exception.InstanceNotFound(instance_id='gone'), 404,
         'Instance gone could not be found'),
)

#: What is Nova's own: the answer is that of an unforced request.
OF_NOVA = (
    Call(SAVE, DOWN, 500, 'DBConnectionError'),
    Call('nova.objects.RequestSpec.get_by_instance_uuid',
         exception.RequestSpecNotFound(instance_uuid='i'), 500,
         'RequestSpecNotFound'),
    Call('nova.objects.RequestSpec.get_by_instance_uuid', VALUE, 500,
         'ValueError'),
    Call('nova.compute.api.API.get', DOWN, 500, 'DBConnectionError'),
)

CINDER = 'nova.volume.cinder.cinderclient'
SILENT = 'Cinder did not answer whether the host may attach volume '

#: What making a client of Cinder and asking it may raise, and what Nova makes
#: of that.
CINDER_CALLS = tuple(Call(CINDER, error, 409, SILENT) for error in (
    # The catalogue, discovery and the identity service.
    ks_exc.EndpointNotFound('none'),
    ks_exc.EmptyCatalog('none'),
    ks_exc.MissingAuthPlugin('none'),
    ks_exc.DiscoveryFailure('none'),
    ks_exc.Unauthorized('none'),
    ks_exc.ServiceUnavailable('none'),
    ks_exc.BadRequest('none'),
    # The way there.
    ks_exc.ConnectFailure('none'),
    ks_exc.ConnectTimeout('none'),
    ks_exc.SSLError('none'),
    ks_exc.UnknownConnectionError('none', None),
    # The answer of Cinder.
    cinder_exc.BadRequest(400),
    cinder_exc.Unauthorized(401),
    cinder_exc.OverLimit(413),
    cinder_exc.ClientException(503),
    cinder_exc.ConnectionError('none'),
    # What is no ClientException.
    cinder_exc.UnsupportedVersion('none'),
    cinder_exc.EndpointNotFound('none'),
    cinder_exc.AmbiguousEndpoints([]),
    # Nova's.
    exception.UnsupportedCinderAPIVersion(version='2'),
    exception.CinderAPIVersionNotAvailable(version='3.0'),
    exception.InvalidInput(reason='none'),
    # [cinder]catalog_info and [cinder]endpoint_template.
    ValueError('not enough values to unpack'),
    KeyError('tenant'),
    # A page of a proxy in place of a volume.
    TypeError("'NoneType' object is not subscriptable"),
    AttributeError('availability_zone'),
)) + (
    Call(CINDER, ks_exc.Forbidden('none'), 409,
         'Cinder does not let you see volume '),
    Call(CINDER, cinder_exc.Forbidden(403), 409,
         'Cinder does not let you see volume '),
    Call(CINDER, ks_exc.NotFound('none'), 400,
         'is not in Cinder, or Cinder does not show it to you'),
    Call(CINDER, cinder_exc.NotFound(404), 400,
         'is not in Cinder, or Cinder does not show it to you'),
)


class CallsTest(EdgeTestCase):

    def _raising(self, row):
        return mock.patch(row.call, autospec=True, side_effect=row.raises)

    def setUp(self):
        super().setUp()
        self.flags(cross_az_attach=False, group='cinder')
        self.image = self._create_image({'hw_architecture': 'x86_64'})

    def test_calls(self):
        server = self.boot('host1', image_uuid=self.image['id'])
        for row in CALLS:
            with self._raising(row) as call:
                self.assertAnswer(server, row.status, row.message, row)
            call.assert_called()
        # None of them was because of something else.
        self.force(server, 'host2')

    def test_calls_of_nova(self):
        server = self.boot('host1', image_uuid=self.image['id'])
        for row in OF_NOVA:
            with self._raising(row):
                self.assertIn(row.message, self.refused(
                    server, row.status, {'host': 'host2', 'force': True}))
                self.assertUnforced(server, row.status)
            self.assertOn(server, 'host1')

    def test_cinder(self):
        server = self.boot_from_volume()
        with mock.patch('nova.volume.cinder.API.get', _get_volume):
            for row in CINDER_CALLS:
                with self._raising(row) as call:
                    self.assertAnswer(server, row.status, row.message, row)
                call.assert_called()
            # As it is: the catalogue of a test has no Cinder.
            self.assertAnswer(server, 409, SILENT)
        # Unforced, Cinder is not asked.
        self.migrate(server, 'host2')
        self._wait_for_state_change(server, 'VERIFY_RESIZE')


#: What is proved, whose record, a column, its value, the status, and a part of
#: the message.
Stored = collections.namedtuple(
    'Stored', 'proves host column value status message')

OF_ANOTHER_RELEASE = jsonutils.dumps({
    'nova_object.name': 'PciDevicePoolList', 'nova_object.namespace': 'nova',
    'nova_object.version': '99.0', 'nova_object.data': {'objects': []}})

STORED_NODES = (
    Stored('an architecture of another release', 'host2',
           'supported_instances', '[["pdp11", "kvm", "hvm"]]', 409,
           'of compute host host2 can not be read'),
    Stored('a hypervisor of another release', 'host2',
           'supported_instances', '[["x86_64", "vax", "hvm"]]', 409,
           'of compute host host2 can not be read'),
    Stored('a list that is too short', 'host2',
           'supported_instances', '[["x86_64"]]', 409,
           'of compute host host2 can not be read'),
    Stored('no JSON', 'host2', 'supported_instances', '[[', 409,
           'of compute host host2 can not be read'),
    Stored('nothing reported', 'host2', 'supported_instances', None, 409,
           'Compute host host2 has not reported what it can run, and the '
           'image of the server asks for hw_architecture=x86_64'),
    Stored('an empty report', 'host2', 'supported_instances', '[]', 409,
           'Compute host host2 has not reported what it can run'),
    Stored('statistics that are no JSON', 'host2', 'stats', '{', 409,
           'of compute host host2 can not be read'),
    Stored('an object of another release', 'host2', 'pci_stats',
           OF_ANOTHER_RELEASE, 409, 'of compute host host2 can not be read'),
    Stored('a physical address without bits', 'host2', 'cpu_info',
           '{"maxphysaddr": []}', 409,
           'of compute host host2 can not be read'),
    Stored('bits that are no number', 'host2', 'cpu_info',
           '{"maxphysaddr": {"bits": "many"}}', 409,
           'of compute host host2 can not be read'),
    Stored('an architecture of another release on the source', 'host1',
           'supported_instances', '[["pdp11", "kvm", "hvm"]]', 409,
           'of compute host host1 can not be read'),
    Stored('an object of another release on the source', 'host1',
           'pci_stats', OF_ANOTHER_RELEASE, 409,
           'of compute host host1 can not be read'),
)

#: What is proved, the properties, and a part of the message.
Image = collections.namedtuple('Image', 'proves properties message')

CORRECT = "Stop the server, correct them with 'nova-manage image_property set "
BY_HAND = ('nova-manage can not set them all: correct them in the table '
           'instance_system_metadata')

IMAGES = (
    Image('an architecture', {'hw_architecture': 'pdp11'},
          'hw_architecture=pdp11. ' + CORRECT),
    Image('a bus', {'hw_disk_bus': 'floppy9'},
          'hw_disk_bus=floppy9. ' + CORRECT),
    Image('two of them, and some that are fine',
          {'hw_disk_bus': 'floppy9', 'hw_vif_model': 'token-ring',
           'hw_vm_mode': 'hvm', 'os_type': 'linux'},
          'hw_disk_bus=floppy9, hw_vif_model=token-ring. ' + CORRECT),
    Image('a number', {'hw_cpu_sockets': 'two'},
          'hw_cpu_sockets=two. ' + CORRECT),
    Image('a version', {'img_hv_requested_version': 'about 5'},
          'img_hv_requested_version=about 5. ' + CORRECT),
    Image('by its old name', {'architecture': 'pdp11'},
          'architecture=pdp11. ' + BY_HAND),
    Image('a set of CPUs', {'hw_numa_cpus.0': '0', 'hw_numa_cpus.1': 'x'},
          'hw_numa_cpus.1=x. ' + BY_HAND),
    Image('memory', {'hw_numa_mem.0': 'much'},
          'hw_numa_mem.0=much. ' + BY_HAND),
    Image('no property', {'min_ram': 'little'}, None),
)


class StoredDataTest(EdgeTestCase):
    """Values in the databases that this Nova does not know."""

    def test_nodes(self):
        server = self.boot('host1')
        # Only now: with the second the scheduler wants more of a host than
        # the fake driver reports.
        self._set_properties(server, {
            'image_hw_architecture': 'x86_64',
            'image_hw_maxphysaddr_bits': '40'})
        for row in STORED_NODES:
            with self.cell_context() as context:
                node = self.node_record(context, row.host)
                before = db.compute_node_get(context, node.id)[row.column]
                db.compute_node_update(
                    context, node.id, {row.column: row.value})
            self.assertAnswer(server, row.status, row.message, row.proves)
            with self.cell_context() as context:
                db.compute_node_update(
                    context, node.id, {row.column: before})
        self.force(server, 'host2')

    def _set_properties(self, server, properties):
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, server['id'], expected_attrs=['system_metadata'])
            before = dict(instance.system_metadata)
            instance.system_metadata.update(properties)
            instance.save()
        return before

    def _reset_properties(self, server, before):
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, server['id'], expected_attrs=['system_metadata'])
            instance.system_metadata = before
            instance.save()

    def test_images(self):
        server = self.boot('host1')
        for row in IMAGES:
            before = self._set_properties(server, {
                'image_' + name: value
                for name, value in row.properties.items()})
            if row.message is None:
                self.assertAnswer(
                    server, 409, 'of the image of the server can not be read '
                    'by this Nova', row.proves)
            else:
                self.assertAnswer(server, 400, row.message, row.proves)
            self._reset_properties(server, before)
        self.force(server, 'host2')

    def test_image_is_corrected(self):
        """The command that the message names leads out."""
        server = self.boot('host1')
        self._set_properties(server, {'image_hw_disk_bus': 'floppy9'})
        self.assertAnswer(server, 400, "image_property set %s " % server['id'])
        self.api.post_server_action(server['id'], {'os-stop': None})
        self._wait_for_state_change(server, 'SHUTOFF')
        self.assertEqual(0, manage.ImagePropertyCommands().set(
            instance_uuid=server['id'],
            image_properties=['hw_disk_bus=virtio']))
        self.force(server, 'host2')

    def test_image_unforced(self):
        """Nova looks at the image on the compute hosts only."""
        server = self.boot('host1')
        self._set_properties(server, {'image_hw_disk_bus': 'floppy9'})
        self.migrate(server, 'host2')
        self._wait_for_state_change(server, 'VERIFY_RESIZE')

    def test_service_without_times(self):
        server = self.boot('host1')
        with self.cell_context() as context:
            service = self.service_record(context, 'host2')
            db.service_update(context, service.id, {
                'created_at': None, 'last_seen_up': None})
        self.assertAnswer(
            server, 409, 'of the nova-compute service of host host2 can not '
            'be read')

    def test_service_that_was_deleted(self):
        """Its compute node is there: Nova deletes it with the service."""
        server = self.boot('host1')
        with self.cell_context() as context:
            service = self.service_record(context, 'host2')
            node = self.node_record(context, 'host2')
            service.destroy()
            with db.get_context_manager(context).writer.using(context):
                context.session.query(models.ComputeNode).filter_by(
                    id=node.id).update({'deleted': 0, 'deleted_at': None})
        self.assertAnswer(
            server, 409, 'Host host2 has a compute node but no nova-compute '
            'service')

    def test_volume_of_another_release(self):
        self.flags(cross_az_attach=False, group='cinder')
        server = self.boot_from_volume()
        with self.cell_context() as context:
            bdm, = objects.BlockDeviceMappingList.get_by_instance_uuid(
                context, server['id'])
            db.block_device_mapping_update(
                context, bdm.id, {'device_type': 'tape'}, legacy=False)
        # Nova does not show such a server either.
        self.assertIn(
            "block_device_mapping of Nova's database has of the volumes of "
            'the server can not be read',
            self.refused(server, 409, {'host': 'host2', 'force': True}))
        with self.cell_context() as context:
            db.block_device_mapping_update(
                context, bdm.id, {'device_type': 'disk'}, legacy=False)
        self.force(server, 'host2')

    def test_source_node_that_is_gone(self):
        server = self.boot('host1')
        with self.cell_context() as context:
            self.node_record(context, 'host1').destroy()
        self.assertAnswer(
            server, 409, 'The server is on node host1 of compute host host1, '
            'and the cell has no such compute node')
        self.assertAnswer(
            server, 409, 'Restart nova-compute of that host', host='host1')


class SameTimeTest(EdgeTestCase):
    """Two requests for one server, both past the check of its state."""

    def setUp(self):
        super().setUp()
        self.cast = []
        #: Requests that come in when another has read the request spec.
        self.between = []
        resize_instance = self._hold_cast()
        get_request_spec = objects.RequestSpec.get_by_instance_uuid

        def get_by_instance_uuid(cls, context, uuid):
            if self.between:
                self.between.pop()()
            return get_request_spec(context, uuid)

        self.replace('nova.objects.RequestSpec.get_by_instance_uuid',
                     classmethod(get_by_instance_uuid))
        self.resize_instance = resize_instance

    def _hold_cast(self):
        """Have the conductor told when the test says so."""
        resize_instance = conductor.ComputeTaskAPI.resize_instance

        def hold(*args, **kwargs):
            self.cast.append((args, kwargs))

        self.replace('nova.conductor.api.ComputeTaskAPI.resize_instance', hold)
        return resize_instance

    def _release(self, server, host):
        (args, kwargs), = self.cast
        self.resize_instance(*args, **kwargs)
        self._wait_for_state_change(server, 'VERIFY_RESIZE')
        self.assertOn(server, host, 'VERIFY_RESIZE')

    def _first(self, server, **migrate):
        self.between.append(lambda: self.api.post_server_action(
            server['id'], {'migrate': dict(migrate, host='host3')},
            check_response_status=[202]))

    def test_forced(self):
        server = self.boot('host1')
        for first in ({'force': True}, {'force': False}):
            self.cast.clear()
            self._first(server, **first)
            self.assertEqual(
                'Another request changed the server at the same time, so this '
                "one did nothing. See what the server does now ('openstack "
                "server show %s'), and migrate again if that is still "
                'needed.' % server['id'],
                self.refused(server, 409, {'host': 'host2', 'force': True}))
            self.assertOn(server, 'host1', 'RESIZE', 'resize_prep')
            self._release(server, 'host3')
            self.api.post_server_action(server['id'], {'revertResize': None})
            self._wait_for_state_change(server, 'ACTIVE')

    def test_unforced_is_as_before(self):
        server = self.boot('host1')
        for microversion, migrate in (
                (OLD, {'host': 'host2'}), ('2.55', None),
                (NEW, {'host': 'host2'}), (NEW, None)):
            self.cast.clear()
            self._first(server, force=True)
            between = self.between[:]
            self.between[:] = [lambda: self._at_new(between[0])]
            self.api.microversion = microversion
            self.assertIn(
                'UnexpectedTaskStateError', self.refused(server, 500, migrate))
            self.api.microversion = self.microversion
            self.api.post_server_action(
                server['id'], {'os-resetState': {'state': 'active'}})

    def _at_new(self, request):
        before, self.api.microversion = self.api.microversion, NEW
        request()
        self.api.microversion = before


class CaseInsensitive:
    """Have the database look hosts up without regard to case, as MySQL."""

    def setUp(self):
        super().setUp()
        for name, position in (('compute_node_get_all_by_host', 1),
                               ('compute_node_get_by_host_and_nodename', 1),
                               ('service_get_by_compute_host', 1)):
            self.replace('nova.db.main.api.' + name,
                         self._lowered(getattr(db, name), position))

    @staticmethod
    def _lowered(function, position):
        def lowered(*args, **kwargs):
            args = list(args)
            args[position] = args[position].lower()
            return function(*args, **kwargs)

        return lowered


class SpellingTest(CaseInsensitive, EdgeTestCase):

    def test_own_host(self):
        server = self.boot('host1')
        for host in ('host1', 'HOST1', 'Host1'):
            self.assertAnswer(
                server, 400, 'The server is on compute host host1 already. '
                'Name another host.', host, host)

    def test_own_host_with_several_nodes(self):
        server = self.boot('host1')
        with self.cell_context() as context:
            self.add_node(context, 'host1')
        self.assertAnswer(
            server, 400, 'on compute host host1 already', host='HOST1')

    def test_other_host(self):
        """The conductor, the record and the log have the name as it is."""
        server = self.boot('host1')
        self.force(server, 'HOST2')
        self.assertMoved(server, 'host1', 'host2')
        self.assertIn('forces the cold migration of the server from host '
                      'host1 to host host2.', self.stdlog.logger.output)

    def test_own_host_in_the_conductor(self):
        """Also if it is told another spelling than the database has."""
        def change(sent):
            sent['request_spec'].requested_destination.host = 'HOST1'

        server = self.boot('host1')
        self.before_conductor(change)
        self.assertRefused(
            server, 'The server is on compute host host1 already.')


class DisabledTest(EdgeTestCase):

    LOST = 'AUTO: Connection to libvirt lost: 1'
    MESSAGE = ("Nova itself disabled host host2, where a server could not be "
               "started now. Mend its hypervisor, or name another host. "
               "Nova's reason: %s.")

    def _disable(self, reason, disabled=True):
        with self.cell_context() as context:
            service = self.service_record(context, 'host2')
            service.disabled = disabled
            service.disabled_reason = reason
            service.save()

    def test_by_nova(self):
        server = self.boot('host1')
        for reason in (self.LOST, 'set by vmwareapi host_state'):
            self._disable(reason)
            self.assertEqual(self.MESSAGE % reason, self.assertAnswer(
                server, 409, 'Nova itself disabled host host2'))

    def test_by_nova_meanwhile(self):
        server = self.boot('host1')
        self.before_conductor(lambda _sent: self._disable(self.LOST))
        self.assertRefused(server, self.MESSAGE % self.LOST)

    def test_by_a_person(self):
        """Whose reason stays when the hypervisor goes away later."""
        server = self.boot('host1')
        for reason in (None, '', 'maintenance', 'not AUTO: a person'):
            self._disable(reason)
            self.force(server, 'host2')
            self.assertMoved(server, 'host1', 'host2',
                             'its compute service is disabled')
            self.revert(server)

    def test_enabled_again(self):
        """vmwareapi leaves its reason when it enables the service."""
        server = self.boot('host1')
        self._disable('set by vmwareapi host_state', disabled=False)
        self.force(server, 'host2')


class NamesTest(EdgeTestCase):

    def test_unknown_host(self):
        server = self.boot('host1')
        self.assertEqual(
            'No compute host with the name nowhere is known in the cell of '
            'the server, and a forced cold migration stays in the cell. Name '
            "one that 'openstack compute service list --service nova-compute' "
            'lists.', self.assertAnswer(server, 400, 'nowhere',
                                        host='nowhere'))

    def test_host_that_reported_no_node(self):
        server = self.boot('host1')
        with self.cell_context() as context:
            objects.Service(context, host='fresh', binary='nova-compute',
                            topic='compute', report_count=0).create()
        self.assertEqual(
            'Compute host fresh has no compute node in the cell of the '
            'server: its nova-compute has not reported one. Look at the log '
            'of that nova-compute, or name another host.',
            self.assertAnswer(server, 400, 'fresh', host='fresh'))


class LockTest(EdgeTestCase):
    """A lock stops a forced move where it stops one that is not forced."""

    def setUp(self):
        super().setUp()
        self.policy.set_rules({
            'os_compute_api:os-migrate-server:migrate:host': '',
            'os_compute_api:os-migrate-server:migrate:force': '',
        }, overwrite=False)
        self.server = self.boot('host1')
        self.api.post_server_action(
            self.server['id'], {'lock': {'locked_reason': 'mine'}})

    def test_others(self):
        for roles in (['member'], ['manager', 'member'], ['reader']):
            api = self.client('mover', roles)
            for migrate in ({'host': 'host2'},
                            {'host': 'host2', 'force': True}):
                self.assertEqual(
                    'Instance %s is locked' % self.server['id'],
                    self.refused(self.server, 409, migrate, api=api))
        self.assertOn(self.server, 'host1')
        self.assertEqual([], self.migrations(self.server))

    def test_admin(self):
        self.force(self.server, 'host2')
        self.assertMoved(self.server, 'host1', 'host2')
        self.assertTrue(self.api.get_server(self.server['id'])['locked'])
