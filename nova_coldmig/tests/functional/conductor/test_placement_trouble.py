# SPDX-License-Identifier: Apache-2.0

"""Placement that is away, refuses, or is changed by someone else meanwhile."""

from importlib import metadata
import pkgutil

import fixtures
from keystoneauth1 import exceptions as ks_exc
from nova.scheduler.client import report
from nova.tests.unit import fake_requests
from nova import utils
import oslo_messaging as messaging
from oslo_serialization import jsonutils
from oslo_utils import uuidutils

from nova_coldmig.tests.functional import base

CANDIDATES = ('get', '/allocation_candidates')
ALLOCATIONS = ('get', '/allocations/')
CLAIM = ('post', '/allocations')

#: The first that lets allocations of a provider over its capacity change
#: hands.
LENIENT_PLACEMENT = 14


def away(*args):
    raise ks_exc.ConnectFailure('no route to host')


def broken(*args):
    return fake_requests.FakeResponse(500, jsonutils.dumps({'errors': [{
        'status': 500, 'title': 'Internal Server Error', 'detail': 'oops'}]}))


def broken_proxy(*args):
    return fake_requests.FakeResponse(503, '<html>Service Unavailable</html>')


def conflict(detail, code='placement.undefined_code'):
    def answer(*args):
        return fake_requests.FakeResponse(409, jsonutils.dumps({
            'errors': [{'status': 409, 'code': code, 'detail': detail}]}))
    return answer


consumer_conflict = conflict(
    'consumer generation conflict - expected 1 but got 2',
    'placement.concurrent_update')
provider_conflict = conflict(
    'resource provider generation conflict', 'placement.concurrent_update')
no_room = conflict('Unable to allocate inventory: over capacity')


class TroubleTestCase(base.ColdmigTestCase):

    def setUp(self):
        super().setUp()
        self._undo = []
        # Nova's retries wait for a random time.
        self.useFixture(fixtures.MockPatchObject(
            report.random, 'uniform', return_value=0))

    def trouble(self, request, answer, times=None):
        """Have Placement answer requests of Nova another way.

        :param request: tuple of the method and the start of the path.
        :param answer: callable, which gets what the method gets. If it
            returns None the request goes to Placement.
        :param times: int, how often; always if None.
        :returns: list, which gets an entry for each such request.
        """
        method, path = request
        seen = []
        passed_on = getattr(report.SchedulerReportClient, method)

        def call(client, url, *args, **kwargs):
            if url.startswith(path) and (times is None or len(seen) < times):
                seen.append(url)
                answered = answer(url, *args)
                if answered is not None:
                    return answered
            return passed_on(client, url, *args, **kwargs)

        self._undo.append(self.replace(
            'nova.scheduler.client.report.SchedulerReportClient.' + method,
            call))
        return seen

    def over(self):
        """End all trouble."""
        while self._undo:
            self._undo.pop()()

    def moves(self, server):
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')


class NoAnswerTest(TroubleTestCase):

    QUERY = (
        'Placement did not answer the query for allocation candidates of host '
        'host2. Nothing was changed; see the log of nova-conductor, and '
        'migrate again when Placement answers.')
    REST = (
        'Placement did not answer. The server stays where it is; see the log '
        'of nova-conductor, and migrate again when Placement answers.')

    def _refuses(self, request, answer, reason):
        server = self.boot('host1')
        self.trouble(request, answer)
        self.assertRefused(server, reason)
        self.over()
        self.moves(server)

    def test_no_allocations(self):
        self._refuses(ALLOCATIONS, away, self.REST)

    def test_allocations_broken(self):
        self._refuses(ALLOCATIONS, broken, self.REST)

    def test_no_candidates(self):
        self._refuses(CANDIDATES, away, self.QUERY)

    def test_candidates_broken(self):
        self._refuses(CANDIDATES, broken, self.QUERY)

    def test_no_claim(self):
        """The request does not arrive, and neither does the rollback's."""
        self._refuses(CLAIM, away, self.REST)

    def test_claim_broken(self):
        self._refuses(CLAIM, broken, self.REST)

    def test_claim_broken_by_a_proxy(self):
        self._refuses(CLAIM, broken_proxy, self.REST)

    def test_no_answer_to_a_claim_that_was_made(self):
        """The rollback takes back what no one told that it was done."""
        server = self.boot('host1')

        def lost(url, payload, *args):
            self.placement.post(url, payload, version='1.36')
            away()

        self.trouble(CLAIM, lost, times=1)
        self.assertRefused(server, self.REST)
        self.moves(server)

    def _gone_after(self, claim):
        """Let a claim be answered by none, and nothing after it."""
        server = self.boot('host1')

        def all_away(url, payload, *args):
            claim(payload)
            self.trouble(ALLOCATIONS, away)
            away()

        self.trouble(CLAIM, all_away)
        self.migrate(server, 'host2', force=True)
        # The rollback fails too, and the reason is there all the same.
        self.assertIn(self.REST, self.refusal(server))
        self.assertOn(server, 'host1')
        migration = self.last_migration(server)
        self.assertEqual('error', migration['status'])
        return server, migration

    def test_away_from_the_claim_on(self):
        server, _migration = self._gone_after(lambda payload: None)
        self.assertHeld(host1=server['id'])

    def test_away_once_the_claim_was_made(self):
        """What no one could take back is found before the next claim."""
        server, migration = self._gone_after(
            lambda payload: self.placement.post(
                '/allocations', payload, version='1.36'))
        self.assertHeld(host1=migration['uuid'], host2=server['id'])
        self.over()
        self.assertRefused(
            server, 'An earlier cold migration of the server has not ended or '
            'still holds a host: %d from host host1 (error).'
            % migration['id'], host1=migration['uuid'], host2=server['id'])


class ConflictTest(TroubleTestCase):

    def test_consumer_generation(self):
        """The server's allocations changed: no one knows why, so stop."""
        server = self.boot('host1')
        seen = self.trouble(CLAIM, consumer_conflict)
        self.assertRefused(
            server, 'The allocations of the server changed while it was '
            'being claimed for the migration. Nothing was changed; look at '
            'the server and migrate again.')
        self.assertEqual(1, len(seen))
        self.over()
        self.moves(server)

    def test_claim_that_is_sent_twice(self):
        """As keystoneauth does if the answer was lost, when told to."""
        server = self.boot('host1')
        post = report.SchedulerReportClient.post
        twice = []

        def send_twice(client, url, payload, **kwargs):
            if url.startswith(CLAIM[1]) and not twice:
                twice.append(post(client, url, payload, **kwargs))
                self.assertEqual(204, twice[0].status_code)
            return post(client, url, payload, **kwargs)

        self.replace(
            'nova.scheduler.client.report.SchedulerReportClient.post',
            send_twice)
        self.moves(server)
        self.assertEqual(1, len(twice))

    def test_consumer_changed_meanwhile(self):
        """The same, without an answer made up."""
        server = self.boot('host1')

        def change(url, payload, *args):
            allocation = self.placement.get(
                '/allocations/%s' % server['id'], version='1.28').body
            self.placement.put(
                '/allocations/%s' % server['id'], allocation, version='1.28')

        self.trouble(CLAIM, change, times=1)
        self.assertRefused(
            server, 'The allocations of the server changed while it was')
        self.moves(server)

    def test_provider_generation(self):
        """Someone else changed a provider: ask again."""
        server = self.boot('host1')
        seen = self.trouble(CLAIM, provider_conflict, times=2)
        self.moves(server)
        self.assertEqual(2, len(seen))

    def test_provider_generation_for_ever(self):
        server = self.boot('host1')
        seen = self.trouble(CLAIM, provider_conflict)
        self.assertRefused(
            server, 'Other requests took the room on host host2 first, 1 '
            'times in a row. Migrate again.')
        self.assertEqual(4, len(seen))
        self.over()
        self.moves(server)


class DeletedMeanwhileTest(TroubleTestCase):

    def test_before_the_claim(self):
        """What is gone is not claimed for, and nothing is put back."""
        server = self.boot('host1')
        self.trouble(
            CANDIDATES, lambda *args: self._delete_server(server), times=1)
        self.migrate(server, 'host2', force=True)
        self._wait_until_deleted(server)
        self._wait_for_log('.*During cold migrate the instance was deleted')
        self.assertHeld()

    def _deletes_before(self, target, error=None):
        """Delete a server right before a step of its forced move.

        :param target: str, name of the function that is the step.
        :param error: Exception that the step raises.
        :returns: the server.
        """
        server = self.boot('host1')
        passed_on = pkgutil.resolve_name(target)
        held = []

        def delete(*args, **kwargs):
            held.append(self.held())
            self._delete_server(server)
            if error:
                raise error
            return passed_on(*args, **kwargs)

        self.replace(target, delete)
        self.migrate(server, 'host2', force=True)
        self._wait_for_assert(lambda: self.assertNotEqual([], held))
        self._wait_until_deleted(server)
        # The claim was made by then.
        self.assertEqual([server['id']], list(held[0]['host2']))
        return server

    def _status(self, server):
        """Read the status of the migration of a server that is gone."""
        with self.cell_context() as context:
            with utils.temporary_mutation(context, read_deleted='yes'):
                migration, = base.objects.MigrationList.get_by_filters(
                    context, {'instance_uuid': server['id']})
        return migration.status

    def assertNothingLeft(self, server):
        self._wait_for_assert(self.assertHeld)
        self.assertEqual('error', self._status(server))

    def test_after_the_claim(self):
        """Neither the migration's share nor the server's outlives it."""
        server = self._deletes_before(
            'nova.scheduler.utils.fill_provider_mapping')
        self._wait_for_log('.*During cold migrate the instance was deleted')
        self.assertNothingLeft(server)

    def test_while_the_cast_fails(self):
        server = self._deletes_before(
            'nova.compute.rpcapi.ComputeAPI.prep_resize',
            messaging.MessageDeliveryFailure('the broker is away'))
        self.assertNothingLeft(server)

    def test_upstream_while_the_cast_is_under_way(self):
        """The destination gives the dead server back what it held.

        It is bug 1848343 of Nova, and in nova-compute, which is Nova's.
        """
        server = self._deletes_before(
            'nova.compute.rpcapi.ComputeAPI.prep_resize')
        self.wait_for_error(server, 'compute_prep_resize')
        self._wait_for_assert(
            lambda: self.assertEqual('error', self._status(server)))
        self.assertHeld(host1=server['id'])


class RaceTest(TroubleTestCase):
    """Between the query and the claim someone else takes the room."""

    CLASS = 'CUSTOM_WIDGET'

    def setUp(self):
        super().setUp()
        for host in self.hosts:
            for name in 'abc':
                self.add_provider(host, name, **{self.CLASS: 1})
        self.flavor = {'id': self._create_flavor(
            memory_mb=512, vcpu=1, disk=1, ephemeral=0,
            extra_spec={'resources1:' + self.CLASS: '1'})}

    def _take(self, url, payload, *args):
        """Take the widget that a claim is about to take."""
        server_id, = [consumer for consumer, allocation in payload.items()
                      if 'mappings' in allocation]
        provider, = payload[server_id]['mappings']['1']
        consumer = uuidutils.generate_uuid()
        self.taken[consumer] = provider
        response = self.placement.put('/allocations/' + consumer, {
            'allocations': {provider: {'resources': {self.CLASS: 1}}},
            'project_id': 'other', 'user_id': 'other',
            'consumer_generation': None}, version='1.28')
        self.assertEqual(204, response.status, response.body)

    def _widget_of(self, consumer):
        return [name for name, consumers in self.held().items()
                if self.CLASS in consumers.get(consumer, {})]

    def test_next_candidate(self):
        server = self.boot('host1')
        source, = self._widget_of(server['id'])
        self.taken = {}
        seen = self.trouble(CLAIM, self._take, times=2)
        self.force(server, 'host2')
        self.assertEqual(2, len(seen))
        widget, = self._widget_of(server['id'])
        self.assertEqual(2, len(self.taken))
        self.assertIn(widget, {'host2_a', 'host2_b', 'host2_c'})
        for consumer in self.taken:
            taken, = self._widget_of(consumer)
            self.held_before[taken][consumer] = {self.CLASS: 1}
        self.assertMoved(server, 'host1', 'host2', took={
            'host2': self.resources, widget: {self.CLASS: 1}})
        self.revert(server)

    def test_no_candidate_left(self):
        server = self.boot('host1')
        source, = self._widget_of(server['id'])
        self.taken = {}
        seen = self.trouble(CLAIM, self._take)
        details = self.force_refused(server, 'host2')
        self.assertIn('Other requests took the room on host host2 first, 3 '
                      'times in a row. Migrate again.', details)
        self.assertEqual(3, len(seen))
        self.assertOn(server, 'host1')
        self.assertEqual([source], self._widget_of(server['id']))
        self.assertEqual({server['id']}, set(self.held()['host1']))
        self.assertEqual({}, self.held()['host2'])

    def test_tries_are_bounded(self):
        self.flags(max_claim_attempts=2, group='coldmig')
        server = self.boot('host1')
        seen = self.trouble(CLAIM, no_room)
        self.assertRefused(server, 'first, 2 times in a row')
        self.assertEqual(2, len(seen))


class SourceOverCapacityTest(TroubleTestCase):
    """A host that shrank under its servers is one that has to be emptied."""

    def setUp(self):
        super().setUp()
        placement = metadata.version('openstack-placement')
        self.lenient = int(placement.split('.')[0]) >= LENIENT_PLACEMENT

    def _overcommitted(self):
        server, other = self.boot('host1'), self.boot('host1')
        self.set_inventory('host1', 'VCPU', total=1, allocation_ratio=1.0,
                           max_unit=1)
        return server, other

    def test_leaves(self):
        if not self.lenient:
            self.skipTest('Placement %d.0.0 and newer let it.' %
                          LENIENT_PLACEMENT)
        server, _other = self._overcommitted()
        self.moves(server)
        self.confirm(server)

    def test_may_not_leave(self):
        if self.lenient:
            self.skipTest('Placement before %d.0.0 does not let it.' %
                          LENIENT_PLACEMENT)
        server, _other = self._overcommitted()
        self.assertRefused(
            server, 'Host host1, which the server holds, is over its capacity '
            'and this Placement lets no allocation there change hands; '
            'Placement 14.0.0 does. Raise the allocation ratio of the host, '
            'or upgrade Placement, then migrate again.')
        self.set_inventory('host1', 'VCPU', allocation_ratio=2.0)
        self.moves(server)
