# SPDX-License-Identifier: Apache-2.0

import subprocess
from unittest import mock
import zipfile

import fixtures
from oslotest import base

from nova_coldmig.tests.unit import tools

import _release  # noqa: H306


class ReleaseTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.root = tools.Path(self.useFixture(fixtures.TempDir()).path)

    def git(self, *args):
        subprocess.check_output(
            ['git', '-C', str(self.root), '-c', 'user.name=a',
             '-c', 'user.email=a@example.com', *args],
            stderr=subprocess.STDOUT)

    def test_version_is_that_of_the_tag(self):
        (self.root / 'file').write_text('one')
        self.git('init', '--quiet')
        self.git('add', 'file')
        self.git('commit', '--quiet', '-m', 'one')
        error = self.assertRaises(
            _release.Failed, _release.released_version, self.root)
        self.assertIn('has no tag', str(error))
        self.git('tag', '1.2.3')
        self.assertEqual('1.2.3', _release.released_version(self.root))
        (self.root / 'file').write_text('two')
        error = self.assertRaises(
            _release.Failed, _release.released_version, self.root)
        self.assertIn('not committed', str(error))

    def test_wheel_has_all_files(self):
        package = self.root / 'nova_coldmig'
        (package / 'fingerprints').mkdir(parents=True)
        (package / '__init__.py').touch()
        (package / 'fingerprints' / '2026.2.json').touch()
        wheel = self.root / 'nova_coldmig-1-py3-none-any.whl'
        with zipfile.ZipFile(str(wheel), 'w') as archive:
            archive.writestr('nova_coldmig/__init__.py', '')
        error = self.assertRaises(
            _release.Failed, _release.check_contents, wheel, self.root)
        self.assertIn('has no nova_coldmig/fingerprints/2026.2.json',
                      str(error))
        with zipfile.ZipFile(str(wheel), 'a') as archive:
            archive.writestr('nova_coldmig/fingerprints/2026.2.json', '')
        _release.check_contents(wheel, self.root)

    def test_files(self):
        for name in ('nova_coldmig-1.tar.gz', 'nova_coldmig_client-1.tar.gz',
                     'nova_coldmig-1-py3-none-any.whl'):
            (self.root / name).touch()
        self.assertEqual(
            ['nova_coldmig-1-py3-none-any.whl', 'nova_coldmig-1.tar.gz'],
            [path.name for path in _release.files(
                self.root, 'nova-coldmig')])
        self.assertRaises(_release.Failed, _release.files, self.root,
                          'nova-coldmig-client')

    def check_server(self, told):
        with mock.patch.object(_release, 'environment', autospec=True,
                               return_value=self.root), \
                mock.patch.object(_release, 'HOME', self.root):
            status = self.root / 'nova-coldmig-status'
            status.write_text('#!/bin/sh\necho "%s"\nexit 2\n' % told)
            status.chmod(0o755)
            _release.check_server(None, None, '2026.2')

    def test_status_decides(self):
        self.check_server('| Check: Supported Nova |\n| Result: Success |')
        for told in ('| Check: Supported Nova |\n| Result: Failure |',
                     'Traceback', '| Check: Other |\n| Result: Success |'):
            self.assertRaises(_release.Failed, self.check_server, told)

    def test_distributions(self):
        for name, source in _release.DISTRIBUTIONS.items():
            self.assertIn('name = "%s"\n' % name,
                          (source / 'pyproject.toml').read_text())
