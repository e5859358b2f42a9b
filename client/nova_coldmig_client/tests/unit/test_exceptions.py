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

from nova_coldmig_client import exceptions


class TestExitStatuses(base.BaseTestCase):
    def test_all_differ(self):
        statuses = [outcome.exit_status for outcome in exceptions.OUTCOMES]
        # Success, wrong usage, and Ctrl-C in a shell.
        self.assertEqual(
            len(statuses), len(set(statuses) - {0, 2} - set(range(126, 256))))

    def test_all_are_in_the_table(self):
        # What is a special case of another ends as that does.
        table = ' '.join(exceptions.exit_statuses().split())
        classes = [exceptions.ClientError]
        while classes:
            outcome = classes.pop()
            classes += outcome.__subclasses__()
            self.assertIn('* %d: %s' % (outcome.exit_status, outcome.meaning),
                          table)
