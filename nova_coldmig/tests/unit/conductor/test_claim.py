# SPDX-License-Identifier: Apache-2.0

import functools
from unittest import mock

from nova import context as nova_context
from nova import objects
from nova.scheduler.client import report
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.conductor import claim
from nova_coldmig import exception

SOURCE = {
    'allocations': {uuids.source: {'generation': 7, 'resources': {'VCPU': 2}}},
    'project_id': uuids.project, 'user_id': uuids.user,
    'consumer_generation': 3,
}
REQUEST = {
    'allocations': {uuids.dest: {'resources': {'VCPU': 2}}},
    'mappings': {'': [uuids.dest]},
}


def answer(status, detail='', code='placement.undefined_code'):
    response = mock.Mock(spec=['status_code', 'json'], status_code=status)
    response.json.return_value = {
        'errors': [{'code': code, 'detail': detail}]}
    return response


GENERATION = answer(409, 'resource provider generation conflict',
                    'placement.concurrent_update')


class ClaimTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.context = nova_context.get_admin_context()
        self.client = mock.create_autospec(
            report.SchedulerReportClient, instance=True)
        self.instance = objects.Instance(uuid=uuids.instance, host='source')


class MoveTest(ClaimTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(test.fixtures.MockPatch('time.sleep'))

    def _move(self, *answers):
        self.client.post.side_effect = answers
        return claim.move(
            self.context, self.client, self.instance,
            objects.Migration(uuid=uuids.migration), SOURCE,
            objects.RequestSpec(project_id=uuids.spec_project,
                                user_id=uuids.spec_user), REQUEST, '1.36')

    def test_one_request_for_both(self):
        self.assertTrue(self._move(answer(204)))
        self.client.post.assert_called_once_with('/allocations', {
            uuids.migration: {
                'allocations': {uuids.source: {'resources': {'VCPU': 2}}},
                'project_id': uuids.project, 'user_id': uuids.user,
                'consumer_generation': None},
            uuids.instance: {
                'allocations': {uuids.dest: {'resources': {'VCPU': 2}}},
                'mappings': {'': [uuids.dest]},
                'project_id': uuids.spec_project, 'user_id': uuids.spec_user,
                'consumer_generation': 3},
        }, version='1.36', global_request_id=self.context.global_id)

    def test_room_taken_by_another(self):
        self.assertFalse(self._move(answer(
            409, "Unable to create allocation for 'VCPU' on resource provider "
            "'%s'" % uuids.dest)))
        self.assertEqual(1, self.client.post.call_count)

    def test_provider_conflict_is_tried_again(self):
        self.assertTrue(self._move(GENERATION, GENERATION, answer(204)))
        self.assertEqual(3, self.client.post.call_count)

    def test_provider_conflict_is_not_tried_for_ever(self):
        self.assertFalse(self._move(*[GENERATION] * 9))
        self.assertEqual(4, self.client.post.call_count)

    CONFLICT = answer(
        409, 'consumer generation conflict - expected 3 but got 4',
        'placement.concurrent_update')

    def _hold(self, **held):
        self.client.get_allocs_for_consumer.side_effect = (
            lambda context, consumer: {'allocations': {
                provider: {'generation': 8, 'resources': {'VCPU': 2}}
                for provider in held[
                    'instance' if consumer == uuids.instance
                    else 'migration']}})

    def test_claim_that_was_sent_twice(self):
        """And that was granted the first time."""
        self._hold(instance=[uuids.dest], migration=[uuids.source])
        self.assertTrue(self._move(self.CONFLICT))

    def test_changed_consumer_is_refused(self):
        for held in ({'instance': [uuids.source], 'migration': []},
                     {'instance': [uuids.dest], 'migration': []},
                     # Of a move that died.
                     {'instance': [uuids.source],
                      'migration': [uuids.source]}):
            self._hold(**held)
            self._is_refused()

    def _is_refused(self):
        self.client.post.reset_mock()
        exc = self.assertRaises(
            exception.MoveRefused, self._move, self.CONFLICT)
        self.assertIn('changed while', exc.reason)
        self.assertEqual(1, self.client.post.call_count)

    @mock.patch.object(
        objects.ComputeNodeList, 'get_all_by_uuids', autospec=True)
    def test_source_over_capacity_is_refused(self, get_all):
        """And it is named, which may be one that the server was lost on."""
        get_all.return_value = [
            objects.ComputeNode(uuid=uuids.source, host='lost')]
        self.client.get.return_value = mock.Mock(
            spec=['status_code', 'json'], status_code=200, json=lambda: {
                'root_provider_uuid': uuids.source})
        exc = self.assertRaises(
            exception.MoveRefused, self._move, answer(
                409, "Unable to create allocation for 'VCPU' on resource "
                "provider '%s'" % uuids.source))
        self.assertIn('14.0.0', exc.reason)
        self.assertIn('Host lost, which', exc.reason)


@mock.patch.object(objects.ComputeNodeList, 'get_all_by_uuids', autospec=True)
class GetSourceTest(ClaimTestCase):

    def _get(self, get_all, held, nodes, migrations=(), provider=200):
        self.client.get.return_value = mock.Mock(
            spec=['status_code', 'json'], status_code=provider, json=lambda: {
                'root_provider_uuid': uuids.source})
        self.client.get_allocs_for_consumer.return_value = dict(
            SOURCE, allocations={uuid: {} for uuid in held})
        get_all.return_value = [
            objects.ComputeNode(uuid=uuid, host=host,
                                hypervisor_hostname=host)
            for uuid, host in nodes]
        return claim.get_source(
            self.context, self.client, self.instance,
            objects.ComputeNode(uuid=uuids.source), migrations)

    def test_all_on_the_source(self, get_all):
        source = self._get(get_all, [uuids.source, uuids.child],
                           [])
        self.assertEqual(3, source['consumer_generation'])
        get_all.assert_called_once_with(self.context, [uuids.child])

    def test_one_provider_on_the_source(self, get_all):
        self._get(get_all, [uuids.source], [])
        get_all.assert_not_called()

    def test_nothing(self, get_all):
        exc = self.assertRaises(
            exception.MoveRefused, self._get, get_all, [], [])
        self.assertIn('migration repair --server %s' % uuids.instance,
                      exc.reason)

    def test_something_elsewhere(self, get_all):
        for held in ([uuids.other], [uuids.source, uuids.other]):
            exc = self.assertRaises(
                exception.MoveRefused, self._get, get_all, held,
                [(uuids.other, 'other')])
            self.assertIn('Host other holds an allocation',
                          exc.reason)
            self.assertIn('migration repair --server', exc.reason)

    def test_the_host_it_was_evacuated_from(self, get_all):
        for status, taken in (('done', True), ('completed', False)):
            get = functools.partial(
                self._get, get_all, [uuids.source, uuids.lost],
                [(uuids.lost, 'lost')], [objects.Migration(
                    migration_type='evacuation', status=status,
                    source_compute='lost', source_node='lost')])
            if taken:
                self.assertEqual({uuids.source, uuids.lost},
                                 set(get()['allocations']))
            else:
                self.assertRaises(exception.MoveRefused, get)

    def test_what_no_compute_node_is(self, get_all):
        exc = self.assertRaises(
            exception.MoveRefused, self._get, get_all, [uuids.old], [])
        self.assertIn('of other resource providers: %s.' % uuids.old,
                      exc.reason)

    def test_no_provider(self, get_all):
        for held in ([], [uuids.old]):
            exc = self.assertRaises(
                exception.MoveRefused, self._get, get_all, held, [],
                provider=404)
            self.assertIn('has no resource provider', exc.reason)
