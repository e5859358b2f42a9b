# SPDX-License-Identifier: Apache-2.0

import ddt
from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ksa_exceptions
import requests

from nova_coldmig_client import api
from nova_coldmig_client import exceptions
from nova_coldmig_client.tests.unit import base

LOST = requests.exceptions.ConnectionError('gone')


class TestPlain(base.TestCase):
    def test_same_place(self):
        special = adapter.LegacyJsonAdapter(
            self.session, service_type='compute', interface='internal',
            region_name='here', endpoint_override=base.NOVA,
            default_microversion='2.1', user_agent='who')
        plain = api.plain(special)
        self.assertIs(adapter.Adapter, type(plain))
        self.assertEqual(
            ('compute', 'internal', 'here', base.NOVA, 'who', None),
            (plain.service_type, plain.interface, plain.region_name,
             plain.endpoint_override, plain.user_agent,
             plain.default_microversion))

    def test_compute_if_the_client_does_not_say(self):
        self.assertEqual('compute', api.plain(
            adapter.Adapter(self.session)).service_type)


@ddt.ddt
class TestGet(base.TestCase):
    def get(self, **kwargs):
        return api.get(self.client, '/servers/the-id', 'server', **kwargs)

    def fail(self, **answer):
        self.requests.get(base.SERVER, **answer)
        return self.assertRaises(exceptions.RequestFailed, self.get)

    def test_message_of_nova(self):
        exc = self.fail(**base.error(403, 'Not for you.', 'forbidden'))
        self.assertEqual('Not for you. (HTTP 403) (Request-ID: req-1)',
                         str(exc))
        self.assertFalse(exc.transient)

    @ddt.data({'text': '<html>'}, {'json': []}, {'json': {'a': 1, 'b': 2}},
              {'json': {'a': 1}}, {'json': {'a': {}}}, {'json': 7})
    def test_message_of_something_else(self, body):
        exc = self.fail(status_code=502, reason='Bad Gateway', **body)
        self.assertEqual('Bad Gateway (HTTP 502)', str(exc))

    @ddt.data((400, False, False), (409, False, False), (404, True, False),
              (408, True, True), (429, True, False), (500, True, True),
              (502, True, True), (503, True, True), (504, True, True))
    @ddt.unpack
    def test_status(self, status, transient, lost):
        exc = self.fail(status_code=status, text='<html>')
        self.assertEqual((transient, lost, False),
                         (exc.transient, exc.lost, exc.missing))

    def test_missing(self):
        exc = self.fail(**base.error(404, 'No such server.', 'itemNotFound'))
        self.assertEqual((False, False, True),
                         (exc.transient, exc.lost, exc.missing))

    @ddt.data({'text': ''}, {'text': '<html>'}, {'json': []}, {'json': 7},
              {'json': None}, {'json': {}}, {'json': {'server': None}},
              {'json': {'server': []}}, {'json': {'server': {}},
                                         'status_code': 300},
              {'status_code': 204}, {'json': {'server': {}},
                                     'status_code': 203})
    def test_no_answer_of_nova(self, answer):
        exc = self.fail(**answer)
        self.assertEqual((True, True), (exc.transient, exc.lost))
        self.assertEqual('what answered is not Nova (HTTP %d)' % answer.get(
            'status_code', 200), str(exc))

    @ddt.data(LOST, requests.exceptions.ReadTimeout('slow'),
              requests.exceptions.ChunkedEncodingError('cut'))
    def test_no_answer(self, exc):
        exc = self.fail(exc=exc)
        self.assertIsNone(exc.status)
        self.assertEqual((True, True), (exc.transient, exc.lost))
        self.assertIn('nova.example.com', str(exc))

    @ddt.data((ksa_exceptions.Unauthorized, False),
              (ksa_exceptions.ServiceUnavailable, True))
    @ddt.unpack
    def test_keystone(self, exc, transient):
        self.assertEqual(transient, self.fail(exc=exc('Keystone')).transient)

    # The microversion.

    @ddt.data(base.taken_at('2.84'),
              {'X-OpenStack-Nova-API-Version': base.UNTOLD},
              {'OpenStack-API-Version': base.UNTOLD},
              {'OpenStack-API-Version': 'identity 3.7, compute 2.84'})
    def test_exact(self, headers):
        self.requests.get(base.SERVER, headers=headers,
                          json={'server': {'a': 1}})
        self.assertEqual({'a': 1}, self.get(exact=True, microversion='2.84'))

    @ddt.data((base.taken_at('2.1'), 'Nova took it at 2.1.'),
              (base.taken_at(base.UNTOLD),
               'the answer does not say at which one Nova took it.'))
    @ddt.unpack
    def test_not_exact(self, headers, sentence):
        self.requests.get(base.SERVER, headers=headers, json={'server': {}})
        exc = self.assertRaises(exceptions.MicroversionLost, self.get,
                                exact=True, microversion='2.84')
        self.assertIn('sent at microversion 2.84, and ' + sentence, str(exc))
        self.assertEqual({}, self.get(microversion='2.84'))


@ddt.ddt
class TestAct(base.TestCase):
    def act(self, client=None):
        return api.act(client or self.client, 'the-id', {'a': None},
                       microversion='2.84')

    @ddt.data(202, 204)
    def test_success(self, status):
        self.requests.post(base.SERVER + '/action', status_code=status)
        self.assertEqual('2.84', self.act())

    @ddt.data(200, 300)
    def test_success_of_something_else(self, status):
        self.requests.post(base.SERVER + '/action', status_code=status)
        self.assertTrue(self.assertRaises(
            exceptions.RequestFailed, self.act).lost)

    def test_untold(self):
        self.requests.post(base.SERVER + '/action', status_code=202,
                           headers=base.taken_at(base.UNTOLD))
        self.assertIsNone(self.act())

    def test_asked_once(self):
        post = self.requests.post(base.SERVER + '/action', [
            {'exc': LOST}, base.error(409, 'It is migrated.')])
        exc = self.assertRaises(
            exceptions.RequestFailed, self.act, adapter.Adapter(
                self.session, service_type='compute', connect_retries=5,
                endpoint_override=base.NOVA))
        self.assertTrue(exc.lost)
        self.assertEqual(1, post.call_count)


@ddt.ddt
class TestNegotiate(base.TestCase):
    @ddt.data(('2.105', '2.84'), ('2.84', '2.84'), ('2.79', '2.79'),
              ('2.9', '2.9'), ('', None))
    @ddt.unpack
    def test_no_more_than_there_is(self, maximum, expected):
        self.announce(maximum)
        self.assertEqual(expected, api.negotiate(self.client, '2.84'))

    def test_no_version_document(self):
        self.requests.get(base.NOVA, status_code=404)
        self.assertIsNone(api.negotiate(self.client, '2.84'))
