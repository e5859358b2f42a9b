# SPDX-License-Identifier: Apache-2.0

"""Bases of the functional tests: real Nova, real Placement."""

# First of all: it selects the threading model of the series.
from nova.tests.functional import integrated_helpers

import datetime
import time
from unittest import mock

import fixtures
from nova.conductor import api
from nova import context as nova_context
from nova import objects
from nova.scheduler.client import query
from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional.api import client
from oslo_utils import timeutils
from oslo_utils import uuidutils

from nova_coldmig.conf import coldmig
from nova_coldmig import events as coldmig_events
from nova_coldmig import seams
from nova_coldmig import series
from nova_coldmig.tests import fixtures as coldmig_fixtures

TREE = series.detect()

#: What the conductor says of a refusal to whom may read the server's fault.
NEUTRAL = ('Migration pre-check error: The host can not take the server; see '
           'the event coldmig_refused.')

_resize_instance = api.ComputeTaskAPI.resize_instance
_select_destinations = query.SchedulerQueryClient.select_destinations


def since(test_case, major, feature):
    """Skip a test where Nova does not have what it is about.

    :param major: int, major version of the first Nova that has it.
    :param feature: str, what it is, in the plural.
    """
    if TREE.major < major:
        test_case.skipTest('Nova %s has no %s.' % (TREE.name, feature))


def without_tests(test_case, *but):
    """Take what a test case of Nova sets up, and none of its tests.

    :param test_case: class
    :param but: names of the tests to take nevertheless.
    :returns: class
    """
    # Loaders take what is callable.
    return type(test_case.__name__, (test_case,), {
        name: None for name in dir(test_case)
        if name.startswith('test_') and name not in but})


class ColdmigMixin:
    """Forced moves and what to assert of them, on any base class of Nova.

    The API is activated as a deployer does it. Casts stay casts: what the
    conductor refuses is not seen in the answer of the API.
    """

    CAST_AS_CALL = False

    microversion = TREE.microversion
    #: Which halves of nova-coldmig are there.
    halves = (seams.API, seams.CONDUCTOR)
    #: What nova-api does on a Nova that is not known.
    on_unknown_tree = coldmig.REFUSE
    #: By resource class, what a server takes of its host.
    resources = {}

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
            activate=seams.API in self.halves,
            on_unknown_tree=self.on_unknown_tree))
        self.useFixture(coldmig_fixtures.ColdmigFixture(
            [half for half in self.halves if half != seams.API]))
        super().setUp()

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
        self.held_before = self.held()
        self.migrate(server, host, force=True)
        return self._wait_for_state_change(server, status)

    def force_refused(self, server, host):
        """Force a server to a host that the conductor refuses.

        :returns: str, the reason in the details of the event for operators.
        """
        self.migrate(server, host, force=True)
        return self.refusal(server)

    def refusal(self, server):
        """Wait until the last migrate action of a server is refused.

        :returns: str, the reason in the details of the event for operators.
        """
        # The owner of the server may read what its fault has.
        self.assertEqual(NEUTRAL, self.wait_for_error(
            server, 'conductor_migrate_server')['details'])
        event = self.events(server)[coldmig_events.REFUSED]
        self.assertEqual('Error', event['result'])
        self.assertEqual('.', event['details'][-1], event)
        return event['details']

    def before_conductor(self, change):
        """Have something happen between the API and the conductor.

        :param change: callable, whose argument is the dict of what the
            conductor is sent.
        """
        def resize_instance(api, context, instance, **kwargs):
            change(kwargs)
            return _resize_instance(api, context, instance, **kwargs)

        self.useFixture(fixtures.MonkeyPatch(
            'nova.conductor.api.ComputeTaskAPI.resize_instance',
            resize_instance))

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

    def make_foreign(self, host):
        """Have a host run nothing but guests of another architecture."""
        with self.cell_context() as context:
            node = self.node_record(context, host)
            node.supported_hv_specs = [objects.HVSpec(
                arch='aarch64', hv_type='fake', vm_mode='hvm')]
            node.save()

    def add_node(self, context, host):
        """Give a host a second compute node."""
        self._copy_node(context, self.node_record(context, host),
                        hypervisor_hostname=host + '-b')

    def register_anew(self, host):
        """Have a host registered anew, as after its state was lost.

        Its provider of before is still there, and has its name.

        :returns: str, the UUID of its compute node.
        """
        with self.cell_context() as context:
            node = self.node_record(context, host)
            node.destroy()
            return self._copy_node(context, node)

    def _copy_node(self, context, node, **others):
        values = {name: getattr(node, name) for name in node.fields
                  if name not in ('id', 'uuid', 'deleted', 'deleted_at') and
                  name in node}
        copy = objects.ComputeNode(
            context, uuid=uuidutils.generate_uuid(), **dict(values, **others))
        copy.create()
        return copy.uuid

    def force_down(self, host, down=True):
        """Say that a host is down, as a fencing tool does."""
        with self.cell_context() as context:
            record = self.service_record(context, host)
            record.forced_down = down
            record.save()

    def stop_heartbeat(self, host):
        """Let a host be silent for long."""
        self.computes[host].stop()
        with self.cell_context() as context:
            record = self.service_record(context, host)
            record.last_seen_up = (
                timeutils.utcnow() - datetime.timedelta(days=1))
            record.save()

    def set_inventory(self, provider, resource_class, **values):
        """Change what a provider, such as a host, has of a resource class."""
        url = '/resource_providers/%s/inventories/%s' % (
            self._get_provider_uuid_by_name(provider), resource_class)
        inventory = self.placement.get(url).body
        # Since this version all of an inventory may be reserved.
        response = self.placement.put(
            url, dict(inventory, **values), version='1.26')
        self.assertEqual(200, response.status, response.body)

    def add_provider(self, parent, name, *traits, **totals):
        """Add a provider below another.

        :param totals: by resource class, how many it has.
        :returns: str, its name.
        """
        name = '%s_%s' % (parent, name)
        uuid = self.placement.post('/resource_providers', {
            'name': name,
            'parent_provider_uuid': self._get_provider_uuid_by_name(parent),
        }, version='1.20').body['uuid']
        for resource_class in totals:
            if resource_class.startswith('CUSTOM_'):
                self._create_resource_class(resource_class)
        self._update_inventory(uuid, {
            'resource_provider_generation': 0,
            'inventories': {resource_class: {'total': total}
                            for resource_class, total in totals.items()}})
        for trait in traits:
            self.create_trait(trait)
        self._set_provider_traits(uuid, list(traits))
        return name

    def create_trait(self, trait):
        if trait.startswith('CUSTOM_'):
            self._create_trait(trait)

    def replace(self, target, value):
        """Replace an attribute.

        :returns: callable that puts it back, before the test ends.
        """
        patch = mock.patch(target, new=value)
        patch.start()
        self.addCleanup(patch.stop)
        return patch.stop

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

        :param expected: by provider name, a dict of consumer to resources, or
            a consumer that holds the flavor once.
        """
        held = self.held()
        want = {provider: {} for provider in held}
        for provider, consumers in expected.items():
            if not isinstance(consumers, dict):
                consumers = {consumers: self.resources}
            want[provider] = consumers
        self.assertEqual(want, held)

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

    def poll(self, done, seconds=20):
        """Wait until something holds.

        :param done: callable that tells whether it does.
        :param seconds: number, how long to wait.
        :returns: bool, whether it does.
        """
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def wait_for_error(self, server, name):
        """Wait until an event of the last migrate action is an error.

        :returns: dict, the event.
        """
        def failed():
            self.assertIn(name, self.events(server))
            self.assertEqual('Error', self.events(server)[name]['result'])

        self._wait_for_assert(failed, max_retries=60)
        return self.events(server)[name]

    def assertSchedulerCalls(self, count):
        self.assertEqual(count, len(self.scheduler_calls))

    def assertMoved(self, server, source, destination, bypassed=None,
                    took=None):
        """Check all that a finished forced move leaves before confirming.

        :param bypassed: str, what the record says that was bypassed.
        :param took: dict of provider name to resources, if it is not what a
            server takes of its host.
        :returns: dict, the migration.
        """
        migration = self.last_migration(server)
        self.assertEqual('finished', migration['status'])
        self.assertEqual('migration', migration['migration_type'])
        self.assertEqual((source, destination), (
            migration['source_compute'], migration['dest_compute']))
        self.assertOn(server, destination, 'VERIFY_RESIZE')
        took = took or {destination: self.resources}
        self.assertHeld(
            **self._held_after(server, migration['uuid'], took))
        self.assertSchedulerCalls(0)
        # The conductor writes some of them when the destination was told.
        self._wait_for_assert(lambda: self.assertEqual(
            {'conductor_migrate_server', 'cold_migrate',
             coldmig_events.FORCED, 'compute_prep_resize',
             'compute_resize_instance', 'compute_finish_resize'},
            {name for name, event in self.events(server).items()
             if event['result']}))
        events = self.events(server)
        self.assertEqual(
            {'Success'}, {event['result'] for event in events.values()})
        details = 'Forced from host %s to host %s without the scheduler.' % (
            source, destination)
        if bypassed:
            details += ' Bypassed: %s.' % bypassed
        self.assertEqual(details, events['coldmig_force']['details'])
        return migration

    def _held_after(self, server, holder, took):
        """Tell who holds what after a move.

        :param holder: str, the consumer that has what the server had, or
            None.
        :param took: dict of provider name to what the server has now.
        """
        after = {}
        for provider, consumers in self.held_before.items():
            after[provider] = {
                holder if consumer == server['id'] else consumer: resources
                for consumer, resources in consumers.items()}
            after[provider].pop(None, None)
            if provider in took:
                after[provider][server['id']] = took[provider]
        self.assertEqual(set(), set(took) - set(after))
        return after

    def confirm(self, server, status='ACTIVE', took=None):
        """Confirm a move and check that the source is free."""
        host = self.last_migration(server)['dest_compute']
        self.api.post_server_action(server['id'], {'confirmResize': None})
        self._wait_for_state_change(server, status)
        self.assertEqual('confirmed', self.last_migration(server)['status'])
        self.assertOn(server, host, status)
        took = took or {host: self.resources}
        self.assertHeld(**self._held_after(server, None, took))

    def revert(self, server, status='ACTIVE'):
        """Revert a move and check that all is as it was."""
        host = self.last_migration(server)['source_compute']
        self.api.post_server_action(server['id'], {'revertResize': None})
        self._wait_for_state_change(server, status)
        self._wait_for_migration_status(server, ['reverted'])
        self.assertOn(server, host, status)
        self.assertEqual(self.held_before, self.held())

    def assertRefused(self, server, reason, host='host2', **held):
        """Force a server to a host, which the conductor refuses.

        :param reason: str, a part of the reason.
        :param held: arguments of assertHeld; without them, who holds what is
            what it was.
        """
        before = self.api.get_server(server['id'])
        held_before = self.held()
        details = self.force_refused(server, host)
        self.assertIn(reason, details)
        after = self.assertOn(
            server, before['OS-EXT-SRV-ATTR:host'], before['status'])
        self.assertEqual(before['OS-EXT-STS:vm_state'],
                         after['OS-EXT-STS:vm_state'])
        self.assertNotIn('fault', after)
        self.assertEqual('error', self.last_migration(server)['status'])
        if held:
            self.assertHeld(**held)
        else:
            self.assertEqual(held_before, self.held())
        self.assertSchedulerCalls(0)
        events = self.events(server)
        self.assertEqual(
            {'conductor_migrate_server', 'cold_migrate',
             coldmig_events.REFUSED}, set(events))
        self.assertEqual(
            {'Error'}, {event['result'] for event in events.values()})


class ColdmigTestCase(
        ColdmigMixin, integrated_helpers.ProviderUsageBaseTestCase):
    """Three hosts of the fake driver."""

    compute_driver = 'fake.MediumFakeDriver'
    hosts = ('host1', 'host2', 'host3')

    def setUp(self):
        super().setUp()
        for host in self.hosts:
            self._start_compute(host)
        self.flavor = self.api.get_flavors()[0]
        self.resources = self._resources_from_flavor(self.flavor)

    def boot_from_volume(self, host='host1', networks='none'):
        """Boot a server whose root disk is a volume.

        :param host: str
        :param networks: as the API takes it
        :returns: dict, the server.
        """
        body = self._build_server(
            flavor_id=self.flavor['id'], networks=networks, host=host,
            image_uuid='')
        body['block_device_mapping_v2'] = [{
            'source_type': 'volume', 'destination_type': 'volume',
            'boot_index': 0,
            'uuid': nova_fixtures.CinderFixture.IMAGE_BACKED_VOL}]
        server = self._wait_for_state_change(
            self.api.post_server({'server': body}), 'ACTIVE')
        self.scheduler_calls.clear()
        return server

    def boot(self, host='host1', **kwargs):
        """Create a server on a host and forget that it was scheduled."""
        kwargs.setdefault('flavor_id', self.flavor['id'])
        kwargs.setdefault('networks', 'none')
        server = self._create_server(host=host, **kwargs)
        self.scheduler_calls.clear()
        return server
