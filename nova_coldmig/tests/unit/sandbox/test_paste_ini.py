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

import difflib

from oslotest import base

from nova_coldmig import activation
from nova_coldmig.tests.sandbox import exception
from nova_coldmig.tests.sandbox import paste_ini

NOVA = '''\
[filter:faultwrap]
paste.filter_factory = nova.api.openstack:FaultWrapper.factory

[app:osapi_compute_app_v21]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory

[app:oscomputeversionapp]
paste.app_factory = nova.api.openstack.compute.versions:Versions.factory
'''


class ActivateTest(base.BaseTestCase):

    def test_one_line_changes(self):
        changes = [
            line for line in difflib.ndiff(
                NOVA.splitlines(), paste_ini.activate(NOVA).splitlines())
            if line[0] in '+-']
        self.assertEqual([
            '- paste.app_factory = '
            'nova.api.openstack.compute:APIRouterV21.factory',
            '+ paste.app_factory = '
            'nova_coldmig.api.openstack.compute:router_factory'], changes)

    def test_the_one_of_this_nova(self):
        with open(paste_ini.find()) as installed:
            self.assertIn(activation.ROUTER_FACTORY,
                          paste_ini.activate(installed.read()))

    def test_line_is_missing(self):
        self.assertRaises(
            exception.SandboxError, paste_ini.activate,
            NOVA.replace('osapi_compute_app_v21', 'something_else'))
