#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.


import contextlib
import io
import types
from unittest import mock

import ddt
from openstack import connection
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
        self.app = types.SimpleNamespace(
            stdout=io.StringIO(), stderr=io.StringIO(),
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

    def assertRefused(self, *args):
        return str(self.assertRaises(
            osc_exceptions.CommandError, self.run_command, *args))

    # What the stock command is left.

    @ddt.data(['demo'], ['--host', 'host3', 'demo'],
              ['--live-migration', 'demo'],
              ['--live-migration', '--host', 'host3', '--wait', 'demo'],
              ['--live-migration', '--block-migration', 'demo'],
              ['--shared-migration', 'demo'])
    def test_stock(self, args):
        parsed_args = self.parse(*args)
        self.assertIs(self.stock.return_value,
                      self.command.take_action(parsed_args))
        self.stock.assert_called_once_with(self.command, parsed_args)
        self.assertFalse([request for request in self.requests.request_history
                          if 'servers' in request.url])

    def test_stock_waits_no_more(self):
        self.answers(base.server('VERIFY_RESIZE', 'host2'))
        self.assertIsNone(self.run_command(
            '--host', 'host2', '--wait', 'demo'))
        (_command, parsed_args), _kwargs = self.stock.call_args
        self.assertEqual(('the-id', 'host2', False), (
            parsed_args.server, parsed_args.host, parsed_args.wait))
        self.assertFalse(self.post.called)

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
            self.assertRefused('--host', 'host3', '--force', '--wait',
                               'demo'))

    @ddt.data([], ['--wait'])
    def test_cloud_without_the_package(self, more):
        self.answers()
        self.requests.get(base.NOVA + server.migration.EXTENSION,
                          status_code=404)
        self.assertIn('does not have the package nova-coldmig',
                      self.assertRefused('--host', 'host3', '--force', 'demo',
                                         *more))
        self.assertFalse(self.post.called)

    @ddt.data([], ['--wait'])
    def test_refused(self, more):
        self.answers()
        self.requests.post(base.SERVER + '/action',
                           **base.error(403, 'Not for you.', 'forbidden'))
        self.assertEqual('Not for you. (HTTP 403) (Request-ID: req-1)',
                         self.assertRefused('--host', 'host3', '--force',
                                            'demo', *more))

    def test_timeout(self):
        self.answers(base.server('RESIZE', 'host1', 'resize_prep'))
        self.assertEqual(
            'After 0 s the server is RESIZE (resize_prep). The migration '
            'goes on; look at it with "openstack server show the-id" and '
            '"openstack server event list the-id".',
            self.assertRefused('--host', 'host3', '--force', '--wait',
                               '--timeout', '0', 'demo'))

    def test_interrupted(self):
        self.answers()
        with mock.patch.object(watch.Watch, 'wait', autospec=True,
                               side_effect=KeyboardInterrupt):
            self.assertEqual(130, self.run_command(
                '--host', 'host3', '--force', '--wait', 'demo'))
        self.assertIn('The migration goes on; look at it with "openstack '
                      'server show the-id"', self.app.stderr.getvalue())

    def test_interrupted_while_it_begins(self):
        self.answers()
        self.stock.side_effect = KeyboardInterrupt
        self.assertEqual(130, self.run_command(
            '--host', 'host3', '--wait', 'demo'))
        self.assertIn('The migration may have begun;',
                      self.app.stderr.getvalue())

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
