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

from _cloud import tempest

from nova_coldmig.tests.unit import cloud

OUTPUT = '''
======
Totals
======
Ran: 30 tests in 300.1 sec.
 - Passed: 27
 - Skipped: %d
 - Expected Fail: 1
 - Unexpected Success: 0
 - Failed: 2
Sum of execute time for each test: 500.3 sec.
'''


class CountsTest(cloud.CloudTest):

    def test_counts(self):
        self.assertEqual('28 passed, 2 failed, 3 skipped',
                         tempest.counts(OUTPUT % 3))

    def test_none_skipped(self):
        self.assertEqual('28 passed, 2 failed', tempest.counts(OUTPUT % 0))

    def test_nothing_ran(self):
        self.assertIsNone(tempest.counts('No tests found'))
