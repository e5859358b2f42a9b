# SPDX-License-Identifier: Apache-2.0

from oslotest import base

from nova_coldmig.tests.sandbox import story

SERVER = {'VCPU': 1}
MIGRATION = {'VCPU': 2}


class AllocationsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.before = {'host1': {'server': SERVER}, 'host2': {}}

    def test_with_held(self):
        self.assertEqual(
            {'host1': {'server': SERVER, 'migration': MIGRATION},
             'host2': {}},
            story.with_held(self.before, 'host1', 'migration', MIGRATION))

    def test_without_held(self):
        self.assertEqual(
            {'host1': {}, 'host2': {}},
            story.without_held(self.before, 'host1', 'server'))

    def test_nothing_is_changed_in_place(self):
        story.with_held(self.before, 'host1', 'migration', MIGRATION)
        story.without_held(self.before, 'host1', 'server')
        self.assertEqual({'host1': {'server': SERVER}, 'host2': {}},
                         self.before)
