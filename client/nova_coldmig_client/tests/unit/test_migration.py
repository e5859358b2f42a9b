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

import ddt
from keystoneauth1 import adapter
from keystoneauth1 import noauth
from keystoneauth1 import session
from oslotest import base
from requests_mock.contrib import fixture

from nova_coldmig_client import exceptions
from nova_coldmig_client import migration

NOVA = 'http://nova.example.com/v2.1'
SERVER = NOVA + '/servers/the-id'


def server(status, host, task=None):
    return {'json': {'server': {
        'status': status, 'OS-EXT-SRV-ATTR:host': host,
        'OS-EXT-STS:task_state': task}}}


class TestCase(base.BaseTestCase):
    def setUp(self):
        super().setUp()
        self.requests = self.useFixture(fixture.Fixture())
        self.client = adapter.Adapter(
            session.Session(noauth.NoAuth(endpoint=NOVA)),
            service_type='compute', endpoint_override=NOVA)


class TestForce(TestCase):
    def test_microversion_is_discovered(self):
        self.requests.get(NOVA + migration.EXTENSION, json={'extension': {
            'description': 'With force, at microversion 2.4711.'}})
        post = self.requests.post(SERVER + '/action', status_code=202)
        migration.force(self.client, 'the-id', 'host3')
        self.assertEqual({'migrate': {'host': 'host3', 'force': True}},
                         post.last_request.json())
        self.assertEqual('compute 2.4711',
                         post.last_request.headers['OpenStack-API-Version'])

    def test_cloud_without_the_package(self):
        self.requests.get(NOVA + migration.EXTENSION, status_code=404)
        post = self.requests.post(SERVER + '/action', status_code=202)
        self.assertRaises(exceptions.NotSupported, migration.force,
                          self.client, 'the-id', 'host3')
        self.assertFalse(post.called)


@ddt.ddt
class TestWatch(TestCase):
    def setUp(self):
        super().setUp()
        self.patch(migration, 'INTERVAL', 0)
        self.patch(migration, 'REASON_SECONDS', 0)
        self.old = {'action': 'migrate', 'request_id': 'req-old'}
        self.new = {'action': 'migrate', 'request_id': 'req-new'}
        self.requests.get(SERVER + '/os-instance-actions', [
            {'json': {'instanceActions': [self.old]}},
            {'json': {'instanceActions': [self.new, self.old]}}])
        self.requests.get(SERVER + '/os-instance-actions/req-new', json={
            'instanceAction': {'events': [
                {'event': 'b', 'start_time': '2', 'result': 'Error',
                 'details': 'a consequence'},
                {'event': 'a', 'start_time': '1', 'result': 'Error',
                 'details': 'host3 is full'}]}})

    def patch(self, module, name, value):
        self.addCleanup(setattr, module, name, getattr(module, name))
        setattr(module, name, value)

    def watch(self, *answers, **kwargs):
        self.requests.get(
            SERVER, [server('ACTIVE', 'host1')] + list(answers))
        return migration.Watch(self.client, 'the-id', **kwargs)

    def test_success(self):
        seen = []
        watch = self.watch(
            server('RESIZE', 'host1', 'resize_prep'),
            server('RESIZE', 'host1', 'resize_prep'),
            server('VERIFY_RESIZE', 'host3'),
            host='host3', progress=seen.append)
        self.assertEqual('VERIFY_RESIZE', watch.wait())
        self.assertEqual(['RESIZE (resize_prep)', 'VERIFY_RESIZE'], seen)

    @ddt.data(('ACTIVE', 'host1'), ('VERIFY_RESIZE', 'host2'),
              ('ERROR', 'host3'))
    @ddt.unpack
    def test_failure_has_the_first_reason(self, status, host):
        watch = self.watch(server(status, host), host='host3')
        exc = self.assertRaises(exceptions.MigrationFailed, watch.wait)
        self.assertEqual('The server is %s on %s: host3 is full' % (
            status, host), str(exc))

    def test_without_a_host_the_old_one_is_a_failure(self):
        watch = self.watch(server('ACTIVE', 'host1'))
        self.assertRaises(exceptions.MigrationFailed, watch.wait)

    def test_confirm(self):
        post = self.requests.post(SERVER + '/action', status_code=204)
        watch = self.watch(
            server('VERIFY_RESIZE', 'host3'),
            server('VERIFY_RESIZE', 'host3', 'resize_confirming'),
            server('ACTIVE', 'host3'), host='host3')
        self.assertEqual('ACTIVE', watch.wait(confirm=True))
        self.assertEqual({'confirmResize': None}, post.last_request.json())

    def test_timeout(self):
        watch = self.watch(server('RESIZE', 'host1', 'resize_prep'),
                           host='host3', timeout=0.05)
        exc = self.assertRaises(exceptions.TimedOut, watch.wait)
        self.assertIn('RESIZE (resize_prep)', str(exc))
