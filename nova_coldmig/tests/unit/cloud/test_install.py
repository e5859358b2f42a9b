# SPDX-License-Identifier: Apache-2.0

import os
import shutil
import subprocess

import _common
from cloud.services import install
import fixtures

from nova_coldmig.tests.unit import cloud


class DebianTest(cloud.CloudTest):

    def setUp(self):
        super().setUp()
        self.policy = self.folder / 'policy-rc.d'
        for target, name, value in (
                (install, 'PACKAGES', {'/nowhere/mariadbd': 'mariadb'}),
                (install, 'POLICY', self.policy)):
            self.useFixture(fixtures.MockPatchObject(target, name, value))
        self.uid = self.patch(os, 'getuid', return_value=0)
        self.which = self.patch(shutil, 'which', return_value='/bin/apt-get')
        self.run_command = self.patch(
            subprocess, 'run', side_effect=self._ran)
        self.commands = []
        self.code = 0

    def patch(self, target, name, **kwargs):
        return self.useFixture(fixtures.MockPatchObject(
            target, name, autospec=True, **kwargs)).mock

    def _ran(self, argv, **kwargs):
        self.commands.append(
            (argv[2], self.policy.exists() and self.policy.read_text()))
        return subprocess.CompletedProcess(argv, self.code, 'apt says\n')

    def test_nothing_is_missing(self):
        self.useFixture(fixtures.MockPatchObject(
            install, 'PACKAGES', {'/': 'base-files'}))
        install.debian()
        self.assertEqual([], self.commands)

    def test_lists_come_first_and_nothing_is_started(self):
        install.debian()
        self.assertEqual(['update', 'install'],
                         [command for command, _policy in self.commands])
        for _command, policy in self.commands:
            self.assertIn('exit 101', policy)
        self.assertFalse(self.policy.exists())
        self.assertIn('mariadb', self.run_command.call_args[0][0])

    def test_policy_of_the_machine_is_kept(self):
        self.policy.write_text('mine')
        install.debian()
        self.assertEqual('mine', self.policy.read_text())

    def test_failure(self):
        self.code = 100
        error = self.assertRaises(SystemExit, install.debian)
        self.assertEqual('apt says\napt-get update failed', str(error))
        self.assertFalse(self.policy.exists())

    def test_not_root(self):
        self.uid.return_value = 1000
        error = self.assertRaises(_common.CannotRun, install.debian)
        self.assertEqual('As root: apt-get install --no-install-recommends '
                         'mariadb', error.reason)

    def test_not_debian(self):
        self.which.return_value = None
        error = self.assertRaises(_common.CannotRun, install.debian)
        self.assertIn('no apt-get here', str(error))
        self.assertIn('mariadb', str(error))


class PinsTest(cloud.CloudTest):

    def test_both_ends(self):
        """There is a cloud of the oldest series and of the newest."""
        self.assertLessEqual({min(_common.SERIES), _common.NEWEST},
                             set(install.SERIES))

    def test_versions(self):
        for series in install.SERIES:
            path = _common.CONSTRAINTS / ('cloud-%s.txt' % series)
            pins = dict(line.split(' ')[0].split('==')
                        for line in path.read_text().splitlines()[1:])
            nova, placement, _pythons = _common.SERIES[series]
            for name, major in (
                    ('nova', nova), ('openstack-placement', placement)):
                self.assertEqual(str(major), pins[name].split('.')[0])
            self.assertLess({'keystone', 'glance', 'neutron', 'pyuwsgi',
                             'pymysql'}, set(pins))


class ReleaseTest(cloud.CloudTest):

    def setUp(self):
        super().setUp()
        for command in ('git', 'sh'):
            if not shutil.which(command):
                self.skipTest('There is no ' + command)
        root = self.folder / 'root'
        root.mkdir()
        self.git = ['git', '-C', str(root), '-c', 'user.name=a',
                    '-c', 'user.email=a@b']
        (root / 'what').write_text('old')
        for arguments in (['init', '-q'], ['add', 'what'],
                          ['commit', '-q', '-m', 'Old']):
            subprocess.check_call(self.git + arguments)
        (root / 'what').write_text('new')
        # It is given the directory for the wheel and the tree, as it is.
        uv = self.folder / 'bin' / 'uv'
        uv.parent.mkdir()
        uv.write_text(
            '#!/bin/sh\nset -e\n'
            '[ "$1 $2 $3 $4" = "build -q --wheel --out-dir" ]\n'
            'mkdir -p "$5"\ncp "$6/what" "$5/$PBR_VERSION.whl"\n'
            # pbr asks git for the data files.
            'test "$(git -C "$6" ls-files)" = what\n')
        uv.chmod(0o755)
        self.useFixture(fixtures.MockPatchObject(_common, 'ROOT', root))
        self.useFixture(fixtures.MockPatchObject(
            _common, 'tool_environment', autospec=True,
            return_value=uv.parent))
        self.environment = self.useFixture(fixtures.MockPatchObject(
            install, '_environment', autospec=True)).mock

    def test_revision_is_built(self):
        """What is committed is in the wheel, and not what is in the tree."""
        version = install.release(self.layout, 'HEAD')
        self.assertRegex(version, r'^0\.0\.0\+g[0-9a-f]{12}$')
        venv, pins, _python, wheel = self.environment.call_args[0]
        self.assertEqual(self.layout.release, venv)
        self.assertNotEqual(self.layout.venv, venv)
        self.assertEqual('cloud-%s.txt' % self.series, pins.name)
        self.assertEqual(version + '.whl', wheel.name)
        self.assertEqual('old', wheel.read_text())

    def test_wheel_is_kept(self):
        version = install.release(self.layout, 'HEAD')
        (self.folder / 'bin' / 'uv').unlink()
        self.assertEqual(version, install.release(self.layout, 'HEAD'))

    def test_unknown_revision(self):
        error = self.assertRaises(
            SystemExit, install.release, self.layout, 'nothing')
        self.assertEqual('git knows no revision nothing here.', str(error))
