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

import subprocess
import sys

from nova import test

SCRIPT = '''
import sys
import nova_coldmig
import nova_coldmig.series
import nova_coldmig.fingerprint
import nova_coldmig.seams
import nova_coldmig.conf
import nova_coldmig.tests.fixtures
import nova_coldmig.api.openstack.compute
print(sorted(name for name in sys.modules
             if name.partition('.')[0] in ('nova', 'eventlet')))
'''


class ImportTest(test.NoDBTestCase):

    def test_imports_nothing_of_nova(self):
        """Nova's binaries select their threading model themselves."""
        output = subprocess.check_output(
            [sys.executable, '-c', SCRIPT], text=True)
        self.assertEqual('[]', output.strip())
