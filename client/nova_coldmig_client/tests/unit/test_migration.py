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
from keystoneauth1 import exceptions as ksa_exceptions
import requests

from nova_coldmig_client import exceptions
from nova_coldmig_client import migration
from nova_coldmig_client.tests.unit import base


class TestPlain(base.TestCase):
    def test_same_place(self):
        special = adapter.LegacyJsonAdapter(
            self.session, service_type='compute', interface='internal',
            region_name='here', endpoint_override=base.NOVA,
            default_microversion='2.1', user_agent='who')
        plain = migration.plain(special)
        self.assertIs(adapter.Adapter, type(plain))
        self.assertEqual(
            ('compute', 'internal', 'here', base.NOVA, 'who', None),
            (plain.service_type, plain.interface, plain.region_name,
             plain.endpoint_override, plain.user_agent,
             plain.default_microversion))

    def test_compute_if_the_client_does_not_say(self):
        self.assertEqual('compute', migration.plain(
            adapter.Adapter(self.session)).service_type)


@ddt.ddt
class TestSend(base.TestCase):
    def send(self, **answer):
        self.requests.get(base.SERVER, **answer)
        return self.assertRaises(
            exceptions.RequestFailed, migration.send, self.client, 'GET',
            '/servers/the-id')

    def test_message_of_nova(self):
        exc = self.send(**base.error(403, 'Not for you.', 'forbidden'))
        self.assertEqual('Not for you. (HTTP 403) (Request-ID: req-1)',
                         str(exc))
        self.assertFalse(exc.transient)

    @ddt.data({'text': '<html>'}, {'json': []}, {'json': {'a': 1, 'b': 2}},
              {'json': {'a': 1}}, {'json': {'a': {}}}, {'json': 7})
    def test_message_of_something_else(self, body):
        exc = self.send(status_code=502, reason='Bad Gateway', **body)
        self.assertEqual('Bad Gateway (HTTP 502)', str(exc))

    @ddt.data((409, False), (404, False), (429, True), (500, True),
              (503, True))
    @ddt.unpack
    def test_transient(self, status, transient):
        self.assertEqual(transient, self.send(status_code=status).transient)

    @ddt.data(requests.exceptions.ConnectionError('gone'),
              requests.exceptions.ReadTimeout('slow'))
    def test_no_answer(self, exc):
        exc = self.send(exc=exc)
        self.assertIsNone(exc.status)
        self.assertTrue(exc.transient)
        self.assertIn('nova.example.com', str(exc))

    @ddt.data((ksa_exceptions.Unauthorized, False),
              (ksa_exceptions.ServiceUnavailable, True))
    @ddt.unpack
    def test_keystone(self, exc, transient):
        self.assertEqual(transient, self.send(exc=exc('Keystone')).transient)


@ddt.ddt
class TestNegotiate(base.TestCase):
    @ddt.data(('2.105', '2.84'), ('2.84', '2.84'), ('2.79', '2.79'),
              ('2.9', '2.9'), ('', None))
    @ddt.unpack
    def test_no_more_than_there_is(self, maximum, expected):
        self.announce(maximum)
        self.assertEqual(expected, migration.negotiate(self.client, '2.84'))

    def test_no_version_document(self):
        self.requests.get(base.NOVA, status_code=404)
        self.assertIsNone(migration.negotiate(self.client, '2.84'))


class TestForce(base.TestCase):
    def force(self):
        migration.force(self.client, 'the-id', 'host3')

    def test_microversion_is_discovered(self):
        self.install('2.4711')
        post = self.accept()
        self.force()
        self.assertEqual({'migrate': {'host': 'host3', 'force': True}},
                         post.last_request.json())
        self.assertEqual('compute 2.4711',
                         self.microversion(post.last_request))

    def test_cloud_without_the_package(self):
        self.requests.get(base.NOVA + migration.EXTENSION, status_code=404)
        post = self.accept()
        exc = self.assertRaises(exceptions.NotSupported, self.force)
        self.assertIn('does not have the package nova-coldmig', str(exc))
        self.assertFalse(post.called)

    def test_another_extension_of_that_name(self):
        self.requests.get(base.NOVA + migration.EXTENSION, json={
            'extension': {'description': 'No number.'}})
        self.assertRaises(exceptions.NotSupported, self.force)

    def test_discovery_fails(self):
        self.requests.get(base.NOVA + migration.EXTENSION, status_code=503)
        exc = self.assertRaises(exceptions.RequestFailed, self.force)
        self.assertEqual(503, exc.status)

    def test_refused(self):
        self.install()
        self.requests.post(base.SERVER + '/action',
                           **base.error(409, 'It is resized.'))
        exc = self.assertRaises(exceptions.RequestFailed, self.force)
        self.assertIn('It is resized.', str(exc))
        self.assertNotIn('not known', str(exc))

    def test_no_answer(self):
        self.install()
        self.requests.post(base.SERVER + '/action',
                           exc=requests.exceptions.ConnectionError('gone'))
        exc = self.assertRaises(exceptions.RequestFailed, self.force)
        self.assertIn('Whether the migration began is not known.', str(exc))
