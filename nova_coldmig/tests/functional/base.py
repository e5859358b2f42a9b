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

"""Base of the functional tests: real Nova, real Placement, three hosts."""

# First of all: it selects the threading model of the series.
from nova.tests.functional import integrated_helpers

import json

import fixtures
from nova.scheduler.client import query
from nova.tests.functional.api import client

from nova_coldmig import seams
from nova_coldmig import series
from nova_coldmig.tests import fixtures as coldmig_fixtures

TREE = series.detect()

_select_destinations = query.SchedulerQueryClient.select_destinations


class ColdmigTestCase(integrated_helpers.ProviderUsageBaseTestCase):
    """Three hosts, the API activated as a deployer does it.

    Casts stay casts: what the conductor refuses is not seen in the answer of
    the API.
    """

    compute_driver = 'fake.MediumFakeDriver'
    microversion = TREE.microversion
    hosts = ('host1', 'host2', 'host3')
    #: Which halves of nova-coldmig are there.
    halves = (seams.API, seams.CONDUCTOR)

    def setUp(self):
        # On the client's class and before any service starts: a service
        # keeps the methods that it found.
        self.scheduler_calls = []

        def select_destinations(client_, *args, **kwargs):
            self.scheduler_calls.append((args, kwargs))
            return _select_destinations(client_, *args, **kwargs)

        self.useFixture(fixtures.MonkeyPatch(
            'nova.scheduler.client.query.SchedulerQueryClient.'
            'select_destinations', select_destinations))
        self.useFixture(coldmig_fixtures.ApiPasteFixture(
            activate=seams.API in self.halves))
        self.useFixture(coldmig_fixtures.ColdmigFixture(
            [half for half in self.halves if half != seams.API]))
        super().setUp()
        self.computes = {host: self._start_compute(host)
                         for host in self.hosts}
        self.flavor = self.api.get_flavors()[0]
        self.resources = self._resources_from_flavor(self.flavor)

    def boot(self, host='host1', **kwargs):
        """Create a server on a host and forget that it was scheduled."""
        kwargs.setdefault('flavor_id', self.flavor['id'])
        kwargs.setdefault('networks', 'none')
        server = self._create_server(host=host, **kwargs)
        self.scheduler_calls.clear()
        return server

    def migrate(self, server, host=None, api=None, **arguments):
        """Send the migrate action and return the answer, errors too.

        :returns: nova.tests.functional.api.client.APIResponse
        """
        body = {'migrate': dict(arguments, host=host)}
        return self.post_action(server, body, api=api)

    def post_action(self, server, body, api=None):
        return (api or self.api).api_post(
            '/servers/%s/action' % server['id'], body,
            check_response_status=None)

    def refused(self, server, body, status, api=None):
        """Send an action that the API refuses; return what it says."""
        response = self.assertRaises(
            client.OpenStackApiException, (api or self.api).post_server_action,
            server['id'], body).response
        self.assertEqual(status, response.status_code, response.text)
        fault, = json.loads(response.text).values()
        return fault['message']

    def force(self, server, host, **kwargs):
        """Force a server to a host and wait until it is there."""
        self.migrate(server, host, force=True)
        return self._wait_for_state_change(
            server, kwargs.get('status', 'VERIFY_RESIZE'))

    def force_refused(self, server, host):
        """Force a server to a host that the conductor refuses.

        :returns: str, the reason in the details of the action's event.
        """
        self.migrate(server, host, force=True)
        event = self._wait_for_action_fail_completion(
            server, 'migrate', 'conductor_migrate_server')
        return event['details']

    def last_migration(self, server):
        return self.api.api_get(
            '/os-migrations?instance_uuid=%s' % server['id']
        ).body['migrations'][0]

    def held(self):
        """Read who holds what on every provider there is.

        :returns: dict of provider name to dict of consumer to resources.
        """
        return {
            provider['name']: {
                consumer: allocation['resources'] for consumer, allocation in
                self._get_allocations_by_provider_uuid(
                    provider['uuid']).items()}
            for provider in self._get_all_providers()}

    def assertHeld(self, **expected):
        """Check who holds what on every provider, and that no one else does.

        :param expected: by host name, a dict of consumer to resources, or a
            consumer that holds the flavor once.
        """
        want = {host: {} for host in self.hosts}
        for host, consumers in expected.items():
            if not isinstance(consumers, dict):
                consumers = {consumers: self.resources}
            want[host] = consumers
        self.assertEqual(want, self.held())

    def assertOn(self, server, host, status='ACTIVE', task_state=None):
        """Check where a server is and what it is doing."""
        server = self.api.get_server(server['id'])
        self.assertEqual(
            (host, status, task_state),
            (server['OS-EXT-SRV-ATTR:host'], server['status'],
             server['OS-EXT-STS:task_state']))
        return server

    def events(self, server, action='migrate'):
        """Read the events of the last action of a kind.

        :returns: dict of event name to event.
        """
        actions = self.api.get_instance_actions(server['id'])
        request_id = [entry['request_id'] for entry in actions
                      if entry['action'] == action][0]
        detail = self.api.api_get('/servers/%s/os-instance-actions/%s' % (
            server['id'], request_id)).body['instanceAction']
        return {event['event']: event for event in detail['events']}

    def assertSchedulerCalls(self, count):
        self.assertEqual(count, len(self.scheduler_calls))
