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


import re

from oslotest import base

from nova_coldmig.tests.unit import cloud  # noqa: F401
from nova_coldmig.tests.unit import tools

from _cloud import install  # noqa: H306


class BindepTest(base.BaseTestCase):

    def test_all_of_the_cloud(self):
        """What tools/cloud installs on Debian is named."""
        named = set(re.findall(
            r'^([a-z][\w.+-]*)', (tools.ROOT / 'bindep.txt').read_text(),
            re.M))
        self.assertLessEqual(set(install.PACKAGES.values()), named)
        self.assertLessEqual({'git', 'python3-venv', 'gcc', 'python3-dev'},
                             named)
