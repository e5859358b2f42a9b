# SPDX-License-Identifier: Apache-2.0

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
