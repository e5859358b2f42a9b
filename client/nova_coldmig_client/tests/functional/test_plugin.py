# SPDX-License-Identifier: Apache-2.0

"""How the programs find the commands, for which no cloud is needed."""

from nova_coldmig_client.tests.functional import base


class TestPlugin(base.ProgramTestCase):
    def environment(self, user):
        """Return an environment in which sets have another order."""
        return dict(super().environment(user), PYTHONHASHSEED=self.seed)

    seed = '0'

    def test_ours_wins_always(self):
        for self.seed in '01':
            result = self.run_ok('help', 'server', 'migrate')
            self.assertIn('[--force] [--confirm]', result.output)
            self.assertIn('a cold migration to a named host bypasses',
                          ' '.join(result.output.split()))
            # No client complains about it.
            self.assertEqual('', result.errors)

    def test_neighbours_are_theirs(self):
        result = self.run_ok('help', 'server', 'resize')
        self.assertNotIn('--force', result.output)

    def test_listed(self):
        result = self.run_ok('command', 'list', '--group',
                             'openstack.coldmig', '-f', 'value')
        self.assertIn('server migrate', result.output)

    def test_completion(self):
        result = self.run_ok('complete')
        (line,) = [line for line in result.lines
                   if line.strip().startswith('cmds_server_migrate=')]
        words = line.partition('=')[2].strip("'").split()
        for option in ('--host', '--wait', '--force', '--confirm',
                       '--timeout'):
            self.assertEqual(1, words.count(option), line)

    def test_nova(self):
        result = self.run_ok('help', 'migrate', program='nova')
        self.assertIn('[--force <True|False>]', result.output)
        self.assertIn('<server> [<host>]', result.output)

    def test_nova_completion(self):
        result = self.run_ok('bash-completion', program='nova')
        for word in ('migrate', '--force', '--poll'):
            self.assertIn(word, result.output.split())
