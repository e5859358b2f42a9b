# SPDX-License-Identifier: Apache-2.0

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
