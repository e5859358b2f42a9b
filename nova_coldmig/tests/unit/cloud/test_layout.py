# SPDX-License-Identifier: Apache-2.0

import json
import socket

from cloud import layout

from nova_coldmig.tests.unit import cloud


class LayoutTest(cloud.CloudTest):

    def new(self):
        return layout.Layout(self.folder / 'new', self.venvs, self.series)

    def test_choice_is_kept(self):
        first = self.new()
        self.assertEqual({}, first.settings)
        first.choose(41000, coldmig=False)
        second = self.new()
        second.choose(42000, coldmig=True)
        self.assertEqual(first.settings, second.settings)
        self.assertEqual(41000, second.settings['base_port'])
        self.assertFalse(second.settings['coldmig'])

    def test_series_is_kept(self):
        self.new().choose(41000)
        later = layout.Layout(self.folder / 'new', self.venvs, '2024.1')
        self.assertEqual(self.series, later.series)
        self.assertEqual(self.series, later.venv.name)

    def test_secrets(self):
        first, second = self.new(), self.new()
        first.choose(41000)
        path = self.folder / 'new' / 'settings.json'
        self.assertEqual(0o600, path.stat().st_mode & 0o777)
        path.unlink()
        second.choose(41000)
        self.assertNotEqual(first.password, second.password)

    def test_ports_that_are_taken(self):
        chosen = self.new()
        chosen.choose()
        port = chosen.port('nova-api')
        (self.folder / 'new' / 'settings.json').unlink()
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', port))
            taken.listen(1)
            other = self.new()
            other.choose()
        self.assertNotEqual(chosen.settings['base_port'],
                            other.settings['base_port'])

    def test_ports_do_not_meet(self):
        ports = {self.layout.port(name) for name in layout.PORTS}
        self.assertEqual(len(layout.PORTS), len(ports))
        # Nor those of the next cloud.
        self.assertLess(max(ports), 40000 + layout.PORT_STEP)

    def test_addresses(self):
        for address in (self.layout.url('nova-api', '/v2.1'),
                        self.layout.database('nova_api'),
                        self.layout.transport('nova_cell1')):
            self.assertIn('127.0.0.1:400', address)

    def test_settings_are_json(self):
        self.layout.settings['done'].append('schemas')
        self.layout.save()
        text = (self.folder / 'state' / 'settings.json').read_text()
        self.assertEqual(['schemas'], json.loads(text)['done'])
