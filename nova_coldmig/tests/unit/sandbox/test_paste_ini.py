# SPDX-License-Identifier: Apache-2.0

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
