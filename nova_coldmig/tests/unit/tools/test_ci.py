# SPDX-License-Identifier: Apache-2.0

import shutil
import subprocess

import fixtures
from oslotest import base

from nova_coldmig.tests.unit import tools

import _common  # noqa: H306

PROGRAMS = ('test', 'upstream-tests', 'tox', 'sandbox', 'release', 'cloud',
            'soak', 'guests')


class CiTest(base.BaseTestCase):
    """.ci/run adds up what the programs it runs come to."""

    def setUp(self):
        super().setUp()
        self.root = tools.Path(self.useFixture(fixtures.TempDir()).path)
        for folder in ('.ci', 'tools'):
            (self.root / folder).mkdir()
        shutil.copy(str(tools.ROOT / '.ci' / 'run'),
                    str(self.root / '.ci' / 'run'))
        for name in PROGRAMS:
            self.stub(name, 'echo fine')
        self.stub('test', 'echo 2 passed, 0 failed')

    def stub(self, name, script):
        path = self.root / 'tools' / name
        path.write_text('#!/bin/sh\n%s\n' % script)
        path.chmod(0o755)

    def ci(self, *args):
        ran = subprocess.run(
            [str(self.root / '.ci' / 'run'), *args], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True)
        return ran.returncode, ran.stdout.splitlines()

    def test_passed(self):
        for args in ((), ('--strict',)):
            code, lines = self.ci(*args)
            self.assertEqual((0, '8 passed, 0 failed'), (code, lines[-1]))

    def test_unknown_option(self):
        self.assertEqual(2, self.ci('--lax')[0])

    def test_failed(self):
        self.stub('test', 'echo 2 passed, 1 failed; exit 1')
        code, lines = self.ci()
        self.assertEqual((1, '8 passed, 4 failed'), (code, lines[-1]))

    def test_failed_without_counts(self):
        self.stub('sandbox', 'echo Traceback; exit 1')
        code, lines = self.ci()
        self.assertEqual((1, '8 passed, 1 failed'), (code, lines[-1]))

    def test_no_interpreter(self):
        """It is listed last, before the counts; --strict fails."""
        self.stub('test', """case "$*" in
*client*)
    echo "%sclient-2024.1: No Python 3.9."
    echo 2 passed, 0 failed, 1 skipped;;
*) echo 2 passed, 0 failed;;
esac""" % _common.NOT_RUN)
        code, lines = self.ci()
        self.assertEqual(0, code)
        self.assertEqual([
            'Not run: tools/test --only client --only client-2024.1: '
            'client-2024.1: No Python 3.9.',
            '8 passed, 0 failed, 1 skipped'], lines[-2:])
        code, lines = self.ci('--strict')
        self.assertEqual(1, code)
        self.assertEqual('8 passed, 0 failed, 1 skipped', lines[-1])

    def test_tests_that_skip_themselves_are_no_lack(self):
        self.stub('test', 'echo 2 passed, 0 failed, 1 skipped')
        self.assertEqual(
            (0, '8 passed, 0 failed, 4 skipped'),
            (lambda code, lines: (code, lines[-1]))(*self.ci('--strict')))

    def test_not_root(self):
        self.stub('cloud', '[ "$1" = down ] || { echo "%sAs root: apt-get"; '
                  'exit 1; }' % _common.NOT_RUN)
        self.stub('soak', 'echo no cloud; exit 1')
        code, lines = self.ci()
        self.assertEqual(0, code)
        self.assertEqual(['Not run: tools/cloud up: As root: apt-get',
                          '8 passed, 0 failed, 1 skipped'], lines[-2:])
        self.assertEqual(1, self.ci('--strict')[0])

    def test_no_real_guests(self):
        """A machine that has a cloud may not be able to have them."""
        self.stub('cloud', '[ "$*" != "up --virt libvirt" ] || { '
                  'echo "%sno namespaces"; exit 1; }' % _common.NOT_RUN)
        self.stub('soak', 'echo 3 passed, 0 failed')
        self.stub('guests', 'echo 5 passed, 0 failed')
        code, lines = self.ci()
        self.assertEqual(0, code)
        self.assertEqual(['Not run: tools/cloud up --virt libvirt: '
                          'no namespaces',
                          '11 passed, 0 failed, 1 skipped'], lines[-2:])

    def test_real_guests(self):
        self.stub('guests', 'echo 4 passed, 1 failed; exit 1')
        code, lines = self.ci()
        self.assertEqual((1, '12 passed, 1 failed'), (code, lines[-1]))

    def test_cloud_that_fails(self):
        self.stub('cloud', '[ "$1" = down ] || exit 1')
        code, lines = self.ci()
        self.assertEqual((1, '8 passed, 1 failed'), (code, lines[-1]))

    def test_all_of_one_run_is_skipped(self):
        self.stub('test', """case "$*" in
*client*)
    echo "%sclient: No Python."
    echo 0 passed, 0 failed, 2 skipped
    exit 77;;
*) echo 2 passed, 0 failed;;
esac""" % _common.NOT_RUN)
        code, lines = self.ci()
        self.assertEqual((0, '6 passed, 0 failed, 2 skipped'),
                         (code, lines[-1]))

    def test_nothing_ran(self):
        self.stub('test', 'echo 0 passed, 0 failed, 2 skipped; exit 77')
        self.assertEqual(1, self.ci()[0])

    def test_all_that_is_run_is_there(self):
        text = (tools.ROOT / '.ci' / 'run').read_text()
        for name in PROGRAMS:
            self.assertIn('(tools/%s' % name, text)
            self.assertTrue((tools.TOOLS / name).stat().st_mode & 0o100)
