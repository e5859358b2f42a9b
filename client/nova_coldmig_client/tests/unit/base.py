# SPDX-License-Identifier: Apache-2.0

"""What the unit tests share: a Nova that answers as it is told."""

from unittest import mock

from keystoneauth1 import adapter
from keystoneauth1 import noauth
from keystoneauth1 import session
from oslotest import base
import requests
from requests_mock.contrib import fixture

from nova_coldmig_client import migration
from nova_coldmig_client import polling
from nova_coldmig_client import watch

NOVA = 'http://nova.example.com/v2.1'
SERVER = NOVA + '/servers/the-id'
ACTIONS = SERVER + '/os-instance-actions'
MIGRATIONS = NOVA + '/os-migrations?instance_uuid=the-id'


def server(status, host, task=None, **more):
    """Return what Nova answers about the server."""
    return {'json': {'server': dict({
        'id': 'the-id', 'name': 'demo', 'status': status,
        'hostId': 'hash of %s' % host, watch.HOST: host, polling.TASK: task,
    }, **more)}}


def error(status, message, key='conflictingRequest'):
    """Return what Nova answers if it refuses."""
    return {'status_code': status,
            'headers': {'x-openstack-request-id': 'req-1'},
            'json': {key: {'code': status, 'message': message}}}


# The headers of an answer that does not tell.
UNTOLD = '-'


def taken_at(microversion):
    """Return the headers of an answer to a request that was taken at it."""
    told = microversion != UNTOLD
    return {'OpenStack-API-Version': 'compute ' * told + microversion,
            'X-OpenStack-Nova-API-Version': microversion}


def _tell_microversion(response, *args, **kwargs):
    """Do what Nova does with an answer that does not say something else."""
    sent = response.request.headers.get('OpenStack-API-Version', 'compute 2.1')
    for name, value in taken_at(sent.split()[1]).items():
        response.headers.setdefault(name, value)
        if response.headers[name] == UNTOLD:
            del response.headers[name]


class TestCase(base.BaseTestCase):
    def setUp(self):
        super().setUp()
        self.requests = self.useFixture(fixture.Fixture())
        plain = requests.Session()
        plain.hooks['response'].append(_tell_microversion)
        self.session = session.Session(
            noauth.NoAuth(endpoint=NOVA), session=plain)
        self.client = adapter.Adapter(
            self.session, service_type='compute', endpoint_override=NOVA)
        self.announce('2.105')
        # They are for administrators.
        self.requests.get(MIGRATIONS, **error(403, 'No.', 'forbidden'))

    def announce(self, maximum):
        self.requests.get(NOVA, json={'version': {
            'id': 'v2.1', 'status': 'CURRENT', 'min_version': '2.1',
            'version': maximum, 'links': [{'rel': 'self', 'href': NOVA}]}})

    def install(self, microversion='2.4711', **answer):
        """Have the package in the cloud."""
        self.requests.get(NOVA + migration.EXTENSION, json={'extension': {
            'description': 'Force, at microversion %s.' % microversion}},
            **answer)

    def uninstall(self):
        """Have a cloud without the package."""
        self.requests.get(NOVA + migration.EXTENSION, **error(
            404, 'There is no such extension.', 'itemNotFound'))

    def accept(self):
        """Accept the next actions; return the mock of them."""
        return self.requests.post(SERVER + '/action', status_code=202)

    def microversion(self, request):
        return request.headers['OpenStack-API-Version']

    def quicken(self):
        """Have the time of those who wait pass at once."""
        patcher = mock.patch.object(polling, 'time', autospec=True)
        self.addCleanup(patcher.stop)
        clock = patcher.start()
        clock.monotonic.return_value = 0

        def sleep(seconds):
            clock.monotonic.return_value += seconds

        clock.sleep.side_effect = sleep
