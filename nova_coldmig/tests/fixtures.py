# SPDX-License-Identifier: Apache-2.0

"""Public fixtures: run any of Nova's functional tests with nova-coldmig.

Use them before the fixtures and services of Nova that they change::

    def setUp(self):
        self.useFixture(fixtures.ColdmigFixture())
        super().setUp()
"""

from pathlib import Path

import fixtures
from oslo_config import cfg

from nova_coldmig.conf import coldmig
from nova_coldmig import seams
from nova_coldmig import start
from nova_coldmig.tests.sandbox import paste_ini

CONF = cfg.CONF


class ColdmigFixture(fixtures.Fixture):
    """Install the halves of nova-coldmig and take them out afterwards.

    :param halves: iterable of str, of nova_coldmig.seams.API and CONDUCTOR.
    :param untested: bool, whether to install them into an unknown tree too.
    """

    def __init__(self, halves=(seams.API, seams.CONDUCTOR), untested=False):
        super().__init__()
        self.halves = halves
        self.untested = untested

    def _setUp(self):
        for half in self.halves:
            if half not in seams.installed():
                seams.install(half, untested=self.untested)
                self.addCleanup(seams.uninstall, half)


class ApiPasteFixture(fixtures.Fixture):
    """Let Nova's API fixtures read the api-paste.ini of the installed Nova.

    They look for it beside the package, where a checkout has it and a wheel
    does not: that one puts it among the data files.

    :param activate: bool, whether its application is that of nova-coldmig, as
        a deployer sets it.
    :param on_unknown_tree: str, what it does then on a Nova that is not known.
        By default no test passes on it without the package.
    """

    def __init__(self, activate=False, on_unknown_tree=coldmig.REFUSE):
        super().__init__()
        self.activate = activate
        self.on_unknown_tree = on_unknown_tree

    def _setUp(self):
        path = Path(paste_ini.find())
        if self.activate:
            activated = self.useFixture(fixtures.TempDir()).join(path.name)
            Path(activated).write_text(paste_ini.activate(path.read_text()))
            path = activated
            self.addCleanup(start.reset, seams.API)
            CONF.set_override(
                'on_unknown_tree', self.on_unknown_tree, group='coldmig')
            self.addCleanup(
                CONF.clear_override, 'on_unknown_tree', group='coldmig')
        # Imported late: it is the test case that selects Nova's threading.
        import nova.conf  # noqa: F401
        CONF.set_override('api_paste_config', str(path), group='wsgi')
        self.addCleanup(
            CONF.clear_override, 'api_paste_config', group='wsgi')
