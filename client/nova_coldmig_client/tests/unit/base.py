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


"""What the unit tests share: a Nova that answers as it is told."""

from unittest import mock

from keystoneauth1 import adapter
from keystoneauth1 import noauth
from keystoneauth1 import session
from oslotest import base
from requests_mock.contrib import fixture

from nova_coldmig_client import migration
from nova_coldmig_client import watch

NOVA = 'http://nova.example.com/v2.1'
SERVER = NOVA + '/servers/the-id'
ACTIONS = SERVER + '/os-instance-actions'


def server(status, host, task=None, **more):
    """Return what Nova answers about the server."""
    return {'json': {'server': dict({
        'id': 'the-id', 'name': 'demo', 'status': status,
        'hostId': 'hash of %s' % host, watch.HOST: host, watch.TASK: task,
    }, **more)}}


def error(status, message, key='conflictingRequest'):
    """Return what Nova answers if it refuses."""
    return {'status_code': status,
            'headers': {'x-openstack-request-id': 'req-1'},
            'json': {key: {'code': status, 'message': message}}}


class TestCase(base.BaseTestCase):
    def setUp(self):
        super().setUp()
        self.requests = self.useFixture(fixture.Fixture())
        self.session = session.Session(noauth.NoAuth(endpoint=NOVA))
        self.client = adapter.Adapter(
            self.session, service_type='compute', endpoint_override=NOVA)
        self.announce('2.105')

    def announce(self, maximum):
        self.requests.get(NOVA, json={'version': {
            'id': 'v2.1', 'status': 'CURRENT', 'min_version': '2.1',
            'version': maximum, 'links': [{'rel': 'self', 'href': NOVA}]}})

    def install(self, microversion='2.4711'):
        """Have the package in the cloud."""
        self.requests.get(NOVA + migration.EXTENSION, json={'extension': {
            'description': 'Force, at microversion %s.' % microversion}})

    def accept(self):
        """Accept the next actions; return the mock of them."""
        return self.requests.post(SERVER + '/action', status_code=202)

    def microversion(self, request):
        return request.headers['OpenStack-API-Version']

    def quicken(self):
        """Have the time of those who wait pass at once."""
        patcher = mock.patch.object(watch, 'time', autospec=True)
        self.addCleanup(patcher.stop)
        clock = patcher.start()
        clock.monotonic.return_value = 0

        def sleep(seconds):
            clock.monotonic.return_value += seconds

        clock.sleep.side_effect = sleep
