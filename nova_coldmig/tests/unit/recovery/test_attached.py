# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova import objects
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.recovery import attached
from nova_coldmig.recovery import plan

SERVER = uuids.server


class AttachedTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        objects.register_all()
        self.instance = mock.create_autospec(
            objects.Instance, instance=True, uuid=SERVER, host='host1')
        self.instance.get_network_info.return_value = []
        self.read = self.useFixture(test.fixtures.MockPatchObject(
            objects.BlockDeviceMappingList, 'get_by_instance_uuid',
            autospec=True)).mock
        self.read.return_value = [
            objects.BlockDeviceMapping(
                destination_type='local', volume_id=None),
            objects.BlockDeviceMapping(
                destination_type='volume', volume_id=None)]

    def tell(self, connections):
        return attached.tell(
            mock.sentinel.context, self.instance,
            plan.Plan(plan.FINISH, 'Text.', connections=connections))

    def add(self, volume, attachment):
        self.read.return_value.append(objects.BlockDeviceMapping(
            destination_type='volume', volume_id=volume,
            attachment_id=attachment))

    def test_nothing_to_see_to(self):
        self.add('volume1', uuids.attachment1)
        self.assertEqual('', self.tell(None))
        self.read.assert_not_called()

    def test_nothing_attached(self):
        self.assertEqual('', self.tell(attached.COMPLETE))
        self.assertEqual('', self.tell(attached.CONNECT))

    def test_complete(self):
        self.add('volume1', uuids.attachment1)
        self.add('volume2', None)
        self.instance.get_network_info.return_value = [{'id': 'port1'}]
        told = self.tell(attached.COMPLETE)
        self.assertIn('Volume volume1 may be left in attaching', told)
        self.assertIn('3.44 volume attachment complete %s.' %
                      uuids.attachment1, told)
        self.assertIn('3.44 volume attachment complete ATTACHMENT.', told)
        self.assertNotIn('port', told)

    def test_connect(self):
        self.add('volume1', uuids.attachment1)
        self.add('volume2', uuids.attachment2)
        told = self.tell(attached.CONNECT)
        self.assertIn(
            'nova-manage volume_attachment refresh %s volume1 '
            'connector.json and nova-manage volume_attachment refresh %s '
            'volume2 connector.json; then start it.' % (SERVER, SERVER), told)
        self.assertNotIn('Ports', told)
        # A guest that has its volumes is not stopped for it.
        self.assertLess(told.index('says reserved (%s, %s)' % (
            uuids.attachment1, uuids.attachment2)), told.index('stop it'))

    def test_connect_ports(self):
        self.instance.get_network_info.return_value = [
            {'id': 'port1'}, {'id': 'port2'}]
        told = self.tell(attached.CONNECT)
        self.assertIn('openstack port set --host host1 port1 and openstack '
                      'port set --host host1 port2.', told)
        self.assertNotIn('volume', told)
