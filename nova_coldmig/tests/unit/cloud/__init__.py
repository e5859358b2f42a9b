# SPDX-License-Identifier: Apache-2.0

"""Tests of the cloud, which is no package that is installed.

None of them starts a service.
"""

import configparser
import json
from pathlib import Path
import sys

import fixtures
from oslotest import base

TOOLS = Path(__file__).parents[4] / 'tools'
sys.path.append(str(TOOLS))

import _common  # noqa: E402, F401

from cloud import layout  # noqa: E402

PASTE = '''\
[app:osapi_compute_app_v21]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory
'''


class CloudTest(base.BaseTestCase):
    """With the layout of a cloud that was never started."""

    series = '2026.2'

    def setUp(self):
        super().setUp()
        self.folder = Path(self.useFixture(fixtures.TempDir()).path)
        self.venvs = self.folder / 'venvs'
        # What a wheel of Nova and one of Glance have among their data.
        etc = self.venvs / self.series / 'etc'
        for name, text in (('nova/api-paste.ini', PASTE),
                           ('glance/glance-api-paste.ini', '[pipeline:a]')):
            path = etc / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
        self.layout = self.make()

    def make(self, base_port=40000, coldmig=True):
        state = self.folder / 'state'
        state.mkdir(exist_ok=True)
        settings = state / 'settings.json'
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({
            'series': self.series, 'base_port': base_port,
            'coldmig': coldmig, 'done': [], 'password': 'secret'}))
        return layout.Layout(state, self.venvs, self.series)

    def read(self, name):
        """Read a file of the configuration that was written."""
        parser = configparser.RawConfigParser()
        self.assertEqual(1, len(parser.read(str(self.layout.etc / name))))
        return parser
