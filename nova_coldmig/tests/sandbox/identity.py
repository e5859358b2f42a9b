# SPDX-License-Identifier: Apache-2.0

"""As much of Keystone's API v3 as the clients and keystonemiddleware use."""

import datetime
import secrets
import uuid

from oslo_utils import timeutils
import webob
import webob.exc

from nova_coldmig.tests.sandbox import web

DOMAIN = {'id': 'default', 'name': 'Default'}
ADMIN = ('admin', 'manager', 'member', 'reader')
MEMBER = ('member', 'reader')
LIFETIME = datetime.timedelta(hours=24)
REGION = 'sandbox'


def _id(name):
    return uuid.uuid5(uuid.NAMESPACE_URL, 'sandbox:' + name).hex


def _entity(name, **more):
    return dict(id=_id(name), name=name, enabled=True,
                domain_id=DOMAIN['id'], **more)


def _brief(entity):
    return {'id': entity['id'], 'name': entity['name'], 'domain': DOMAIN}


class Identity(web.Facade):
    """Users with passwords and the tokens that they were given.

    A user has one project, and its tokens are of that project unless they
    are asked for without one. There are no groups, trusts or system scope.
    """

    ROUTES = (
        ('GET', '/', 'versions'),
        ('GET', '/v3', 'version'),
        ('GET', '/v3/', 'version'),
        ('POST', '/v3/auth/tokens', 'issue'),
        ('GET', '/v3/auth/tokens', 'validate'),
        ('HEAD', '/v3/auth/tokens', 'validate'),
        ('DELETE', '/v3/auth/tokens', 'revoke'),
        ('GET', '/v3/auth/catalog', 'catalog'),
        ('GET', '/v3/auth/projects', 'own_projects'),
        ('GET', '/v3/users/{user_id}/projects', 'own_projects'),
        ('GET', '/v3/{collection}', 'index'),
        ('GET', '/v3/{collection}/{entity_id}', 'show'),
    )

    def __init__(self):
        super().__init__()
        self._tokens = {}
        self._passwords = {}
        self._roles = {}
        self.services = []
        self.collections = {
            'domains': {DOMAIN['id']: dict(DOMAIN, enabled=True)},
            'projects': {}, 'users': {}, 'roles': {}, 'services': {},
            'endpoints': {},
            'regions': {REGION: {'id': REGION, 'description': ''}},
        }
        for name in ADMIN + ('service',):
            self._add('roles', dict(_entity(name), domain_id=None))

    def _add(self, collection, entity):
        self.collections[collection][entity['id']] = entity
        return entity

    def add_project(self, name, project_id=None):
        """Add a project.

        :param name: str
        :param project_id: str or None for one made of the name.
        :returns: str, the id.
        """
        project = _entity(name, description='', is_domain=False,
                          parent_id=DOMAIN['id'], tags=[])
        project['id'] = project_id or project['id']
        return self._add('projects', project)['id']

    def add_user(self, name, password, project_id, roles):
        """Add a user.

        :param name: str
        :param password: str
        :param project_id: str, the one project that the user has a role in.
        :param roles: iterable of str, with the implied ones.
        :returns: str, the id.
        """
        user = self._add('users', _entity(
            name, default_project_id=project_id, password_expires_at=None))
        self._passwords[user['id']] = password
        self._roles[user['id']] = tuple(roles)
        return user['id']

    def add_service(self, service_type, name, url):
        """Add a service to the catalog.

        :param service_type: str
        :param name: str
        :param url: str, of all its interfaces.
        """
        service = self._add('services', {
            'id': _id(name), 'name': name, 'type': service_type,
            'enabled': True})
        endpoints = [self._add('endpoints', {
            'id': _id(name + interface), 'interface': interface,
            'region': REGION, 'region_id': REGION, 'url': url,
            'service_id': service['id'], 'enabled': True,
        }) for interface in ('public', 'internal', 'admin')]
        self.services.append({
            'id': service['id'], 'type': service_type, 'name': name,
            'endpoints': [{key: endpoint[key] for key in (
                'id', 'interface', 'region', 'region_id', 'url')}
                for endpoint in endpoints]})

    # What a token is and who has one.

    def token(self, token_id):
        """Look a token up.

        :param token_id: str or None
        :returns: dict, as Keystone shows it, or None if it is not valid.
        """
        token = self._tokens.get(token_id)
        if token and timeutils.normalize_time(timeutils.parse_isotime(
                token['expires_at'])) > timeutils.utcnow():
            return token

    def _caller(self, req):
        token = self.token(req.headers.get('X-Auth-Token'))
        if not token:
            raise webob.exc.HTTPUnauthorized('A valid token is needed.')
        return token

    def _find(self, collection, wanted):
        for entity in self.collections[collection].values():
            if wanted.get('id') == entity['id']:
                return entity
            # There is one domain: a name is enough.
            if 'id' not in wanted and wanted.get('name') == entity['name']:
                return entity

    def _authenticate(self, identity):
        if 'password' in identity.get('methods', ()):
            given = identity['password']['user']
            user = self._find('users', given)
            if user and secrets.compare_digest(
                    self._passwords[user['id']].encode(),
                    str(given.get('password')).encode()):
                return user
        elif 'token' in identity.get('methods', ()):
            token = self.token(identity['token']['id'])
            if token:
                return self.collections['users'][token['user']['id']]
        raise webob.exc.HTTPUnauthorized(
            'The request you have made requires authentication.')

    def issue(self, req):
        """POST /v3/auth/tokens"""
        try:
            auth = req.json['auth']
            user = self._authenticate(auth['identity'])
            project = self._scope(auth.get('scope'), user)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise webob.exc.HTTPBadRequest(
                'The body is not a request for a token.')
        now = timeutils.utcnow()
        token = {
            'methods': auth['identity']['methods'],
            'user': dict(_brief(user), password_expires_at=None),
            'audit_ids': [secrets.token_urlsafe(16)],
            'issued_at': now.isoformat() + 'Z',
            'expires_at': (now + LIFETIME).isoformat() + 'Z',
        }
        if project:
            token.update(project=_brief(project), is_domain=False, roles=[
                {'id': _id(name), 'name': name}
                for name in self._roles[user['id']]], catalog=self.services)
        token_id = secrets.token_urlsafe(32)
        self._tokens[token_id] = token
        return web.reply({'token': token}, 201, X_Subject_Token=token_id)

    def _scope(self, scope, user):
        if scope == 'unscoped' or scope == {'unscoped': {}}:
            return None
        own = self.collections['projects'][user['default_project_id']]
        if scope is None:
            return own
        if 'project' in scope and self._find(
                'projects', scope['project']) is own:
            return own
        raise webob.exc.HTTPUnauthorized('The user has no role there.')

    def _subject(self, req):
        self._caller(req)
        token_id = req.headers.get('X-Subject-Token')
        token = self.token(token_id)
        if not token:
            raise webob.exc.HTTPNotFound('There is no such token.')
        return token_id, token

    def validate(self, req):
        """GET and HEAD /v3/auth/tokens"""
        token_id, token = self._subject(req)
        if 'nocatalog' in req.GET:
            token = {key: value for key, value in token.items()
                     if key != 'catalog'}
        return web.reply({'token': token}, X_Subject_Token=token_id)

    def revoke(self, req):
        """DELETE /v3/auth/tokens"""
        del self._tokens[self._subject(req)[0]]
        return webob.Response(status=204)

    # What there is.

    def versions(self, req):
        """GET /"""
        return web.reply({'versions': {'values': [self._version(req)]}}, 300)

    def version(self, req):
        """GET /v3"""
        return web.reply({'version': self._version(req)})

    def _version(self, req):
        return {
            'id': 'v3.14', 'status': 'stable',
            'updated': '2020-04-07T00:00:00Z',
            'links': [{'rel': 'self',
                       'href': req.application_url + '/v3/'}],
            'media-types': [{
                'base': 'application/json',
                'type': 'application/vnd.openstack.identity-v3+json'}],
        }

    def catalog(self, req):
        """GET /v3/auth/catalog"""
        return web.reply({'catalog': self._caller(req).get('catalog', [])})

    def own_projects(self, req, user_id=None):
        """GET /v3/auth/projects and /v3/users/{user_id}/projects"""
        token = self._caller(req)
        user = self.collections['users'].get(user_id or token['user']['id'])
        if not user or not self._may_see(token, user):
            raise webob.exc.HTTPForbidden('Not for you to see.')
        return web.reply({'projects': [
            self.collections['projects'][user['default_project_id']]]})

    def _may_see(self, token, entity):
        return ('admin' in [role['name'] for role in token.get('roles', ())]
                or entity['id'] in (token['user']['id'],
                                    token.get('project', {}).get('id')))

    def index(self, req, collection):
        """GET /v3/{collection}"""
        token = self._caller(req)
        if collection not in self.collections:
            raise webob.exc.HTTPNotFound('There are no %s.' % collection)
        return web.reply({
            collection: [entity for entity in web.matching(
                self.collections[collection].values(), req)
                if self._may_see(token, entity)],
            'links': {'self': req.path_url, 'next': None, 'previous': None}})

    def show(self, req, collection, entity_id):
        """GET /v3/{collection}/{entity_id}"""
        token = self._caller(req)
        entity = self.collections.get(collection, {}).get(entity_id)
        if not entity or not self._may_see(token, entity):
            raise webob.exc.HTTPNotFound('Could not find %s: %s.' % (
                collection, entity_id))
        return web.reply({collection[:-1]: entity})
