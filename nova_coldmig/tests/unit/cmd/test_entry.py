# SPDX-License-Identifier: Apache-2.0

"""What the commands say without Nova, and how they name themselves."""

from importlib import metadata
import os
from pathlib import Path
import subprocess
import sys
import venv

from nova import test

import nova_coldmig

COMMANDS = ('conductor', 'manage', 'status')

SCRIPT = ('import sys; from nova_coldmig.cmd import entry; '
          'sys.argv[0] = "/bin/nova-coldmig-%s"; sys.exit(entry.%s())')


class EntryTest(test.NoDBTestCase):

    TIMEOUT_SCALING_FACTOR = 2

    def _run(self, command, *arguments, python=sys.executable, **environment):
        return subprocess.run(
            [python, '-W', 'ignore', '-c', SCRIPT % (command, command),
             *arguments], env=dict(os.environ, **environment),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_console_scripts(self):
        text = (Path(nova_coldmig.__file__).parents[1] /
                'pyproject.toml').read_text()
        for command in COMMANDS:
            self.assertIn(
                '\nnova-coldmig-%s = "nova_coldmig.cmd.entry:%s"\n' % (
                    command, command), text)

    def test_environment_without_nova(self):
        """Nor anything else: it was installed with --no-deps."""
        home = self.useFixture(test.fixtures.TempDir()).path
        venv.create(home, with_pip=False)
        package = Path(home) / 'package'
        package.mkdir()
        (package / 'nova_coldmig').symlink_to(
            Path(nova_coldmig.__file__).parent)
        for command in COMMANDS:
            for arguments in ((), ('--version',), ('--help',)):
                done = self._run(
                    command, *arguments, python=home + '/bin/python',
                    PYTHONPATH=str(package))
                self.assertEqual(1, done.returncode)
                self.assertEqual('', done.stdout)
                self.assertEqual(
                    'nova-coldmig-%s: there is no Nova in the Python '
                    'environment %s. Install nova-coldmig into the one that '
                    'Nova is in, and run the command from there.\n' % (
                        command, home), done.stderr)
            # A directory is not Nova.
            (package / 'nova').mkdir(exist_ok=True)

    def test_version(self):
        for command in COMMANDS:
            done = self._run(command, '--version')
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual('nova-coldmig %s, Nova %s\n' % (
                metadata.version('nova-coldmig'), metadata.version('nova')),
                done.stdout)

    def test_help(self):
        for command in COMMANDS:
            done = self._run(command, '--help')
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn('usage: nova-coldmig-%s ' % command, done.stdout)
