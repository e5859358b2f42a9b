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

from nova import objects
from nova import test
from oslo_serialization import jsonutils

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
