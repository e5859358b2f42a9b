# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
import sys

import fixtures
from oslotest import base
from testtools.matchers import StartsWith

from nova_coldmig.tests.unit import tools  # noqa: F401

import _common  # noqa: H306

SCRIPT = """\
#!/bin/sh
case "$2" in *%(missing)s*) exit 1;; esac
echo %(version)s
"""


class FindPythonTest(base.BaseTestCase):
    """With Pythons that just tell their version."""

    def setUp(self):
        super().setUp()
        self.bin = Path(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.EnvironmentVariable('PATH', str(self.bin)))
        self.useFixture(fixtures.EnvironmentVariable('PYENV_ROOT'))
        self.useFixture(fixtures.MockPatchObject(
            sys, 'executable', str(self.bin / 'none')))
        self.useFixture(fixtures.MockPatchObject(
            _common, 'CACHE', self.bin / 'cache'))
        (self.bin / 'none').write_text('#!/bin/sh\nexit 1\n')
        (self.bin / 'none').chmod(0o755)

    def install(self, version, missing='nothing', name=None):
        path = self.bin / (name or 'python' + version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCRIPT % {'version': version, 'missing': missing})
        path.chmod(0o755)
        return str(path)

    def test_the_preferred_one(self):
        wanted = self.install('3.13')
        self.install('3.12')
        self.assertEqual(wanted, _common.find_python(('3.13', '3.12')))

    def test_any_that_is_supported(self):
        wanted = self.install('3.12', name='python3')
        self.assertEqual(wanted, _common.find_python(('3.13', '3.12')))

    def test_none(self):
        self.install('3.13')
        error = self.assertRaises(
            _common.CannotRun, _common.find_python, ('3.9', '3.10', '3.11'))
        self.assertThat(error.reason, StartsWith(
            'No Python 3.9, 3.10 or 3.11 is installed.'))
        self.assertIn('python3.9-venv', error.reason)
        self.assertIn('UV_PYTHON_DOWNLOADS', error.reason)
        self.assertEqual('Not run: ' + error.reason, str(error))

    def test_without_ensurepip(self):
        """As Debian has it: the package to install is named."""
        self.install('3.13', missing='ensurepip')
        self.assertTrue(_common.find_python(('3.13',)))
        error = self.assertRaises(
            _common.CannotRun, _common.find_python, ('3.11', '3.13'),
            'ensurepip')
        self.assertEqual(
            'Python 3.13 is installed without its module ensurepip. On Debian '
            'and Ubuntu, install python3.13-venv.', error.reason)

    def test_one_that_uv_has(self):
        uv = self.bin / 'cache' / 'tools' / 'bin' / 'uv'
        uv.parent.mkdir(parents=True)
        uv.write_text('#!/bin/sh\n[ "$5" = 3.10 ] && echo /uv/python3.10\n')
        uv.chmod(0o755)
        self.assertEqual('/uv/python3.10',
                         _common.find_python(('3.9', '3.10')))
