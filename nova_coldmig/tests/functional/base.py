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

import fixtures
from nova import context as nova_context
from nova import objects
from nova.scheduler.client import query
from nova import test
from nova.tests.functional.api import client
from oslo_utils import uuidutils

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
        for host in self.hosts:
            self._start_compute(host)
        self.flavor = self.api.get_flavors()[0]
        self.resources = self._resources_from_flavor(self.flavor)

    def boot(self, host='host1', **kwargs):
        """Create a server on a host and forget that it was scheduled."""
        kwargs.setdefault('flavor_id', self.flavor['id'])
        kwargs.setdefault('networks', 'none')
        server = self._create_server(host=host, **kwargs)
        self.scheduler_calls.clear()
        return server

    def client(self, user='admin', roles=('admin',), project_id=None):
        """Make a client of the API at the new microversion."""
        api = client.TestOpenStackClient(
            user, self.api.base_url, project_id or self.api.project_id,
            roles=list(roles))
        api.microversion = self.microversion
        return api

    def migrate(self, server, host, **arguments):
        """Send the migrate action, which the API accepts."""
        self.api.post_server_action(
            server['id'], {'migrate': dict(arguments, host=host)},
            check_response_status=[202])

    def refused(self, server, status, migrate, api=None):
        """Send a migrate action that the API refuses.

        :returns: str, what it says.
        """
        response = (api or self.api).api_post(
            '/servers/%s/action' % server['id'], {'migrate': migrate},
            check_response_status=[status])
        fault, = response.body.values()
        self.assertEqual(status, fault['code'])
        return fault['message']

    def force(self, server, host, status='VERIFY_RESIZE'):
        """Force a server to a host and wait until it is there."""
        self.migrate(server, host, force=True)
        return self._wait_for_state_change(server, status)

    def force_refused(self, server, host):
        """Force a server to a host that the conductor refuses.

        :returns: str, the reason in the details of the action's event.
        """
        self.migrate(server, host, force=True)
        event = self._wait_for_action_fail_completion(
            server, 'migrate', 'conductor_migrate_server')
        return event['details']

    def cell_context(self):
        """Make a context manager of a context that sees the first cell."""
        return nova_context.target_cell(
            nova_context.get_admin_context(),
            self.cell_mappings[test.CELL1_NAME])

    def node_record(self, context, host):
        return objects.ComputeNode.get_first_node_by_host_for_old_compat(
            context, host)

    def service_record(self, context, host):
        return objects.Service.get_by_compute_host(context, host)

    def add_node(self, context, host):
        """Give a host a second compute node."""
        node = self.node_record(context, host)
        values = {name: getattr(node, name) for name in node.fields
                  if name not in ('id', 'uuid') and name in node}
        values.update(hypervisor_hostname=host + '-b',
                      uuid=uuidutils.generate_uuid())
        objects.ComputeNode(context, **values).create()

    def force_down(self, host):
        with self.cell_context() as context:
            record = self.service_record(context, host)
            record.forced_down = True
            record.save()

    def set_inventory(self, host, resource_class, **values):
        """Change what a host offers of a resource class."""
        provider = self._get_provider_uuid_by_host(host)
        url = '/resource_providers/%s/inventories/%s' % (
            provider, resource_class)
        inventory = self.placement.get(url).body
        # Since this version all of an inventory may be reserved.
        response = self.placement.put(
            url, dict(inventory, **values), version='1.26')
        self.assertEqual(200, response.status, response.body)

    def migrations(self, server):
        return self.api.api_get(
            '/os-migrations?instance_uuid=%s' % server['id']
        ).body['migrations']

    def last_migration(self, server):
        return self.migrations(server)[0]

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
