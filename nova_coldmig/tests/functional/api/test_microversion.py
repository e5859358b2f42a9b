# SPDX-License-Identifier: Apache-2.0

"""The new microversion: where it shows, and that it changes nothing else."""

from oslo_serialization import jsonutils

from nova_coldmig.tests.functional import base

OLD = base.TREE.max_microversion
NEW = base.TREE.microversion
HEADERS = ('OpenStack-API-Version', 'X-OpenStack-Nova-API-Version')


class MicroversionTest(base.ColdmigTestCase):

    hosts = ('host1',)

    def _get(self, url, microversion=None):
        headers = {}
        if microversion:
            headers['OpenStack-API-Version'] = 'compute ' + microversion
        return self.api.request(url, headers=dict(
            headers, **{'X-Auth-User': 'admin', 'X-User-Id': 'admin',
                        'X-Auth-Project-Id': self.api.project_id,
                        'X-Roles': 'admin'}))

    def test_version_documents_show_it(self):
        root = self.api.base_url.rpartition('/')[0] + '/'
        versions = {version['id']: version for version in
                    jsonutils.loads(self._get(root).content)['versions']}
        self.assertEqual(NEW, versions['v2.1']['version'])
        self.assertEqual('2.1', versions['v2.1']['min_version'])
        self.assertEqual('', versions['v2.0']['version'])
        document = jsonutils.loads(
            self._get(self.api.base_url + '/').content)['version']
        self.assertEqual(NEW, document['version'])

    def test_headers_show_it(self):
        for asked in (NEW, 'latest'):
            response = self._get(self.api.base_url + '/servers', asked)
            self.assertEqual(200, response.status_code)
            self.assertEqual(
                ['compute ' + NEW, NEW],
                [response.headers[header] for header in HEADERS])

    def test_the_one_after_it_is_not_acceptable(self):
        head, minor = NEW.split('.')
        beyond = '%s.%d' % (head, int(minor) + 1)
        response = self._get(self.api.base_url + '/servers', beyond)
        self.assertEqual(406, response.status_code)
        self.assertIn('maximum is %s.' % NEW, response.text)

    def test_everything_else_is_as_at_the_old_maximum(self):
        """Up to 2025.1 a bound default would make all of Nova act like 2.1."""
        server = self.boot()
        service = self.api.get_services()[0]
        for url in ('/servers/detail', '/servers/%s' % server['id'],
                    '/servers/%s/os-instance-actions' % server['id'],
                    '/flavors/detail', '/os-hypervisors/detail',
                    '/os-services', '/os-migrations', '/os-aggregates',
                    '/limits', '/os-server-groups', '/extensions',
                    '/os-services/%s' % service['id']):
            old, new = (self._get(self.api.base_url + url, microversion)
                        for microversion in (OLD, NEW))
            self.assertEqual((old.status_code, old.text),
                             (new.status_code, new.text), url)
        # And that it is not as at 2.1, which shows neither.
        shown = jsonutils.loads(self._get(
            self.api.base_url + '/servers/%s' % server['id'], NEW).content)
        self.assertIn('locked_reason', shown['server'])
        self.assertIn('original_name', shown['server']['flavor'])

    def test_extension_list_advertises_it(self):
        for microversion in ('2.1', NEW):
            self.api.microversion = microversion
            entry = self.api.api_get(
                '/extensions/os-migrate-server-force').body['extension']
            self.assertIn('microversion %s.' % NEW, entry['description'])
            self.assertIn(
                entry, self.api.api_get('/extensions').body['extensions'])
