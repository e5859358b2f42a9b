# SPDX-License-Identifier: Apache-2.0

import argparse
import io
import json
from unittest import mock

from nova import test

from nova_coldmig.cmd import manage
from nova_coldmig.recovery import consent
from nova_coldmig.recovery import plan


class ExitCodeTest(test.NoDBTestCase):

    def _parse(self, *arguments):
        parser = argparse.ArgumentParser()
        manage._add_parsers(parser.add_subparsers())
        return parser.parse_args(('migration',) + arguments)

    def _repair(self, *outcomes):
        done = [{'server': 'uuid', 'host': 'host1', 'findings': ['two-hosts'],
                 'repair': None, 'what': 'Look.', 'outcome': outcome,
                 'reason': None} for outcome in outcomes]
        with mock.patch.object(manage, 'repair', autospec=True,
                               return_value=iter(done)):
            return manage._repair(self._parse('repair', '--all'))

    def test_repair(self):
        self.assertEqual(manage.CLEAN, self._repair())
        self.assertEqual(manage.CLEAN, self._repair('repaired', 'repaired'))
        for outcome in ('would-repair', 'by-hand', 'refused'):
            self.assertEqual(
                manage.FOUND, self._repair('repaired', outcome, 'repaired'))
        self.assertEqual(
            manage.NOT_REPAIRED, self._repair('by-hand', 'failed', 'refused'))

    def test_dry_run_is_the_default(self):
        with mock.patch.object(manage, 'repair', autospec=True,
                               return_value=()) as repair:
            manage._repair(self._parse('repair', '--host', 'host1'))
            repair.assert_called_once_with(
                'host1', None, 3600, False, consent.Word(), None)

    def test_where_the_disks_are(self):
        """Both say it of a move whose copy was given up, and of no other."""
        for action, function in (('check', manage._check),
                                 ('repair', manage._repair)):
            with mock.patch.object(manage, action, autospec=True,
                                   return_value=()) as called:
                function(self._parse(action, '--all', '--disks', 'shared'))
            self.assertEqual('shared', called.call_args[0][-1])
        seen = mock.Mock(instance=mock.Mock(uuid='uuid'))
        move = mock.Mock(source_compute='host1', dest_compute='host2')
        for copied_by, told in ((move, True), (None, False)):
            text = manage._text(
                mock.Mock(), seen,
                plan.Plan(None, 'Look.', copied_by=copied_by), 'local')
            self.assertTrue(text.startswith('Look.'))
            self.assertEqual(told, 'mv uuid_resize uuid' in text)

    def test_word_is_about_one_server(self):
        with mock.patch.object(manage, 'repair', autospec=True,
                               return_value=()) as repair:
            for scope in (['--all'], ['--host', 'host1']):
                for word in (['--ended'], ['--no-guest-on', 'host2']):
                    self.assertEqual(manage.WRONG, manage._repair(
                        self._parse('repair', *word, *scope)))
            repair.assert_not_called()
            self.assertEqual(manage.CLEAN, manage._repair(self._parse(
                'repair', '--server', 'uuid', '--ended', '--no-guest-on',
                'host2', '--restarted', 'host1', '--restarted', 'host2',
                '--fenced', 'host3', '--yes')))
            repair.assert_called_once_with(
                None, 'uuid', 3600, True, consent.Word(
                    fenced=frozenset(['host3']),
                    restarted=frozenset(['host1', 'host2']), ended=True,
                    no_guest_on=frozenset(['host2'])), None)

    def test_each_option_is_explained(self):
        parser = argparse.ArgumentParser()
        manage._add_parsers(parser.add_subparsers())
        told = []
        for action in ('check', 'repair'):
            with mock.patch('sys.stdout', io.StringIO()) as out:
                self.assertRaises(SystemExit, parser.parse_args,
                                  ['migration', action, '--help'])
            told.append(out.getvalue())
            self.assertNotIn('of_', told[-1])
        for action in ('check', 'repair'):
            for option in self._options(action):
                self.assertTrue(option.help, option.option_strings)

    def _options(self, action):
        parser = argparse.ArgumentParser()
        manage._add_parsers(parser.add_subparsers())
        for name in ('migration', action):
            of_parser, = (one for one in parser._actions
                          if isinstance(one, argparse._SubParsersAction))
            parser = of_parser.choices[name]
        return [one for one in parser._actions if one.option_strings]

    def test_check(self):
        finding = {'server': 'uuid', 'host': 'host1', 'finding': 'two-hosts',
                   'what': '.', 'sure': 'certain', 'plan': 'by-hand',
                   'repair': '.', 'asks': None}
        with mock.patch.object(manage, 'check', autospec=True) as check, \
                mock.patch('builtins.print', autospec=True) as printed:
            check.return_value = ()
            args = self._parse('check', '--all', '--json')
            self.assertEqual(manage.CLEAN, manage._check(args))
            check.return_value = (finding,)
            self.assertEqual(manage.FOUND, manage._check(args))
            (line,), _kwargs = printed.call_args
            self.assertEqual(finding, json.loads(line))
