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

import importlib
import sys
from unittest import mock

from nova.api.openstack import wsgi_app
from nova import monkey_patch
from nova import test

from nova_coldmig import seams
from nova_coldmig import series

MODULE = 'nova_coldmig.wsgi.osapi_compute'


class OsapiComputeTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.calls = mock.Mock()
        for owner, name in ((wsgi_app, 'init_global_data'),
                            (seams, 'install'),
                            (wsgi_app, 'init_application')):
            self.useFixture(test.fixtures.MockPatchObject(
                owner, name, getattr(self.calls, name)))
        if series.detect().wsgi_backend:
            self.useFixture(test.fixtures.MockPatchObject(
                monkey_patch, 'patch', self.calls.patch))
        self.addCleanup(sys.modules.pop, MODULE, None)
        sys.modules.pop(MODULE, None)

    def test_installs_between_configuration_and_application(self):
        module = importlib.import_module(MODULE)
        self.assertIs(
            self.calls.init_application.return_value, module.application)
        tree = series.detect()
        expected = [
            mock.call.init_global_data(
                mock.ANY, 'osapi_compute', *tree.wsgi_args),
            mock.call.install(seams.API),
            mock.call.init_application('osapi_compute', *tree.wsgi_args)]
        if tree.wsgi_backend:
            expected.insert(0, mock.call.patch(backend=tree.wsgi_backend))
        self.assertEqual(expected, self.calls.mock_calls)
