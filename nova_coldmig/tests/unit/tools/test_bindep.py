# SPDX-License-Identifier: Apache-2.0

import re

from oslotest import base

from cloud.services import install  # noqa: H306

from nova_coldmig.tests.unit import cloud  # noqa: F401
from nova_coldmig.tests.unit import tools


class BindepTest(base.BaseTestCase):

    def test_all_of_the_cloud(self):
        """What tools/cloud installs on Debian is named."""
        named = set(re.findall(
            r'^([a-z][\w.+-]*)', (tools.ROOT / 'bindep.txt').read_text(),
            re.M))
        self.assertLessEqual(set(install.PACKAGES.values()), named)
        self.assertLessEqual({'git', 'python3-venv', 'gcc', 'python3-dev'},
                             named)
