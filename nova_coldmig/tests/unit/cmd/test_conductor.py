# SPDX-License-Identifier: Apache-2.0

import io
import sys
from unittest import mock

from nova.cmd import conductor as upstream
from nova import config
from nova import test
from oslo_config import cfg

from nova_coldmig.cmd import conductor
from nova_coldmig import series
from nova_coldmig import start

CONF = cfg.CONF


class ConductorTest(test.NoDBTestCase):
    """Of what is between oslo.config and Nova's own main."""

    def setUp(self):
        super().setUp()
        self.calls = mock.Mock()
        for owner, name in ((config, 'parse_args'), (start, 'install'),
                            (upstream, 'main')):
            self.useFixture(test.fixtures.MockPatchObject(
                owner, name, getattr(self.calls, name)))
        self.useFixture(test.fixtures.MockPatchObject(CONF, 'clear'))
        self.useFixture(test.fixtures.MonkeyPatch(
            'sys.argv', ['/usr/bin/nova-coldmig-conductor', '--debug']))

    def test_decides_when_the_configuration_is_parsed(self):
        conductor.main()
        # oslo.config reads the files of nova-conductor.
        argv = ['nova-conductor', '--debug']
        self.assertEqual(
            [mock.call.parse_args(argv, configure_db=False, init_rpc=False),
             mock.call.install('conductor'), mock.call.main()],
            self.calls.mock_calls)
        self.assertEqual(argv, sys.argv)
        CONF.clear.assert_called_once_with()

    def test_says_why_it_does_not_start(self):
        self.calls.install.side_effect = series.UnsupportedNova('Because.')
        exc = self.assertRaises(SystemExit, conductor.main)
        self.assertEqual('nova-coldmig-conductor: Because.', exc.code)
        self.calls.main.assert_not_called()

    def test_starts_whatever_happens_before(self):
        for name in ('parse_args', 'install'):
            getattr(self.calls, name).side_effect = RuntimeError('Made up')
            conductor.main()
            self.assertIn('Made up', self.stdlog.logger.output)
        self.assertEqual(2, self.calls.main.call_count)


class HelpTest(test.NoDBTestCase):

    def test_calls_itself_by_its_name(self):
        for option in ('-h', '--help'):
            output = self.useFixture(test.fixtures.MonkeyPatch(
                'sys.stdout', io.StringIO())).new_value
            self.useFixture(test.fixtures.MonkeyPatch(
                'sys.argv', ['/usr/bin/nova-coldmig-conductor', option]))
            CONF.clear()
            self.assertRaises(SystemExit, conductor.main)
            self.assertIn('usage: nova-coldmig-conductor', output.getvalue())
            self.assertIn('--config-file', output.getvalue())
