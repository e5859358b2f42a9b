# SPDX-License-Identifier: Apache-2.0

"""A server with a file share that is mounted.

Where Nova moves one, from 2026.2 on, the tests in libvirt.test_upstream do.
"""

from nova.compute import api as compute
from nova import objects
from oslo_utils import uuidutils

from nova_coldmig.tests.functional import base


class ShareTest(base.ColdmigTestCase):

    def test_refused(self):
        """By Nova that can not, or as one of its computes can not."""
        base.since(self, 31, 'shares')
        server = self.boot('host1')
        with self.cell_context() as context:
            objects.share_mapping.ShareMapping(
                context, uuid=uuidutils.generate_uuid(),
                instance_uuid=server['id'],
                share_id=uuidutils.generate_uuid(), status='active',
                tag='share', export_location='192.0.2.1:/share',
                share_proto='NFS').create()
        oldest = getattr(compute, 'MIN_COMPUTE_COLD_MIGRATE_WITH_SHARES', 1)
        self.replace(
            'nova.objects.service.get_minimum_version_all_cells',
            lambda *args, **kwargs: oldest - 1)
        for migrate in ({'host': 'host2'}, {'host': 'host2', 'force': True}):
            self.assertIn('shares', self.refused(server, 409, migrate))
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
        self.assertEqual([], self.migrations(server))
        self.assertSchedulerCalls(0)
