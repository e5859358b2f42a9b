# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova import exception as nova_exception
from nova import objects
from nova.servicegroup import api as servicegroup
from nova import test
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt.volume import mount
from oslo_serialization import jsonutils
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig import destination
from nova_coldmig import exception


class ImageTest(test.NoDBTestCase):
    """What ImagePropertiesFilter of Nova says, on what the node reports."""

    def _check(self, image, cpu_info=None):
        node = objects.ComputeNode(
            host='dest', cpu_info=cpu_info, hypervisor_version=6000000,
            supported_hv_specs=[
                objects.HVSpec(arch='x86_64', hv_type='kvm', vm_mode='hvm'),
                objects.HVSpec(arch='i686', hv_type='qemu', vm_mode='hvm')])
        destination.check_image(
            image and objects.ImageMeta(
                properties=objects.ImageMetaProps(**image)), node)

    def _refuses(self, image, cpu_info=None):
        exc = self.assertRaises(exception.ForcedDestinationInvalid,
                                self._check, image, cpu_info)
        return exc.format_message()

    def test_nothing_is_asked_for(self):
        for image in (None, {}, {'hw_disk_bus': 'virtio'}):
            self._check(image)

    def test_runs(self):
        for image in (
            {'hw_architecture': 'x86_64'},
            {'img_hv_type': 'qemu', 'hw_architecture': 'i686'},
            {'hw_vm_mode': 'hvm', 'img_hv_requested_version': '>=5.0'},
        ):
            self._check(image)

    def test_does_not_run(self):
        for image in (
            {'hw_architecture': 'aarch64'},
            {'hw_vm_mode': 'xen'},
            # Each is there, but not both.
            {'img_hv_type': 'qemu', 'hw_architecture': 'x86_64'},
            {'hw_vm_mode': 'hvm', 'img_hv_requested_version': '>=7.0'},
        ):
            message = self._refuses(image)
            for name, value in image.items():
                self.assertIn('%s=%s' % (name, value), message)

    def test_bits(self):
        image = {'hw_vm_mode': 'hvm', 'hw_maxphysaddr_bits': 46}
        for bits in (46, 52):
            self._check(image, jsonutils.dumps(
                {'maxphysaddr': {'bits': bits}}))
        for unknown in (None, '', '{}', '[]', 'what?'):
            self._check(image, unknown)
        self.assertIn('hw_maxphysaddr_bits=46', self._refuses(
            image, jsonutils.dumps({'maxphysaddr': {'bits': 39}})))

    def test_bits_that_are_no_number(self):
        image = {'hw_vm_mode': 'hvm', 'hw_maxphysaddr_bits': 46}
        for info in ('{"maxphysaddr": []}',
                     '{"maxphysaddr": {"bits": "many"}}'):
            exc = self.assertRaises(exception.ForcedDestinationUnavailable,
                                    self._check, image, info)
            self.assertIn('compute host dest can not be read',
                          exc.format_message())

    def test_nothing_reported(self):
        """Which is not that it can not run the image."""
        for node in (objects.ComputeNode(host='dest'),
                     objects.ComputeNode(host='dest', supported_hv_specs=[])):
            node.cpu_info = None
            node.hypervisor_version = 6000000
            exc = self.assertRaises(
                exception.ForcedDestinationUnavailable,
                destination.check_image, objects.ImageMeta(
                    properties=objects.ImageMetaProps(hw_vm_mode='hvm')), node)
            self.assertIn('dest has not reported what it can run',
                          exc.format_message())


@mock.patch.object(objects.ComputeNodeList, 'get_all_by_host', autospec=True)
class NodeTest(test.NoDBTestCase):

    def _node(self, host, uuid):
        return objects.ComputeNode(host=host, uuid=uuid)

    def test_source_in_another_spelling(self, get_all):
        source = self._node('source', uuids.source)
        get_all.return_value = [self._node('source', uuids.source)]
        exc = self.assertRaises(
            exception.ForcedDestinationInvalid, destination.get_compute_node,
            mock.sentinel.context, 'SOURCE', source)
        self.assertEqual(
            'The server is on compute host source already. Name another host.',
            exc.format_message())

    def test_source_with_several_nodes(self, get_all):
        source = self._node('source', uuids.source)
        get_all.return_value = [self._node('source', uuids.other), source]
        exc = self.assertRaises(
            exception.ForcedDestinationInvalid, destination.get_compute_node,
            mock.sentinel.context, 'source', source)
        self.assertIn('on compute host source already', exc.format_message())

    def test_name_is_the_one_that_was_found(self, get_all):
        get_all.return_value = [self._node('dest', uuids.dest)]
        self.assertEqual('dest', destination.get_compute_node(
            mock.sentinel.context, 'DEST',
            self._node('source', uuids.source)).host)


@mock.patch.object(objects.Service, 'save', autospec=True)
@mock.patch.object(objects.Service, 'get_by_compute_host', autospec=True)
class DisabledServiceTest(test.NoDBTestCase):
    """What the drivers of Nova write is what is looked for."""

    def _check(self, service):
        groups = mock.create_autospec(servicegroup.API, instance=True)
        groups.service_is_up.return_value = True
        return destination.get_service_up(
            mock.sentinel.context, groups, service.host)

    def _refuses(self, service):
        self.assertTrue(service.disabled)
        exc = self.assertRaises(
            exception.ForcedDestinationUnavailable, self._check, service)
        self.assertIn('Nova itself disabled host dest', exc.format_message())
        self.assertIn(service.disabled_reason, exc.format_message())

    def _service(self, get, **values):
        values = dict({'disabled': False, 'disabled_reason': None}, **values)
        get.return_value = objects.Service(host='dest', **values)
        return get.return_value

    def _libvirt(self, enabled, reason=None):
        driver = mock.create_autospec(
            libvirt_driver.LibvirtDriver, instance=True)
        driver._host = mock.sentinel.host
        with mock.patch.object(mount, 'get_manager', autospec=True):
            libvirt_driver.LibvirtDriver._set_host_enabled(
                driver, enabled, reason)

    def test_libvirt(self, get, save):
        service = self._service(get)
        self._check(service)
        self._libvirt(False, 'Connection to libvirt lost: 1')
        self._refuses(service)
        self._libvirt(True)
        self._check(service)

    def test_libvirt_keeps_the_reason_of_a_person(self, get, save):
        """So a host without libvirt looks like one that is disabled."""
        service = self._service(
            get, disabled=True, disabled_reason='maintenance')
        self._libvirt(False, 'Connection to libvirt lost: 1')
        self.assertIs(service, self._check(service))

    def test_vmware(self, get, save):
        try:
            from nova.virt.vmwareapi import host
        except ImportError:
            self.skipTest('oslo.vmware is not installed.')
        service = self._service(get, disabled_reason='x')
        state = mock.create_autospec(host.VCState, instance=True)
        host.VCState._set_host_enabled(state, False)
        self._refuses(service)
        host.VCState._set_host_enabled(state, True)
        self._check(service)

    def test_no_service(self, get, save):
        get.side_effect = nova_exception.ComputeHostNotFound(host='dest')
        exc = self.assertRaises(
            exception.ForcedDestinationUnavailable, self._check,
            objects.Service(host='dest'))
        self.assertIn('no nova-compute service', exc.format_message())
