# SPDX-License-Identifier: Apache-2.0

"""Nova, Placement and what they need, in this process.

Nova is the one that is installed: its API out of its own api-paste.ini with
one line changed, with keystonemiddleware in front of it; its conductor, its
scheduler and computes with the fake virt driver, over Nova's own functional
test fixtures (SQLite, oslo.messaging's fake driver). Placement is real.
Keystone, Glance and Neutron are facades.
"""

# Before all else: it selects green or native threads.
from nova.tests.functional import integrated_helpers  # noqa: F401

import contextlib  # noqa: H306
import logging
import os
import secrets
import tempfile

import fixtures
from keystoneauth1 import loading
from keystonemiddleware import opts as auth_opts
from oslo_log import formatters
from placement import deploy as placement_deploy
import webob.dec

from nova.api.openstack import wsgi_app
from nova.api import wsgi
import nova.conf
from nova.network import neutron
from nova.scheduler.client import query
from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional import fixtures as func_fixtures

from nova_coldmig import seams
from nova_coldmig.tests.sandbox import client
from nova_coldmig.tests.sandbox import identity
from nova_coldmig.tests.sandbox import image
from nova_coldmig.tests.sandbox import network
from nova_coldmig.tests.sandbox import paste_ini
from nova_coldmig.tests.sandbox import web

CONF = nova.conf.CONF

HOSTS = ('host1', 'host2', 'host3')
PROJECT = 'sandbox'
IMAGE = 'cirros'
# 10 VCPU, 8 GiB and 1028 GiB a host: there can be too much.
DRIVER = 'fake.MediumFakeDriver'


def _auth_options():
    for _group, options in auth_opts.list_auth_token_opts():
        yield options
    yield loading.get_auth_plugin_conf_options(
        loading.get_plugin_loader('password'))


class _Case(test.TestCase):
    """What Nova's functional tests have, without a test."""

    def __init__(self, driver):
        super().__init__('runTest')
        self._driver = driver

    def runTest(self):
        """There is nothing to run: the fixtures are what is wanted."""

    def setUp(self):
        # A fixture of the base class reads it.
        self.flags(compute_driver=self._driver)
        super().setUp()
        self.useFixture(nova_fixtures.RealPolicyFixture())
        self.neutron = self.useFixture(nova_fixtures.NeutronFixture(self))
        self.glance = self.useFixture(nova_fixtures.GlanceFixture(self))
        self.useFixture(nova_fixtures.CinderFixture(self))
        self.placement = self.useFixture(func_fixtures.PlacementFixture())


class Cloud:
    """A cloud in this process, served over HTTP on the loopback interface.

    :param port: int, 0 for any that is free.
    :param hosts: names of the nova-compute hosts.
    :param halves: which halves of the package are installed, of
        nova_coldmig.seams.API and nova_coldmig.seams.CONDUCTOR.
    :param driver: str, the virt driver of Nova, as compute_driver takes it.
    :param paste: str, path of Nova's api-paste.ini, or None to find it.
    :param log_file: str, path of a file to append Nova's log to, or None.
    """

    def __init__(self, port=0, hosts=HOSTS,
                 halves=(seams.API, seams.CONDUCTOR), driver=DRIVER,
                 paste=None, log_file=None):
        self._hosts = tuple(hosts)
        self._halves = frozenset(halves)
        self._paste = paste or paste_ini.find()
        self._log_file = log_file
        self._case = _Case(driver)
        self._server = web.Server(port)
        self._exit = contextlib.ExitStack()
        self._exit.callback(self._server.stop)
        self._identity = identity.Identity()
        #: Hosts that the scheduler was asked for, one entry a call: str, or
        #: None for a call that named no host.
        self.scheduler_calls = []
        #: str, the name of an image for servers.
        self.image = IMAGE
        #: nova_coldmig.tests.sandbox.client.Credentials
        self.admin = None
        #: nova_coldmig.tests.sandbox.client.Credentials
        self.member = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self):
        """Boot it and return when it serves."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Stop it and take back all that it changed in this process."""
        self._exit.close()

    def _start(self):
        self._exit.callback(self._forget_identity)
        self._exit.callback(self._case.doCleanups)
        self._case.setUp()
        self._exit.callback(self._case.tearDown)
        self._log()
        # Requests to ourselves are not for a proxy.
        self._case.useFixture(
            fixtures.EnvironmentVariable('no_proxy', web.LOOPBACK))
        self._case.glance.create(None, {
            'name': IMAGE, 'status': 'active', 'visibility': 'public',
            'container_format': 'bare', 'disk_format': 'raw',
            'size': 21430272, 'min_ram': 0, 'min_disk': 0,
            'protected': False, 'tags': [], 'properties': {},
            'created_at': self._case.glance.timestamp,
            'updated_at': self._case.glance.timestamp})
        self._watch_scheduler()
        self._start_identity()
        if seams.CONDUCTOR in self._halves:
            # What nova-coldmig-conductor does.
            seams.install(seams.CONDUCTOR)
            self._exit.callback(seams.uninstall, seams.CONDUCTOR)
        self._case.start_service('conductor')
        self._case.start_service('scheduler')
        for host in self._hosts:
            self._case._start_compute(host)
        self._start_api()
        self._server.start()

    def _log(self):
        if not self._log_file:
            return
        handler = logging.FileHandler(self._log_file)
        handler.setLevel(logging.INFO)
        handler.setFormatter(formatters.ContextFormatter(
            config=CONF, project='nova', datefmt=CONF.log_date_format))
        logging.getLogger().addHandler(handler)
        self._exit.callback(logging.getLogger().removeHandler, handler)

    def _watch_scheduler(self):
        ask = query.SchedulerQueryClient.select_destinations

        def watched(this, context, spec, *args, **kwargs):
            wanted = spec.obj_attr_is_set('requested_destination') and (
                spec.requested_destination)
            self.scheduler_calls.append(
                wanted.host if wanted and 'host' in wanted else None)
            return ask(this, context, spec, *args, **kwargs)

        # The client, not SchedulerManager: a service keeps the methods of
        # its manager.
        self._case.useFixture(fixtures.MonkeyPatch(
            'nova.scheduler.client.query.SchedulerQueryClient.'
            'select_destinations', watched))

    def _start_identity(self):
        names = {
            'identity': self._identity,
            'image': image.Image(self._case.glance),
            'network': network.Network(
                neutron.get_client(None, admin=True)),
            'placement': self._placement(),
        }
        for name, application in names.items():
            self._server.mount('/' + name, application)
        for service_type, name, path in (
                ('identity', 'keystone', '/identity'),
                ('compute', 'nova', '/compute/v2.1'),
                ('image', 'glance', '/image'),
                ('network', 'neutron', '/network'),
                ('placement', 'placement', '/placement')):
            self._identity.add_service(
                service_type, name, self._server.url + path)
        # The one project that Nova's NeutronFixture has networks for.
        project_id = self._identity.add_project(
            PROJECT, nova_fixtures.NeutronFixture.tenant_id)
        service_id = self._identity.add_project('service')
        self.admin = self._add_user(
            'admin', PROJECT, project_id, identity.ADMIN)
        self.member = self._add_user(
            'member', PROJECT, project_id, identity.MEMBER)
        self._use_identity(self._add_user(
            'nova', 'service', service_id, ('admin', 'service')))

    def _add_user(self, name, project_name, project_id, roles):
        password = secrets.token_urlsafe(12)
        self._identity.add_user(name, password, project_id, roles)
        return client.Credentials(
            auth_url=self._server.url + '/identity/v3', username=name,
            password=password, project_name=project_name)

    def _use_identity(self, credentials):
        """Configure [keystone_authtoken] as in a nova.conf."""
        group = 'keystone_authtoken'
        for options in _auth_options():
            CONF.register_opts(options, group=group)
        values = {
            'www_authenticate_uri': credentials.auth_url,
            'auth_type': 'password',
            'auth_url': credentials.auth_url,
            'username': credentials.username,
            'password': credentials.password,
            'project_name': credentials.project_name,
            'user_domain_id': 'default',
            'project_domain_id': 'default',
        }
        self._case.useFixture(
            nova_fixtures.ConfPatcher(group=group, **values))

    @staticmethod
    def _forget_identity():
        # Some are required: nothing else could parse a configuration here.
        for options in _auth_options():
            CONF.unregister_opts(options, group='keystone_authtoken')

    def _placement(self):
        application = placement_deploy.loadapp(
            self._case.placement.conf_fixture.conf)

        @webob.dec.wsgify
        def authenticated(req):
            if req.path_info in ('', '/'):
                return application
            token = self._identity.token(req.headers.get('X-Auth-Token'))
            if not token or 'project' not in token:
                return web.error(401, 'A valid token is needed.')
            # What Placement's own noauth2 middleware makes a context of.
            roles = [role['name'] for role in token['roles']]
            user = 'admin' if 'admin' in roles else token['user']['id']
            req.headers['X-Auth-Token'] = '%s:%s' % (
                user, token['project']['id'])
            req.headers['X-Roles'] = ','.join(roles)
            return application

        return authenticated

    def _start_api(self):
        with open(self._paste) as paste:
            text = paste.read()
        if seams.API in self._halves:
            text = paste_ini.activate(text)
            self._exit.callback(seams.uninstall, seams.API)
        with tempfile.NamedTemporaryFile('w', suffix='.ini') as paste:
            paste.write(text)
            paste.flush()
            # nova-api registers itself as a service at its start.
            wsgi_app._setup_service(CONF.host, 'osapi_compute')
            application = wsgi.Loader(paste.name).load_app('osapi_compute')
        self._server.mount('/compute', application)

    def endpoints(self):
        """Return the URLs of the services, as a dict by service type."""
        return {service['type']: service['endpoints'][0]['url']
                for service in self._identity.services}

    def write_credentials(self, directory, microversion):
        """Write openrc and curlrc files for each user.

        :param directory: str
        :param microversion: str, of Nova, for curl.
        :returns: dict of file name to path.
        """
        texts = {}
        for credentials in (self.admin, self.member):
            texts['openrc-' + credentials.username] = credentials.openrc()
            texts['curlrc-' + credentials.username] = client.Client(
                credentials).curlrc(microversion)
        paths = {}
        for name, text in texts.items():
            path = paths[name] = os.path.join(directory, name)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            # Nobody else on the machine may use the cloud.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL,
                                 0o600)
            with open(descriptor, 'w') as credentials_file:
                credentials_file.write(text)
        return paths
