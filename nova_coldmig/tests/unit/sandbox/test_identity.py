# SPDX-License-Identifier: Apache-2.0

import datetime

from oslo_serialization import jsonutils
from oslo_utils import fixture as utils_fixture
from oslotest import base
import webob

from nova_coldmig.tests.sandbox import identity


class IdentityTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.identity = identity.Identity()
        self.identity.add_service('compute', 'nova', 'http://a/v2.1')
        project = self.identity.add_project('project')
        self.identity.add_project('other')
        for name, roles in (('admin', identity.ADMIN),
                            ('member', identity.MEMBER)):
            self.identity.add_user(name, 'secret', project, roles)

    def _request(self, path, method='GET', body=None, **headers):
        request = webob.Request.blank(path, method=method)
        request.headers.update({
            name.replace('_', '-'): value
            for name, value in headers.items()})
        if body is not None:
            request.body = jsonutils.dump_as_bytes(body)
        return request.get_response(self.identity)

    def _issue(self, name='admin', password='secret', scope=None):
        auth = {'identity': {'methods': ['password'], 'password': {'user': {
            'name': name, 'domain': {'id': 'default'},
            'password': password}}}}
        if scope:
            auth['scope'] = scope
        return self._request('/v3/auth/tokens', 'POST', {'auth': auth})

    def _token(self, *args, **kwargs):
        return self._issue(*args, **kwargs).headers['X-Subject-Token']

    def test_issue(self):
        response = self._issue(scope={'project': {
            'name': 'project', 'domain': {'id': 'default'}}})
        self.assertEqual(201, response.status_code)
        token = response.json['token']
        self.assertEqual('project', token['project']['name'])
        self.assertEqual(list(identity.ADMIN),
                         [role['name'] for role in token['roles']])
        self.assertEqual('nova', token['catalog'][0]['name'])

    def test_wrong_password(self):
        self.assertEqual(401, self._issue(password='wrong').status_code)

    def test_unknown_user(self):
        self.assertEqual(401, self._issue('nobody').status_code)

    def test_project_of_others(self):
        self.assertEqual(401, self._issue(scope={'project': {
            'name': 'other', 'domain': {'id': 'default'}}}).status_code)

    def test_unscoped(self):
        token = self._issue(scope={'unscoped': {}}).json['token']
        self.assertNotIn('project', token)
        self.assertNotIn('roles', token)

    def test_not_a_request(self):
        for body in ({}, [], {'auth': {}}, {'auth': {'identity': None}},
                     {'auth': {'identity': {'methods': ['password']}}}):
            self.assertEqual(400, self._request(
                '/v3/auth/tokens', 'POST', body).status_code, body)

    def test_token_for_a_token(self):
        first = self._token('member')
        response = self._request('/v3/auth/tokens', 'POST', {'auth': {
            'identity': {'methods': ['token'], 'token': {'id': first}}}})
        self.assertEqual('member', response.json['token']['user']['name'])

    def test_validate_and_revoke(self):
        token = self._token('member')
        headers = {'X_Auth_Token': self._token(), 'X_Subject_Token': token}
        response = self._request('/v3/auth/tokens', **headers)
        self.assertEqual('member', response.json['token']['user']['name'])
        self.assertEqual(204, self._request(
            '/v3/auth/tokens', 'DELETE', **headers).status_code)
        self.assertEqual(404, self._request(
            '/v3/auth/tokens', **headers).status_code)

    def test_validate_needs_a_token(self):
        self.assertEqual(401, self._request(
            '/v3/auth/tokens', X_Subject_Token=self._token()).status_code)

    def test_token_expires(self):
        token = self._token()
        self.assertIsNotNone(self.identity.token(token))
        clock = self.useFixture(utils_fixture.TimeFixture())
        clock.advance_time_delta(
            identity.LIFETIME + datetime.timedelta(minutes=1))
        self.assertIsNone(self.identity.token(token))

    def test_admin_sees_all(self):
        response = self._request('/v3/users', X_Auth_Token=self._token())
        self.assertEqual(2, len(response.json['users']))

    def test_member_sees_itself(self):
        token = self._token('member')
        response = self._request('/v3/users', X_Auth_Token=token)
        self.assertEqual(['member'], [
            user['name'] for user in response.json['users']])
        admin = self._issue().json['token']['user']['id']
        self.assertEqual(404, self._request(
            '/v3/users/' + admin, X_Auth_Token=token).status_code)

    def test_filter_by_name(self):
        response = self._request('/v3/projects?name=other',
                                 X_Auth_Token=self._token())
        self.assertEqual(['other'], [
            project['name'] for project in response.json['projects']])
