# SPDX-License-Identifier: Apache-2.0

import io

from oslotest import base

from nova_coldmig.tests.sandbox import table


class _Tty(io.StringIO):

    def isatty(self):
        return True


class TerminalTest(base.BaseTestCase):

    def test_colour_on_a_terminal(self):
        terminal = table.Terminal(_Tty(), {})
        self.assertEqual('\033[32mok\033[0m', terminal.paint('ok', 'green'))

    def test_no_color(self):
        terminal = table.Terminal(_Tty(), {'NO_COLOR': '1'})
        self.assertEqual('ok', terminal.paint('ok', 'green'))

    def test_empty_no_color_is_not_set(self):
        self.assertTrue(table.Terminal(_Tty(), {'NO_COLOR': ''}).colour)

    def test_no_colour_in_a_file(self):
        stream = io.StringIO()
        table.Terminal(stream, {}).check('it is as it should be', True)
        self.assertEqual('   ok   it is as it should be\n',
                         stream.getvalue())

    def test_paragraphs_fit(self):
        stream = io.StringIO()
        table.Terminal(stream, {}).say('word ' * 40)
        self.assertTrue(all(len(line) <= table.WIDTH
                            for line in stream.getvalue().splitlines()))


class AmountsTest(base.BaseTestCase):

    def test_order_and_units(self):
        self.assertEqual(
            '1 VCPU\n2048 MB\n20 GB disk\n2 CUSTOM_A',
            table.amounts({'CUSTOM_A': 2, 'DISK_GB': 20, 'MEMORY_MB': 2048,
                           'VCPU': 1}))

    def test_holdings(self):
        self.assertEqual(
            ['a\n1 VCPU\nb\n2 VCPU', ''],
            table.holdings({'host1': {'b-id': {'VCPU': 2},
                                      'a-id': {'VCPU': 1}}, 'host2': {}},
                           ['host1', 'host2'], lambda name: name[0]))

    def test_render_lines_up_colours(self):
        plain = table.render(['x'], [['one'], ['two']])
        coloured = table.render(['x'], [['\033[32mone\033[0m'], ['two']])
        self.assertEqual(plain, coloured.replace('\033[32m', '').replace(
            '\033[0m', ''))
