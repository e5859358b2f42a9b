# SPDX-License-Identifier: Apache-2.0

import configparser
import io
import os
import subprocess
import sys
from unittest import mock

from cloud import cloud as clouds
from cloud import layout
from cloud.trials import tempest
import subunit
import testtools

from nova_coldmig import series
from nova_coldmig.tests.unit import cloud

OUTPUT = '''
======
Totals
======
Ran: 30 tests in 300.1 sec.
 - Passed: 27
 - Skipped: %d
 - Expected Fail: 1
 - Unexpected Success: 0
 - Failed: 2
Sum of execute time for each test: 500.3 sec.
'''


class CountsTest(cloud.CloudTest):

    def test_counts(self):
        self.assertEqual('28 passed, 2 failed, 3 skipped',
                         tempest.counts(OUTPUT % 3))

    def test_none_skipped(self):
        self.assertEqual('28 passed, 2 failed', tempest.counts(OUTPUT % 0))

    def test_nothing_ran(self):
        self.assertIsNone(tempest.counts('No tests found'))

    def test_no_forced_move(self):
        """That is a failure, whatever has passed."""
        self.assertEqual('28 passed, 3 failed, 3 skipped',
                         tempest.counts(OUTPUT % 3, no_move=True))


class ConfigurationTest(cloud.CloudTest):
    """What devstack writes, and what its plugin makes of that."""

    def configure(self, extensions):
        there = mock.Mock(spec=['layout', 'client'], layout=self.layout)
        there.client().get.side_effect = lambda service, path: {
            'glance': {'images': [{'id': 'image'}]},
            'nova-api': {
                'flavors': [{'name': 'm1.tiny', 'id': '1'},
                            {'name': 'm1.small', 'id': '2'}],
                'extensions': extensions},
        }[service]
        path = self.folder / 'tempest.conf'
        tempest.configure(there, path)
        parser = configparser.RawConfigParser()
        parser.read(str(path))
        return parser

    def test_plain_nova(self):
        """The maximum is pinned, as on a stable branch."""
        self.make(coldmig=False)
        self.layout.settings['coldmig'] = False
        parser = self.configure([])
        self.assertEqual(series.NEWEST.max_microversion,
                         parser['compute']['max_microversion'])
        self.assertNotIn('nova_coldmig', parser)

    def test_coldmig(self):
        microversion = series.NEWEST.microversion
        parser = self.configure([
            {'alias': 'servers', 'description': 'Servers.'},
            {'alias': 'os-migrate-server-force',
             'description': 'Force, at microversion %s.' % microversion}])
        self.assertEqual(microversion, parser['compute']['max_microversion'])
        for option, value in (('force', 'True'),
                              ('force_role', layout.FORCE_ROLE),
                              ('host_role', layout.HOST_ROLE)):
            self.assertEqual(value, parser['nova_coldmig'][option])

    def test_the_package_is_not_active(self):
        error = self.assertRaises(
            clouds.Failed, self.configure,
            [{'alias': 'servers', 'description': 'Servers.'}])
        self.assertIn('Nova does not tell of nova-coldmig', str(error))


class ForcedMovesTest(cloud.CloudTest):
    """The program that judges a run of Tempest."""

    def setUp(self):
        super().setUp()
        self.stream = io.BytesIO()
        self.result = testtools.ExtendedToStreamDecorator(
            subunit.StreamResultToBytes(self.stream))
        self.result.startTestRun()

    def add(self, name, details=(), add='addSuccess'):
        test = testtools.PlaceHolder(name)
        self.result.startTest(test)
        getattr(self.result, add)(test, details={
            name: testtools.content.text_content('from a to b')
            for name in details})
        self.result.stopTest(test)

    def judge(self):
        self.result.stopTestRun()
        plugin = cloud.TOOLS.parent / 'tempest_plugin'
        ran = subprocess.run(
            [sys.executable, '-c', 'import sys; '
             'from nova_coldmig_tempest_plugin import forced_moves; '
             'sys.exit(forced_moves.main())'], input=self.stream.getvalue(),
            stdout=subprocess.PIPE,
            env=dict(os.environ, PYTHONPATH=str(plugin)))
        return ran.returncode, ran.stdout.decode()

    def test_moves(self):
        self.add('a.test', ['forced-move', 'forced-move-1', 'pythonlogging'])
        self.add('b.test', ['forced-move'])
        self.assertEqual((0, '3 forced moves were made.\n'), self.judge())

    def test_none(self):
        self.add('a.test', ['pythonlogging'])
        # It was made, but not as it has to be.
        self.add('b.test', ['forced-move', 'traceback'], 'addFailure')
        code, output = self.judge()
        self.assertEqual(1, code)
        self.assertIn('No forced move was made', output)

    def test_nothing(self):
        self.assertEqual(1, self.judge()[0])

    def test_run(self):
        """A run in which tests of the plugin were, and no move, is red."""
        venv = self.folder / 'venv'
        stream = b'\xb3 results'
        (self.folder / 'stream').write_bytes(stream)
        (venv / 'bin').mkdir(parents=True)
        for name, text in (
                ('stestr', 'cat stream'),
                ('nova-coldmig-forced-moves',
                 'cat > %s/judged; exit 1' % self.folder)):
            (venv / 'bin' / name).write_text('#!/bin/sh\n%s\n' % text)
            (venv / 'bin' / name).chmod(0o755)
        self.assertTrue(tempest._misses_moves(
            venv, self.folder, '{0} %s.tests.a ... ok' % tempest.PLUGIN))
        self.assertEqual(stream, (self.folder / 'judged').read_bytes())
        self.assertFalse(tempest._misses_moves(
            venv, self.folder, '{0} tempest.api.compute.a ... ok'))
