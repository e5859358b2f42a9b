# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova import exception
from nova import objects
from nova.scheduler import request_filter
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.conductor import bypass


class BypassTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.get_by_host = self.useFixture(test.fixtures.MockPatchObject(
            objects.AggregateList, 'get_by_host', return_value=[
                objects.Aggregate(uuid=uuids.a), objects.Aggregate(
                    uuid=uuids.b)])).mock

    def _reasons(self, filter_, disabled=False):
        with mock.patch.dict(
                bypass.POLICY_FILTERS, {filter_: 'why'}, clear=False):
            return bypass.reasons(
                mock.sentinel.context,
                objects.RequestSpec(availability_zone=None,
                                    project_id=uuids.project),
                objects.Service(host='dest', disabled=disabled))

    def _requires(self, *aggregates):
        def filter_(context, spec):
            spec.requested_destination.require_aggregates(aggregates)
        return filter_

    def test_nothing(self):
        self.assertEqual([], self._reasons(lambda context, spec: True))
        # Nobody wanted to know.
        self.get_by_host.assert_not_called()

    def test_aggregates_are_read_once(self):
        with mock.patch.dict(bypass.POLICY_FILTERS, {
                self._requires(uuids.x): 'x', self._requires(uuids.y): 'y',
                self._requires(uuids.b): 'b'}):
            self.assertEqual(
                ['x', 'y'], self._reasons(lambda context, spec: True))
        self.get_by_host.assert_called_once_with(
            mock.sentinel.context, 'dest')

    def test_disabled_service(self):
        self.assertEqual(
            [bypass.POLICY_FILTERS[request_filter.compute_status_filter]],
            self._reasons(lambda context, spec: True, disabled=True))

    def test_one_of_the_required_aggregates(self):
        self.assertEqual([], self._reasons(self._requires(uuids.x, uuids.b)))
        self.assertEqual(
            ['why'], self._reasons(self._requires(uuids.x, uuids.y)))

    def test_forbidden_aggregate(self):
        def filter_(context, spec):
            spec.requested_destination.append_forbidden_aggregates([uuids.a])
        self.assertEqual(['why'], self._reasons(filter_))

    def test_filter_that_refuses_all_hosts(self):
        self.assertEqual(['why'], self._reasons(mock.Mock(
            side_effect=exception.RequestFilterFailed(reason='none'))))
