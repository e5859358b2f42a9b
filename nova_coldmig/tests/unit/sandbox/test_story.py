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
