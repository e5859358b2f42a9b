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

import sys
from unittest import mock

from nova.cmd import conductor as upstream
from nova import service
from nova import test

from nova_coldmig.cmd import conductor
from nova_coldmig.conductor import manager
from nova_coldmig import series


class ConductorTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(test.fixtures.MonkeyPatch(
            'nova.service.SERVICE_MANAGERS', dict(service.SERVICE_MANAGERS)))
        self.useFixture(test.fixtures.MonkeyPatch(
            'sys.argv', ['/usr/bin/nova-coldmig-conductor', '--debug']))
        self.main = self.useFixture(test.fixtures.MockPatchObject(
            upstream, 'main')).mock

    def test_runs_nova_conductor_with_our_manager(self):
        conductor.main()
        self.main.assert_called_once_with()
        self.assertEqual(
            'nova_coldmig.conductor.manager.ConductorManager',
            service.SERVICE_MANAGERS['nova-conductor'])
        # oslo.config reads the files of nova-conductor.
        self.assertEqual(['nova-conductor', '--debug'], sys.argv)

    def test_says_why_it_does_not_start(self):
        self.main.side_effect = series.UnsupportedNova('Because.')
        exc = self.assertRaises(SystemExit, conductor.main)
        self.assertEqual('nova-coldmig-conductor: Because.', exc.code)
        self.assertIn('Because.', self.stdlog.logger.output)

    def test_manager_installs_before_nova_makes_its_own(self):
        with mock.patch('nova_coldmig.seams.install', autospec=True,
                        side_effect=series.UnsupportedNova('No.')):
            self.assertRaises(
                series.UnsupportedNova, manager.ConductorManager)
