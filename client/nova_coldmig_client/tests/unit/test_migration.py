# SPDX-License-Identifier: Apache-2.0

import ddt
import requests

from nova_coldmig_client import exceptions
from nova_coldmig_client import migration
from nova_coldmig_client.tests.unit import base


@ddt.ddt
class TestDiscover(base.TestCase):
    def discover(self):
        return migration.discover(self.client)

    def test_success(self):
        self.install('2.4711')
        self.assertEqual('2.4711', self.discover())

    def test_cloud_without_the_package(self):
        self.uninstall()
        exc = self.assertRaises(exceptions.NotSupported, self.discover)
        self.assertIn('does not have the package nova-coldmig', str(exc))

    def test_another_extension_of_that_name(self):
        self.requests.get(base.NOVA + migration.EXTENSION, json={
            'extension': {'description': 'No number.'}})
        self.assertRaises(exceptions.NotSupported, self.discover)

    @ddt.data({'status_code': 503}, {'status_code': 404}, {'text': '<html>'})
    def test_no_answer(self, answer):
        # Nobody says that the package is missing.
        self.requests.get(base.NOVA + migration.EXTENSION, **answer)
        self.assertRaises(exceptions.RequestFailed, self.discover)

    @ddt.data('2.1', base.UNTOLD)
    def test_microversion_is_lost(self, microversion):
        self.install(headers=base.taken_at(microversion))
        self.assertRaises(exceptions.MicroversionLost, self.discover)


@ddt.ddt
class RequestMixin:
    """A request for a migration, by whatever function."""

    def assertRaisesFrom(self, expected, **answer):
        self.requests.post(base.SERVER + '/action', **answer)
        return str(self.assertRaises(expected, self.ask))

    def test_refused(self):
        self.assertEqual(
            'It is resized. (HTTP 409) (Request-ID: req-1)',
            self.assertRaisesFrom(exceptions.Refused, **base.error(
                409, 'It is resized.')))

    @ddt.data({'status_code': 500}, {'status_code': 502},
              {'status_code': 503}, {'status_code': 504},
              {'status_code': 200, 'text': '<html>'}, {'status_code': 300},
              {'exc': requests.exceptions.ConnectionError('gone')},
              {'exc': requests.exceptions.ReadTimeout('slow')})
    def test_answer_is_lost(self, answer):
        self.assertIn('whether it took the request is not known.',
                      self.assertRaisesFrom(exceptions.NotKnown, **answer))

    @ddt.data('2.1', '2.55')
    def test_host_was_ignored(self, microversion):
        self.assertIn(
            'Nova took the request at microversion %s and not at %s' % (
                microversion, self.sent),
            self.assertRaisesFrom(
                exceptions.Misdirected, status_code=202,
                headers=base.taken_at(microversion)))

    def test_microversion_is_not_told(self):
        self.assertIn('is not known', self.assertRaisesFrom(
            exceptions.NotKnown, status_code=202,
            headers=base.taken_at(base.UNTOLD)))


@ddt.ddt
class TestForce(RequestMixin, base.TestCase):
    sent = '2.4711'

    def setUp(self):
        super().setUp()
        self.install(self.sent)

    def ask(self):
        migration.force(self.client, 'the-id', 'host3')

    def test_success(self):
        post = self.accept()
        self.ask()
        self.assertEqual({'migrate': {'host': 'host3', 'force': True}},
                         post.last_request.json())
        self.assertEqual('compute 2.4711',
                         self.microversion(post.last_request))

    @ddt.data('2.1', base.UNTOLD)
    def test_not_where_the_microversion_is_lost(self, microversion):
        self.install(headers=base.taken_at(microversion))
        post = self.accept()
        self.assertRaises(exceptions.MicroversionLost, self.ask)
        self.assertFalse(post.called)

    @ddt.data('2.56', '2.4710', '2.4712')
    def test_another_microversion(self, microversion):
        self.assertIn('whether it is forced is not known',
                      self.assertRaisesFrom(
                          exceptions.NotKnown, status_code=202,
                          headers=base.taken_at(microversion)))


@ddt.ddt
class TestMigrate(RequestMixin, base.TestCase):
    sent = '2.74'

    def ask(self, host='host3', microversion='2.74'):
        migration.migrate(self.client, 'the-id', host, microversion)

    @ddt.data(('host3', '2.74', '2.74'), ('host3', None, '2.56'))
    @ddt.unpack
    def test_host(self, host, microversion, sent):
        post = self.accept()
        self.ask(host, microversion)
        self.assertEqual({'migrate': {'host': 'host3'}},
                         post.last_request.json())
        self.assertEqual('compute ' + sent,
                         self.microversion(post.last_request))

    @ddt.data('2.1', base.UNTOLD)
    def test_any_host(self, taken):
        # It means the same at each microversion.
        post = self.requests.post(
            base.SERVER + '/action', status_code=202,
            headers=base.taken_at(taken))
        self.ask(host=None)
        self.assertEqual({'migrate': None}, post.last_request.json())

    def test_another_microversion_that_reads_the_host(self):
        self.requests.post(base.SERVER + '/action', status_code=202,
                           headers=base.taken_at('2.56'))
        self.ask()
