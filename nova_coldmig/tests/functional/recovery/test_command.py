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

"""nova-coldmig-manage, started as it is installed.

On a Nova that has no cell yet; tools/deaths runs it on one that has.
"""

import os
import pathlib
import subprocess
import sys

import fixtures
import testtools

from nova_coldmig.cmd import manage


class CommandTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        home = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.config = home / 'nova.conf'
        self.config.write_text(
            '[DEFAULT]\ntransport_url = fake:/\nstate_path = %s\n'
            '[api_database]\nconnection = sqlite:///%s/api.db\n'
            '[database]\nconnection = sqlite:///%s/cell0.db\n'
            '[placement]\nauth_type = none\nauth_url = http://127.0.0.1:1\n'
            % (home, home, home))

    def run_it(self, program, *arguments):
        ran = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name(program)),
             '--config-file', str(self.config), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, check=False, cwd=os.sep)
        return ran.returncode, ran.stdout, ran.stderr

    def test_nothing_found(self):
        for arguments in (('api_db', 'sync'), ('db', 'sync', '--local_cell')):
            code, _out, err = self.run_it('nova-manage', *arguments)
            self.assertEqual(0, code, err)
        for action, *arguments in (
            ('check', '--all'), ('check', '--host', 'host1'),
            ('check', '--server', '3a1c0f9e-6c4b-4a35-9e0b-0c8b7a1f2f11'),
            ('repair', '--all', '--yes', '--fenced', 'host2'),
        ):
            code, out, err = self.run_it(
                'nova-coldmig-manage', 'migration', action, '--json',
                '--idle', '60', *arguments)
            self.assertEqual((manage.CLEAN, ''), (code, out), err)

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
