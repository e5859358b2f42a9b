# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import logging
import types
from unittest import mock

import ddt
from keystoneauth1 import exceptions as ksa_exceptions
from novaclient import exceptions as nova_exceptions
from openstack import connection
from openstack import exceptions as sdk_exceptions
from openstackclient.common import clientmanager
from openstackclient.compute.v2 import server as stock
from osc_lib import exceptions as osc_exceptions

from nova_coldmig_client.osc import plugin
from nova_coldmig_client.osc.v1 import server
from nova_coldmig_client.tests.unit import base
from nova_coldmig_client import watch


@ddt.ddt
class TestMigrateServer(base.TestCase):
    def setUp(self):
        super().setUp()
        self.quicken()
        sdk = connection.Connection(
            session=self.session, compute_endpoint_override=base.NOVA)
        self.compute = sdk.compute
        self.app = types.SimpleNamespace(
            stdout=io.StringIO(), stderr=io.StringIO(),
            LOG=mock.create_autospec(logging.getLogger()),
            client_manager=types.SimpleNamespace(coldmig=plugin.make_client(
                types.SimpleNamespace(sdk_connection=sdk))))
        self.command = server.MigrateServer(self.app, None)
        self.requests.get(base.NOVA + '/servers/demo', status_code=404)
        self.requests.get(
            base.NOVA + '/servers/detail?name=demo',
            json={'servers': [{'id': 'the-id', 'name': 'demo'}]})
        self.requests.get(base.ACTIONS, json={'instanceActions': []})
        self.install()
        self.post = self.accept()
        self.stock = self.patch_stock()

    def patch_stock(self):
        patcher = mock.patch.object(
            stock.MigrateServer, 'take_action', autospec=True,
            return_value=None)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def answers(self, *answers):
        self.requests.get(
            base.SERVER, [base.server('ACTIVE', 'host1')] + list(answers))

    def parse(self, *args):
        return self.command.get_parser('openstack server migrate').parse_args(
            list(args))

    def run_command(self, *args):
        return self.command.take_action(self.parse(*args))

    def assertEnds(self, exit_status, *args):
        """Run a command that has to end with a sentence, and return that."""
        self.app.LOG.reset_mock()
        self.assertEqual(exit_status, self.run_command(*args))
        (call,) = self.app.LOG.error.call_args_list
        return str(call[0][0])

    # What the stock command is left.

    @ddt.data(['demo'], ['--host', 'host3', 'demo'],
              ['--live-migration', 'demo'],
              ['--live-migration', '--host', 'host3', '--wait', 'demo'],
              ['--live-migration', '--block-migration', 'demo'],
              ['--shared-migration', 'demo'],
              # It says what is wrong.
              ['--block-migration', '--wait', 'demo'],
              ['--disk-overcommit', '--confirm', 'demo'])
    def test_stock(self, args):
        parsed_args = self.parse(*args)
        self.assertIs(self.stock.return_value,
                      self.command.take_action(parsed_args))
        self.stock.assert_called_once_with(self.command, parsed_args)
        self.assertFalse([request for request in self.requests.request_history
                          if 'servers' in request.url])

    def test_stock_refuses_the_microversion(self):
        self.compute.default_microversion = '2.55'
        args = self.parse('--host', 'host3', '--wait', 'demo')
        self.command.take_action(args)
        self.stock.assert_called_once_with(self.command, args)
        self.assertFalse(self.post.called)

    def stock_asks(self, method, **answer):
        """Have the stock command make one request, with SDK."""
        def ask(*args):
            sdk_exceptions.raise_from_response(
                self.compute.request(base.SERVER + '/action', method))

        self.requests.register_uri(method, base.SERVER + '/action', **answer)
        self.stock.side_effect = ask

    @ddt.data(('POST', 409, 3, 'It is resized. (HTTP 409) (Request-ID: '
                               'req-1)'),
              ('GET', 403, 1, 'It is resized. (HTTP 403) (Request-ID: '
                              'req-1)'),
              ('POST', 504, 6, 'The answer of Nova was lost (It is resized. '
               '(HTTP 504) (Request-ID: req-1)), so whether it took the '
               'request is not known. Before you try again, look at it with '
               '"openstack server show demo" and "openstack server event list '
               'demo".'))
    @ddt.unpack
    def test_stock_outcome(self, method, status, exit_status, sentence):
        self.stock_asks(method, **base.error(status, 'It is resized.'))
        self.assertEqual(sentence, self.assertEnds(exit_status, 'demo'))

    @ddt.data(('POST', 409, 3, 'No. (HTTP 409)'),
              ('GET', 404, 1, 'No. (HTTP 404)'),
              ('POST', 502, 6, 'is not known'))
    @ddt.unpack
    def test_stock_outcome_with_novaclient(self, method, status, exit_status,
                                           sentence):
        self.stock.side_effect = nova_exceptions.ClientException(
            status, 'No.', method=method)
        self.assertIn(sentence, self.assertEnds(exit_status, 'demo'))

    @ddt.data((ksa_exceptions.ConnectFailure('gone'), 6),
              (ksa_exceptions.Unauthorized('Who?'), 1))
    @ddt.unpack
    def test_stock_without_an_answer(self, problem, exit_status):
        self.stock.side_effect = problem
        self.assertEnds(exit_status, 'demo')

    @ddt.data(sdk_exceptions.SDKException('No Server found for demo'),
              osc_exceptions.CommandError('Use 2.56.'), KeyboardInterrupt())
    def test_stock_error(self, problem):
        self.stock.side_effect = problem
        self.assertIs(problem, self.assertRaises(
            type(problem), self.run_command, 'demo'))

    def test_all_options_of_stock(self):
        def options(command):
            return {tuple(action.option_strings): type(action)
                    for action in command.get_parser('x')._actions}

        theirs = options(stock.MigrateServer(self.app, None))
        ours = options(self.command)
        self.assertEqual(
            {('--force',), ('--confirm',), ('--timeout',)},
            set(ours) - set(theirs))
        self.assertEqual(theirs, {key: ours[key] for key in theirs})

    def test_help(self):
        text = self.command.get_description()
        self.assertTrue(text.startswith('Migrate server to different host.'))
        self.assertIn('a cold migration to a named host bypasses', text)
        text = self.command.get_parser('x').format_help()
        self.assertIn('\n* 3: It was refused. The server is where and as it '
                      'was.\n', text)
        self.assertIn('\n                        ``--host``', text)

    # Force.

    @ddt.data('demo', 'the-id')
    def test_force(self, name):
        self.answers()
        self.assertIsNone(self.run_command(
            '--host', 'host3', '--force', name))
        self.assertEqual({'migrate': {'host': 'host3', 'force': True}},
                         self.post.last_request.json())
        self.assertEqual('', self.app.stdout.getvalue())
        self.stock.assert_not_called()

    def test_force_and_wait(self):
        self.answers(base.server('RESIZE', 'host1', 'resize_prep'),
                     base.server('VERIFY_RESIZE', 'host3'))
        self.assertIsNone(self.run_command(
            '--host', 'host3', '--force', '--wait', 'demo'))
        self.assertEqual('RESIZE (resize_prep)\nVERIFY_RESIZE\n',
                         self.app.stdout.getvalue())

    def test_force_and_confirm(self):
        self.answers(base.server('VERIFY_RESIZE', 'host3'),
                     base.server('ACTIVE', 'host3'))
        self.assertIsNone(self.run_command(
            '--host', 'host3', '--force', '--confirm', 'demo'))
        self.assertEqual({'confirmResize': None},
                         self.post.last_request.json())
        self.assertEqual('VERIFY_RESIZE\nACTIVE\n',
                         self.app.stdout.getvalue())

    def test_failure(self):
        self.answers(base.server('ACTIVE', 'host1'))
        self.assertEqual(
            'The server is ACTIVE on host1: Nova does not say why.',
            self.assertEnds(4, '--host', 'host3', '--force', '--wait',
                            'demo'))

    @ddt.data([], ['--wait'])
    def test_cloud_without_the_package(self, more):
        self.answers()
        self.uninstall()
        self.assertIn('does not have the package nova-coldmig',
                      self.assertEnds(3, '--host', 'host3', '--force', 'demo',
                                      *more))
        self.assertFalse(self.post.called)

    @ddt.data([], ['--wait'])
    def test_refused(self, more):
        self.answers()
        self.requests.post(base.SERVER + '/action',
                           **base.error(403, 'Not for you.', 'forbidden'))
        self.assertEqual('Not for you. (HTTP 403) (Request-ID: req-1)',
                         self.assertEnds(3, '--host', 'host3', '--force',
                                         'demo', *more))

    def test_search_is_refused(self):
        self.requests.get(
            base.NOVA + '/servers/detail?name=demo',
            **base.error(403, 'Not for you.', 'forbidden'))
        self.assertEqual('Not for you. (HTTP 403) (Request-ID: req-1)',
                         self.assertEnds(1, '--host', 'host3', '--force',
                                         'demo'))

    def test_no_such_server(self):
        self.requests.get(base.NOVA + '/servers/detail?name=demo',
                          json={'servers': []})
        exc = self.assertRaises(
            sdk_exceptions.SDKException, self.run_command,
            '--host', 'host3', '--force', 'demo')
        self.assertEqual('No Server found for demo', str(exc))

    @ddt.data([], ['--wait'])
    def test_nothing_can_be_asked(self, more):
        self.answers({'status_code': 503, 'reason': 'Busy'})
        self.requests.get(base.ACTIONS, status_code=503, reason='Busy')
        self.assertEqual('Busy (HTTP 503)', self.assertEnds(
            1, '--host', 'host3', '--force', 'demo', *more))
        self.assertFalse(self.post.called)

    @ddt.data([], ['--wait'], ['--confirm'])
    def test_microversion_is_lost(self, more):
        self.answers()
        self.install(headers=base.taken_at('2.1'))
        self.assertIn('so the migration was not asked for', self.assertEnds(
            3, '--host', 'host3', '--force', 'demo', *more))
        self.assertFalse(self.post.called)

    @ddt.data([], ['--wait'], ['--confirm'])
    def test_microversion_is_lost_at_last(self, more):
        self.answers()
        self.post = self.requests.post(base.SERVER + '/action',
                                       status_code=202,
                                       headers=base.taken_at('2.1'))
        sentence = self.assertEnds(7, '--host', 'host3', '--force', 'demo',
                                   *more)
        self.assertIn('Nova took the request at microversion 2.1 and not at '
                      '2.4711', sentence)
        self.assertTrue(sentence.endswith(
            'To see where it goes, look at it with "openstack server show '
            'the-id" and "openstack server event list the-id". When it is '
            'VERIFY_RESIZE, "openstack server migration revert the-id" takes '
            'it back, and "openstack server migration confirm the-id" leaves '
            'it there.'), sentence)
        self.assertEqual(1, self.post.call_count)

    # An answer that is lost.

    def lose(self):
        self.requests.post(base.SERVER + '/action', status_code=504,
                           reason='Gateway Timeout')

    def appear(self):
        """Have an action that comes while nobody answers."""
        self.requests.get(base.ACTIONS, [
            {'json': {'instanceActions': []}},
            {'json': {'instanceActions': [
                {'action': 'migrate', 'request_id': 'req-new'}]}}])

    def test_lost_but_taken(self):
        self.lose()
        self.appear()
        self.answers(base.server('RESIZE', 'host1', 'resize_prep'),
                     base.server('VERIFY_RESIZE', 'host3'))
        self.assertIsNone(self.run_command(
            '--host', 'host3', '--force', '--wait', 'demo'))
        self.assertEqual(
            'The answer of Nova was lost (Gateway Timeout (HTTP 504)), so '
            'whether it took the request is not known. A migration of the '
            'server began meanwhile, with the request req-new; it is RESIZE '
            '(resize_prep) on host1.\n', self.app.stderr.getvalue())

    def test_lost_but_taken_and_nobody_waits(self):
        self.lose()
        self.appear()
        self.answers(base.server('RESIZE', 'host1', 'resize_prep'))
        sentence = self.assertEnds(6, '--host', 'host3', '--force', 'demo')
        self.assertIn('began meanwhile, with the request req-new', sentence)
        self.assertIn('Before you try again, look at it with "openstack '
                      'server show the-id"', sentence)

    @ddt.data([], ['--wait'])
    def test_lost(self, more):
        self.lose()
        self.answers()
        self.assertIn(
            'So far no migration of the server began; it is ACTIVE on host1.',
            self.assertEnds(6, '--host', 'host3', '--force', 'demo', *more))

    def test_lost_and_nova_is_gone(self):
        self.lose()
        self.answers({'status_code': 503, 'reason': 'Busy'})
        self.assertIn(
            'What the server does can not be seen either: Busy (HTTP 503).',
            self.assertEnds(6, '--host', 'host3', '--force', 'demo'))

    # Where it ends before the migration does.

    def test_timeout(self):
        self.answers(base.server('RESIZE', 'host1', 'resize_prep'))
        self.assertEqual(
            'After 0 s the server is RESIZE (resize_prep). The migration '
            'goes on; look at it with "openstack server show the-id" and '
            '"openstack server event list the-id".',
            self.assertEnds(5, '--host', 'host3', '--force', '--wait',
                            '--timeout', '0', 'demo'))

    def test_interrupted(self):
        self.answers()
        with mock.patch.object(watch.Watch, 'wait', autospec=True,
                               side_effect=KeyboardInterrupt):
            self.assertEqual(130, self.run_command(
                '--host', 'host3', '--force', '--wait', 'demo'))
        self.assertIn('The migration goes on; look at it with "openstack '
                      'server show the-id"', self.app.stderr.getvalue())

    @ddt.data([], ['--force'])
    def test_interrupted_while_it_begins(self, more):
        self.answers()
        self.requests.post(base.SERVER + '/action', exc=KeyboardInterrupt)
        self.assertEqual(130, self.run_command(
            '--host', 'host3', '--wait', 'demo', *more))
        self.assertIn('The migration may have begun;',
                      self.app.stderr.getvalue())

    # Checked by the scheduler.

    @ddt.data((['--host', 'host3'], {'host': 'host3'}), ([], None))
    @ddt.unpack
    def test_checked(self, more, body):
        self.answers(base.server('VERIFY_RESIZE', 'host3'))
        self.assertIsNone(self.run_command('--wait', 'demo', *more))
        self.assertEqual({'migrate': body}, self.post.last_request.json())
        self.stock.assert_not_called()

    def test_microversion_of_the_user(self):
        self.compute.default_microversion = '2.74'
        self.answers(base.server('VERIFY_RESIZE', 'host3'))
        self.run_command('--host', 'host3', '--wait', 'demo')
        self.assertEqual('compute 2.74',
                         self.microversion(self.post.last_request))

    def test_checked_and_refused(self):
        self.answers()
        self.requests.post(base.SERVER + '/action',
                           **base.error(400, 'No such host.', 'badRequest'))
        self.assertEqual('No such host. (HTTP 400) (Request-ID: req-1)',
                         self.assertEnds(3, '--host', 'host3', '--wait',
                                         'demo'))

    def test_checked_and_microversion_is_lost(self):
        self.answers()
        self.requests.get(base.SERVER, **dict(
            base.server('ACTIVE', 'host1'), headers=base.taken_at('2.1')))
        self.assertIn('so the migration was not asked for', self.assertEnds(
            3, '--host', 'host3', '--wait', 'demo'))
        self.assertFalse(self.post.called)

    # What is wrong before anything is asked for.

    @ddt.data(
        (['--force'], '--force needs --host'),
        (['--force', '--host', ''], '--force needs --host'),
        (['--force', '--host', 'host3', '--live-migration'],
         '--force can not be used with --live-migration'),
        (['--confirm', '--live-migration'],
         '--confirm can not be used with --live-migration'),
        (['--wait', '--timeout', '0', '--live-migration'],
         '--timeout can not be used with --live-migration'),
        (['--force', '--host', 'host3', '--block-migration'],
         '--block-migration and --disk-overcommit can not be used with '
         '--force'),
        (['--force', '--host', 'host3', '--disk-overcommit'],
         '--block-migration and --disk-overcommit can not be used with '
         '--force'),
        (['--timeout', '3'], '--timeout needs --wait or --confirm'),
        (['--wait', '--timeout', '-1'], 'not a number of seconds'),
        (['--wait', '--timeout', 'nan'], 'not a number of seconds'),
        (['--wait', '--timeout', 'inf'], 'not a number of seconds'),
        (['--wait', '--timeout', 'soon'],
         'not a number of seconds'))
    @ddt.unpack
    def test_misuse(self, args, message):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            exc = self.assertRaises(SystemExit, self.parse, *args, 'demo')
        self.assertEqual(2, exc.code)
        self.assertIn('usage: openstack server migrate', errors.getvalue())
        self.assertIn(message, errors.getvalue())


class TestPlugin(base.TestCase):
    def test_loaded_after_the_stock_command(self):
        # The command of a group that is loaded later wins.
        names = [module.API_NAME for module in clientmanager.PLUGIN_MODULES]
        self.assertLess(names.index('compute'), names.index('coldmig'))

    def test_no_option(self):
        self.assertIs(self, plugin.build_option_parser(self))
