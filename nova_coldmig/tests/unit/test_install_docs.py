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

"""What the installation guide has a deployer type does what it says."""

from pathlib import Path
import re
import subprocess

from oslotest import base

from nova_coldmig.tests.sandbox import paste_ini

INSTALL = Path(__file__).parents[3] / 'doc' / 'source' / 'install'


class TestContainer(base.BaseTestCase):
    def test_sed_activates_the_api(self):
        page = (INSTALL / 'container.rst').read_text()
        expressions = re.findall(r"sed -i '([^']+)'", page)
        self.assertEqual(1, len(expressions))
        installed = paste_ini.find()
        edited = subprocess.check_output(
            ['sed', expressions[0], installed], universal_newlines=True)
        self.assertEqual(
            paste_ini.activate(Path(installed).read_text()), edited)
