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

"""Public fixtures: run any of Nova's functional tests with nova-coldmig.

Use them before the fixtures and services of Nova that they change::

    def setUp(self):
        self.useFixture(fixtures.ColdmigFixture())
        super().setUp()
"""

import configparser
from pathlib import Path
import sys

import fixtures
from oslo_config import cfg

from nova_coldmig import seams

CONF = cfg.CONF

API_APP = 'app:osapi_compute_app_v21'


class ColdmigFixture(fixtures.Fixture):
    """Install the halves of nova-coldmig and take them out afterwards.

    :param halves: iterable of str, of nova_coldmig.seams.API and CONDUCTOR.
    """

    def __init__(self, halves=(seams.API, seams.CONDUCTOR)):
        super().__init__()
        self.halves = halves

    def _setUp(self):
        for half in self.halves:
            if half not in seams.installed():
                seams.install(half)
                self.addCleanup(seams.uninstall, half)


class ApiPasteFixture(fixtures.Fixture):
    """Let Nova's API fixtures read the api-paste.ini of the installed Nova.

    They look for it beside the package, where a checkout has it and a wheel
    does not: that one puts it among the data files.

    :param activate: bool, whether its application is that of nova-coldmig, as
        a deployer sets it.
    """

    def __init__(self, activate=False):
        super().__init__()
        self.activate = activate

    def _setUp(self):
        # Imported late: it is the test case that selects Nova's threading.
        import nova
        import nova.conf  # noqa: F401
        beside = Path(nova.__file__).parents[1]
        found = [path for path in (
            root / 'etc' / 'nova' / 'api-paste.ini'
            for root in (beside, Path(sys.prefix))) if path.exists()]
        if not found:
            raise RuntimeError(
                'The installed Nova has no etc/nova/api-paste.ini, neither '
                'beside the package nor in %s' % sys.prefix)
        path = found[0]
        if self.activate:
            path = self._activated(path)
            self.addCleanup(seams.uninstall, seams.API)
        CONF.set_override('api_paste_config', str(path), group='wsgi')
        self.addCleanup(
            CONF.clear_override, 'api_paste_config', group='wsgi')

    def _activated(self, path):
        # Paste's own syntax; interpolation would change it.
        paste = configparser.RawConfigParser()
        # Options of a filter may differ in case.
        paste.optionxform = str
        paste.read(path)
        paste.set(API_APP, 'paste.app_factory',
                  'nova_coldmig.api.openstack.compute:router_factory')
        directory = self.useFixture(fixtures.TempDir()).path
        activated = Path(directory) / 'api-paste.ini'
        with activated.open('w') as f:
            paste.write(f)
        return activated
