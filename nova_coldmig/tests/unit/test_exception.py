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

from nova import exception
from nova import test

from nova_coldmig import exception as coldmig_exc


class ExceptionTest(test.NoDBTestCase):

    def test_the_migrate_action_knows_them(self):
        """Nova answers their parents with 400 and 409."""
        invalid = coldmig_exc.ForcedDestinationInvalid(reason='Why.')
        self.assertIsInstance(invalid, exception.ComputeHostNotFound)
        self.assertEqual('Why.', invalid.format_message())
        unavailable = coldmig_exc.ForcedDestinationUnavailable(reason='Why.')
        self.assertIsInstance(unavailable, exception.ServiceUnavailable)
        self.assertEqual('Why.', unavailable.format_message())
        changed = coldmig_exc.ForcedServerChanged(reason='Why.')
        self.assertIsInstance(changed, exception.InstanceNotReady)
        self.assertEqual('Why.', changed.format_message())
