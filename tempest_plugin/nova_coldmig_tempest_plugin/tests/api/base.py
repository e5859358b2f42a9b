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

"""What the tests of a move share."""

import time

import fixtures
from oslo_serialization import jsonutils
from oslo_utils import uuidutils
from tempest.api.compute import base
from tempest.common import waiters
from tempest import config
from tempest.lib.common import api_version_request
from tempest.lib import exceptions as lib_exc

CONF = config.CONF

#: The extension that tells whether nova-coldmig is there.
ALIAS = 'os-migrate-server-force'
#: The microversions that show the UUID of a migration, take the UUID of a
#: service, and show the details of an event.
MIGRATION_UUID = '2.59'
SERVICE_UUID = '2.53'
EVENT_DETAILS = '2.84'

#: What the clients of the compute API, and of Placement, ask for.
MICROVERSION = ('tempest.lib.services.compute.base_compute_client.'
                'COMPUTE_MICROVERSION')
PLACEMENT_MICROVERSION = ('tempest.lib.services.placement.'
                          'base_placement_client.PLACEMENT_MICROVERSION')
#: The microversion of Placement in which consumers have a generation.
CONSUMER_GENERATION = '1.28'


class ColdMigrateTest(base.BaseV2ComputeAdminTest):
    """Two hosts at least, and an admin who can read Placement."""

    credentials = ['primary', 'admin']

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.nova_coldmig.force:
            raise cls.skipException('[nova_coldmig]force is not set.')
        if not CONF.compute_feature_enabled.cold_migration:
            raise cls.skipException('Cold migration is not available.')
        if CONF.compute.min_compute_nodes < 2:
            raise cls.skipException('Two compute nodes are needed.')

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.placement = cls.os_admin.placement_client
        cls.providers = cls.os_admin.resource_providers_client

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.microversion = CONF.nova_coldmig.microversion
        if cls.microversion == 'auto':
            versions = cls.os_admin.compute_versions_client.list_versions()
            cls.microversion, = [
                version['version'] for version in versions['versions']
                if version['id'] == 'v2.1']
        asked = api_version_request.APIVersionRequest(cls.microversion)
        highest = api_version_request.APIVersionRequest(
            CONF.compute.max_microversion or '2.1')
        if asked > highest:
            raise cls.skipException(
                '[compute]max_microversion is below %s.' % cls.microversion)
        cls.nodes, cls.kinds = cls._hosts()
        if len(cls.kinds) < 2:
            raise cls.skipException('Two hosts for the tests are needed.')

    @classmethod
    def _hosts(cls):
        """Find the hosts that there are, and those for servers of the tests.

        :returns: tuple of two dicts by name of the host: the name of its
            node; and, if the tests may use it, a tuple of what two hosts have
            to have in common.
        """
        zones = {
            service['host']: service['zone'] for service in
            cls.os_admin.services_client.list_services(
                binary='nova-compute')['services']}
        avoid = CONF.compute.target_hosts_to_avoid
        hosts = CONF.nova_coldmig.hosts or zones
        nodes, kinds, several = {}, {}, set()
        for hypervisor in cls.os_admin.hypervisor_client.list_hypervisors(
                detail=True)['hypervisors']:
            host = hypervisor['service']['host']
            if host in nodes:
                several.add(host)
            nodes[host] = hypervisor['hypervisor_hostname']
            if (hypervisor['state'], hypervisor['status']) == (
                    'up', 'enabled') and host in hosts and not (
                        avoid and avoid in host):
                kinds[host] = (zones[host], hypervisor['hypervisor_type'])
        # Of several nodes nobody can tell which one is meant.
        return nodes, {host: kind for host, kind in kinds.items()
                       if host not in several}

    def request(self, method, url, microversion, body=None, client=None):
        """Send a request at a microversion of its own.

        :param method: str, in small letters.
        :param url: str, below the endpoint.
        :param microversion: str
        :param body: what is sent as JSON, or None.
        :param client: a client of the compute API; the default is admin's.
        :returns: what was answered as JSON, or None.
        """
        client = client or self.admin_servers_client
        args = () if body is None else (jsonutils.dumps(body),)
        # The fixture of Tempest would reset what the class has set.
        with fixtures.MonkeyPatch(MICROVERSION, microversion):
            response, answer = getattr(client, method)(url, *args)
        client.expected_success([200, 202], response.status)
        return jsonutils.loads(answer) if answer else None

    def migrate(self, server, migrate, microversion=None, client=None):
        """Send the migrate action.

        :param server: dict
        :param migrate: the value of "migrate", right or wrong.
        :param microversion: str; the default is the one with force.
        :param client: a client of the compute API; the default is admin's.
        """
        self.request('post', 'servers/%s/action' % server['id'],
                     microversion or self.microversion,
                     {'migrate': migrate}, client)

    def show(self, server):
        return self.admin_servers_client.show_server(server['id'])['server']

    def boot(self, **kwargs):
        """Create a server.

        :returns: tuple of a dict, the server, and the names of its host and
            of another one.
        """
        server = self.show(self.create_test_server(
            wait_until='ACTIVE', **kwargs))
        source = server['OS-EXT-SRV-ATTR:host']
        return server, source, self.another(source)

    def another(self, source):
        """Pick a host to which a server that is on the source can go."""
        for host in sorted(self.kinds):
            if self.alike(source, host):
                return host
        self.skipTest('The server is on %s, and none of the other hosts for '
                      'the tests is in its zone, with its hypervisor.' %
                      source)

    def alike(self, *hosts):
        """Tell whether two hosts are for the tests, and of one kind."""
        return len(set(hosts)) == 2 and set(hosts) <= set(self.kinds) and (
            len({self.kinds[host] for host in hosts}) == 1)

    def fill(self, host):
        """Take all memory that is free on a host, until the test ends."""
        provider, = self.providers.list_resource_providers(
            name=self.nodes[host])['resource_providers']
        memory = self.providers.list_resource_provider_inventories(
            provider['uuid'])['inventories']['MEMORY_MB']
        used = self.providers.list_resource_provider_usages(
            provider['uuid'])['usages']['MEMORY_MB']
        free = int((memory['total'] - memory['reserved']) *
                   memory['allocation_ratio']) - used
        while free > 0:
            amount = min(free, memory['max_unit'])
            self._take(provider['uuid'], {'MEMORY_MB': amount})
            free -= amount

    def _take(self, provider, resources):
        consumer = '/allocations/%s' % uuidutils.generate_uuid()
        owner = self.os_admin.credentials
        with fixtures.MonkeyPatch(PLACEMENT_MICROVERSION, CONSUMER_GENERATION):
            response, _ = self.placement.put(consumer, jsonutils.dumps({
                'allocations': {provider: {'resources': resources}},
                'project_id': owner.project_id, 'user_id': owner.user_id,
                'consumer_generation': None}))
        self.placement.expected_success(204, response.status)
        self.addCleanup(self.placement.delete, consumer)

    def held(self, consumer):
        """Read from Placement where a consumer holds processors.

        :param consumer: str, the UUID of a server or migration.
        :returns: dict of names of nodes to dicts of resources.
        """
        names = {
            provider['uuid']: provider['name'] for provider in
            self.providers.list_resource_providers()['resource_providers']}
        allocations = self.placement.list_allocations(
            consumer)['allocations']
        return {names[provider]: allocation['resources']
                for provider, allocation in allocations.items()
                if {'VCPU', 'PCPU'} & set(allocation['resources'])}

    def migration(self, server):
        """Return the last migration of a server."""
        migrations = self.request(
            'get', 'os-migrations?instance_uuid=%s' % server['id'],
            MIGRATION_UUID)['migrations']
        return max(migrations, key=lambda migration: migration['id'])

    def wait_for_status(self, server, status):
        waiters.wait_for_server_status(
            self.admin_servers_client, server['id'], status)

    def events(self, server):
        """Return the events of the last migrate action of a server."""
        url = 'servers/%s/os-instance-actions' % server['id']
        # The newest comes first.
        actions = self.request('get', url, EVENT_DETAILS)['instanceActions']
        for action in actions:
            if action['action'] == 'migrate':
                return self.request(
                    'get', '%s/%s' % (url, action['request_id']),
                    EVENT_DETAILS)['instanceAction']['events']
        return []

    def wait_for_refusal(self, server):
        """Wait until the conductor refused a migration.

        :returns: str, the details of the event that says why.
        """
        deadline = time.monotonic() + self.build_timeout
        while time.monotonic() < deadline:
            for event in self.events(server):
                if (event['event'], event['result']) == (
                        'coldmig_refused', 'Error'):
                    return event['details']
            time.sleep(self.build_interval)
        raise lib_exc.TimeoutException(
            'The migration of %s was not refused.' % server['id'])

    def assertOn(self, server, host, status):
        shown = self.show(server)
        self.assertEqual(
            (host, status, None),
            (shown['OS-EXT-SRV-ATTR:host'], shown['status'],
             shown['OS-EXT-STS:task_state']))

    def assertStays(self, server, host, held, status='ACTIVE'):
        """Check that a refused move left no trace on the server.

        :param held: dict, what held() returned before.
        """
        self.wait_for_status(server, status)
        self.assertOn(server, host, status)
        self.assertEqual(held, self.held(server['id']))

    def assertMoved(self, server, source, host, held):
        """Check that a move awaits its confirmation.

        :param held: dict, what held() returned before.
        :returns: dict, the migration.
        """
        self.wait_for_status(server, 'VERIFY_RESIZE')
        self.assertOn(server, host, 'VERIFY_RESIZE')
        flavor, = held.values()
        migration = self.migration(server)
        self.assertEqual('finished', migration['status'])
        self.assertEqual(
            {self.nodes[source]: flavor}, self.held(migration['uuid']))
        self.assertEqual(
            {self.nodes[host]: flavor}, self.held(server['id']))
        return migration

    def confirm(self, server, host, held, status='ACTIVE'):
        """Confirm a move, and check that the source is free."""
        migration = self.migration(server)
        self.admin_servers_client.confirm_resize_server(server['id'])
        self.wait_for_status(server, status)
        self.assertOn(server, host, status)
        flavor, = held.values()
        self.assertEqual({}, self.held(migration['uuid']))
        self.assertEqual({self.nodes[host]: flavor}, self.held(server['id']))

    def revert(self, server, source, held, status='ACTIVE'):
        """Revert a move, and check that the destination is free."""
        migration = self.migration(server)
        self.admin_servers_client.revert_resize_server(server['id'])
        self.wait_for_status(server, status)
        self.assertOn(server, source, status)
        self.assertEqual({}, self.held(migration['uuid']))
        self.assertEqual(held, self.held(server['id']))
