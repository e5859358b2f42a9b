# SPDX-License-Identifier: Apache-2.0

"""How much of the servers is in memory at a time.

OS_COLDMIG_SERVERS says how many servers there are.
"""

import os
from unittest import mock
import weakref

from nova import context as nova_context
from nova import objects
from nova.scheduler.client import report
from nova import test
from oslo_utils import timeutils

from nova_coldmig.cmd import manage
from nova_coldmig.recovery import cells
from nova_coldmig.recovery import findings

SERVERS = int(os.environ.get('OS_COLDMIG_SERVERS', '3000'))
PER_NODE = 100


def uuid(kind, number):
    return '%08x-0000-4000-8000-%012x' % (kind, number)


class BatchesTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.now = timeutils.utcnow(with_timezone=True)
        self.alive = weakref.WeakSet()
        self.most = self.reads = 0
        nodes = [objects.ComputeNode(
            uuid=uuid(1, number), host='host%d' % number,
            hypervisor_hostname='host%d' % number)
            for number in range(SERVERS // PER_NODE)]
        for owner, name, value in (
            (objects.ComputeNodeList, 'get_all', nodes),
            (objects.MigrationList, 'get_by_filters', []),
            (objects.InstanceActionList, 'get_by_instance_uuid', []),
            (cells, '_down', frozenset()),
        ):
            self._patch(owner, name).return_value = value
        self._patch(objects.InstanceList, 'get_by_filters').side_effect = (
            self._page)
        self._patch(objects.Instance, 'get_by_uuid').side_effect = (
            lambda context, wanted: self._make(int(wanted[-12:], 16)))
        placement = self._patch(
            cells.report, 'report_client_singleton').return_value
        placement.get_allocs_for_consumer.side_effect = self._held
        placement.get_allocations_for_resource_provider.side_effect = (
            lambda context, node: report.ProviderAllocInfo(allocations={
                uuid(2, int(node[-12:], 16) * PER_NODE + number): {}
                for number in range(PER_NODE)}))
        placement.get.side_effect = lambda url, **kwargs: mock.Mock(
            spec=['status_code', 'json'], status_code=200, json=lambda: {
                'root_provider_uuid': url.split('/')[2]})
        context = nova_context.get_admin_context()
        self._patch(cells, 'cells').return_value = [
            cells.Cell(context, 'cell1', context)]
        self.useFixture(test.fixtures.MockPatchObject(findings, 'WAIT', 0))

    def _patch(self, owner, name):
        patch = mock.patch.object(owner, name, autospec=True)
        self.addCleanup(patch.stop)
        return patch.start()

    def _make(self, number):
        instance = objects.Instance(
            uuid=uuid(2, number), host='host%d' % (number // PER_NODE),
            node='host%d' % (number // PER_NODE), vm_state='active',
            task_state=None, deleted=False, created_at=self.now,
            updated_at=None)
        self.alive.add(instance)
        return instance

    def _page(self, context, filters, limit, marker, **kwargs):
        if filters['deleted']:
            return []
        self.reads += 1
        start = int(marker[-12:], 16) + 1 if marker else 0
        page = [self._make(number) for number in
                range(start, min(start + limit, SERVERS))]
        self.most = max(self.most, len(self.alive))
        return page

    def _held(self, context, consumer):
        number = int(consumer[-12:], 16)
        # One in a thousand has lost what it holds.
        return {'allocations': {} if number % 1000 == 7 else {
            uuid(1, number // PER_NODE): {}}}

    def test_bounded(self):
        found = sum(1 for _finding in manage.check())
        self.assertEqual(len(range(7, SERVERS, 1000)), found)
        self.assertEqual(SERVERS // cells.BATCH + 1, self.reads)
        # The batch that was looked at goes when the next one is there.
        self.assertLessEqual(self.most, 2 * cells.BATCH + 1)
