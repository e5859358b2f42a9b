# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys

from nova import test

SCRIPT = '''
import sys
for name in sys.argv[2:]:
    __import__(name)
print(sorted(name for name in sys.modules if name in sys.argv[1].split(',')))
'''


class ImportTest(test.NoDBTestCase):
    """Nova's binaries select their threading model themselves."""

    def _imported(self, unwanted, *modules):
        return subprocess.check_output(
            [sys.executable, '-W', 'ignore', '-c', SCRIPT, unwanted] +
            list(modules), text=True).strip()

    def test_package_imports_neither_nova_nor_eventlet(self):
        self.assertEqual('[]', self._imported(
            'nova,eventlet', 'nova_coldmig', 'nova_coldmig.series',
            'nova_coldmig.fingerprint', 'nova_coldmig.conf',
            'nova_coldmig.cmd.entry', 'nova_coldmig.wsgi.after_import'))

    def test_activation_imports_nothing_of_nova(self):
        # The oslo.log of older series imports eventlet, here as in Nova.
        self.assertEqual('[]', self._imported(
            'nova', 'nova_coldmig.seams', 'nova_coldmig.start',
            'nova_coldmig.tests.fixtures',
            'nova_coldmig.api.openstack.compute'))
