# SPDX-License-Identifier: Apache-2.0

"""What the tests of a move share."""

import fixtures
from oslo_serialization import jsonutils
from oslo_utils import uuidutils
from tempest.api.compute import base
from tempest.common import waiters
from tempest import config
from tempest.lib.common import api_version_request
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc
from testtools import content

from nova_coldmig_tempest_plugin import forced_moves

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
        highest = CONF.compute.max_microversion or '2.1'
        # The configuration says that the feature and the hosts are there: a
        # run without them tests nothing, and is not to look as if it did.
        if asked > api_version_request.APIVersionRequest(highest):
            raise lib_exc.InvalidConfiguration(
                '[nova_coldmig]force is set, but [compute]max_microversion '
                'is %s and so hides %s, the one that has force. Set it to '
                '%s.' % (highest, cls.microversion, cls.microversion))
        cls.nodes, cls.kinds = cls._hosts()
        if len(cls.kinds) < 2:
            raise lib_exc.InvalidConfiguration(
                '[compute]min_compute_nodes is %d, but the hosts that are up '
                'and that the tests may use are: %s. See '
                '[nova_coldmig]hosts and [compute]target_hosts_to_avoid.' % (
                    CONF.compute.min_compute_nodes,
                    ', '.join(sorted(cls.kinds)) or 'none'))

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
        # What servers of other tests held is given back after they are gone.
        test_utils.call_until_true(
            lambda: not self._leftovers(provider['uuid']),
            self.build_timeout, self.build_interval)
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

    def _leftovers(self, provider):
        """Find who holds something on a provider, and is not there any more.

        :param provider: str, its UUID.
        :returns: set of str, consumers that are not servers.
        """
        _, body = self.placement.get(
            '/resource_providers/%s/allocations' % provider)
        listed = self.admin_servers_client.list_servers(all_tenants=True)
        return set(jsonutils.loads(body)['allocations']) - {
            server['id'] for server in listed['servers']}

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

        :returns: str, the details of the event that says why: that of the
            package, or Nova's own if it was the scheduler.
        """
        refused = []

        def is_refused():
            failed = {event['event']: event['details']
                      for event in self.events(server)
                      if event['result'] == 'Error'}
            # The last to end.
            if 'conductor_migrate_server' in failed:
                refused.append(failed.get(
                    'coldmig_refused', failed['conductor_migrate_server']))
            return bool(refused)

        if not test_utils.call_until_true(
                is_refused, self.build_timeout, self.build_interval):
            raise lib_exc.TimeoutException(
                'The migration of %s was not refused.' % server['id'])
        return refused[0]

    def assertComes(self, expected, read):
        """Check that something is as expected, now or soon.

        Nova sets the status of a server before it has done all that a move
        ends with, and Placement may be slow. What is checked after a status
        is waited for.

        :param expected: any
        :param read: callable that returns what there is
        """
        seen = []

        def is_so():
            seen.append(read())
            return seen[-1] == expected

        test_utils.call_until_true(
            is_so, self.build_timeout, self.build_interval)
        self.assertEqual(expected, seen[-1])

    def assertOn(self, server, host, status):
        def read():
            shown = self.show(server)
            return (shown['OS-EXT-SRV-ATTR:host'], shown['status'],
                    shown['OS-EXT-STS:task_state'])

        self.wait_for_status(server, status)
        self.assertComes((host, status, None), read)

    def assertHolds(self, consumer, held):
        """Check what a consumer holds.

        :param consumer: str, the UUID of a server or migration.
        :param held: dict, as held() returns it.
        """
        self.assertComes(held, lambda: self.held(consumer))

    def assertMigration(self, server, status):
        """Check the status of the last migration of a server."""
        self.assertComes(status, lambda: self.migration(server)['status'])

    def assertStays(self, server, host, held, status='ACTIVE'):
        """Check that a refused move left no trace on the server.

        :param held: dict, what held() returned before.
        """
        self.assertOn(server, host, status)
        self.assertHolds(server['id'], held)

    def assertMoved(self, server, source, host, held, forced=False):
        """Check that a move awaits its confirmation.

        :param held: dict, what held() returned before.
        :param forced: bool, whether the scheduler was bypassed.
        :returns: dict, the migration.
        """
        self.assertOn(server, host, 'VERIFY_RESIZE')
        self.assertMigration(server, 'finished')
        flavor, = held.values()
        migration = self.migration(server)
        self.assertHolds(migration['uuid'], {self.nodes[source]: flavor})
        self.assertHolds(server['id'], {self.nodes[host]: flavor})
        record = 'from host %s to host %s without the scheduler' % (
            source, host)
        self.assertComes(
            [True] if forced else [],
            lambda: [record in event['details']
                     for event in self.events(server)
                     if event['event'] == 'coldmig_force'])
        if forced:
            self.addDetailUniqueName(
                forced_moves.DETAIL, content.text_content(record))
        return migration

    def confirm(self, server, host, held, status='ACTIVE'):
        """Confirm a move, and check that the source is free."""
        migration = self.migration(server)
        self.admin_servers_client.confirm_resize_server(server['id'])
        self.assertOn(server, host, status)
        self.assertMigration(server, 'confirmed')
        flavor, = held.values()
        self.assertHolds(migration['uuid'], {})
        self.assertHolds(server['id'], {self.nodes[host]: flavor})

    def revert(self, server, source, held, status='ACTIVE'):
        """Revert a move, and check that the destination is free."""
        migration = self.migration(server)
        self.admin_servers_client.revert_resize_server(server['id'])
        self.assertOn(server, source, status)
        self.assertMigration(server, 'reverted')
        self.assertHolds(migration['uuid'], {})
        self.assertHolds(server['id'], held)
