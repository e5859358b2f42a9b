# SPDX-License-Identifier: Apache-2.0

"""nova-coldmig-manage, started as it is installed.

On a Nova that has no compute node yet; tools/deaths runs it on one that has.
"""

import os
import pathlib
import subprocess
import sys

import fixtures
import testtools

from nova_coldmig.cmd import manage
from nova_coldmig.tests.sandbox import web


class Versions(web.Facade):
    """All that is asked of Placement while there is no compute node."""

    ROUTES = (('GET', '/', 'versions'),)

    def versions(self, req):
        return web.reply({'versions': [{
            'id': 'v1.0', 'status': 'CURRENT', 'min_version': '1.0',
            'max_version': '1.39', 'links': [{'rel': 'self', 'href': ''}]}]})


#: Python imports it when it starts.
CHANGE = """
from nova_coldmig.wsgi import after_import


def change(module):
    def revert_resize(self, context, instance, migration, request_spec):
        pass

    module.ComputeManager.revert_resize = revert_resize


after_import.call('nova.compute.manager', change)
"""


class CommandTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        home = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        server = web.Server()
        url = server.mount('/placement', Versions())
        server.start()
        self.addCleanup(server.stop)
        self.config = home / 'nova.conf'
        self.config.write_text(
            '[DEFAULT]\ntransport_url = fake:/\nstate_path = %s\n'
            '[api_database]\nconnection = sqlite:///%s/api.db\n'
            '[database]\nconnection = sqlite:///%s/cell0.db\n'
            '[placement]\nauth_type = none\nendpoint = %s\n'
            % (home, home, home, url))

    def change_nova(self):
        """Have what is run from now on find another Nova."""
        path = self.useFixture(fixtures.TempDir()).path
        (pathlib.Path(path) / 'sitecustomize.py').write_text(CHANGE)
        self.useFixture(fixtures.EnvironmentVariable(
            'PYTHONPATH', os.pathsep.join(
                [path, *filter(None, [os.environ.get('PYTHONPATH')])])))

    def run_it(self, program, *arguments):
        ran = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name(program)),
             '--config-file', str(self.config), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, check=False, cwd=os.sep)
        return ran.returncode, ran.stdout, ran.stderr

    def set_up_nova(self, *steps):
        for arguments in (('api_db', 'sync'), ('db', 'sync', '--local_cell'),
                          *steps):
            code, _out, err = self.run_it('nova-manage', *arguments)
            self.assertEqual(0, code, err)

    def manage(self, action, *arguments):
        return self.run_it(
            'nova-coldmig-manage', 'migration', action, '--json',
            '--idle', '60', *arguments)

    def test_nothing_found(self):
        self.set_up_nova(('cell_v2', 'create_cell', '--name', 'cell1'))
        for arguments in (
            ('check', '--all'),
            ('repair', '--all', '--yes', '--fenced', 'host2'),
        ):
            code, out, err = self.manage(*arguments)
            self.assertEqual((manage.CLEAN, ''), (code, out), err)
            self.assertNotIn('does not know this Nova', err)
        self._test_changed_nova()

    def _test_changed_nova(self):
        """What a broken move leaves there is not known to be the same."""
        # This is about what is installed, not about what is repaired.
        with self.config.open('a') as config:
            config.write('[coldmig]\non_unknown_tree = run\n')
        self.change_nova()
        target = 'nova.compute.manager:ComputeManager.revert_resize is not '
        code, out, err = self.manage('check', '--all')
        self.assertEqual((manage.CLEAN, ''), (code, out), err)
        self.assertIn('was not tested with this Nova, and nothing is '
                      'repaired: nova-coldmig does not know this Nova', err)
        self.assertIn(target, err)
        code, out, err = self.manage('repair', '--all')
        self.assertEqual((manage.FAILED, ''), (code, out), err)
        self.assertIn('The repair could not be completed: nova-coldmig does '
                      'not know this Nova', err)
        self.assertIn(target, err)

    def test_nothing_to_read(self):
        """A slip of the pen does not look like good news."""
        self.set_up_nova(('cell_v2', 'create_cell', '--name', 'cell1'))
        for action in ('check', 'repair'):
            for scope, name in (
                ('--host', 'hsot1'),
                ('--server', '3a1c0f9e-6c4b-4a35-9e0b-0c8b7a1f2f11'),
            ):
                code, out, err = self.manage(action, scope, name)
                self.assertEqual((manage.FAILED, ''), (code, out), err)
                self.assertIn(
                    'The %s could not be completed: no cell has a ' % action,
                    err)
                self.assertIn(name, err)

    def test_no_cell(self):
        self.set_up_nova()
        code, out, err = self.manage('check', '--all')
        self.assertEqual((manage.FAILED, ''), (code, out), err)
        self.assertIn('no cell is mapped', err)

    def test_could_not_be_completed(self):
        code, out, err = self.run_it(
            'nova-coldmig-manage', 'migration', 'check', '--all')
        self.assertEqual((manage.FAILED, ''), (code, out))
        self.assertIn('The check could not be completed: ', err)
        self.assertIn('no such table', err)

    def test_usage(self):
        for arguments in (
            (), ('migration',), ('migration', 'check'),
            ('migration', 'check', '--all', '--host', 'host1'),
            ('migration', 'check', '--all', '--yes'),
            ('migration', 'repair', '--all', '--yes', '--dry-run'),
        ):
            code, out, err = self.run_it('nova-coldmig-manage', *arguments)
            self.assertEqual(2, code, arguments)
            self.assertIn('usage: ', err)
