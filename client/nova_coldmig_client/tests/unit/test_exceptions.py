# SPDX-License-Identifier: Apache-2.0

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
