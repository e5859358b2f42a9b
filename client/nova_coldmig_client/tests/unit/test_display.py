# SPDX-License-Identifier: Apache-2.0

import io
from unittest import mock

from oslotest import base

from nova_coldmig_client import display


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestDisplay(base.BaseTestCase):
    def show(self, stream, *statuses):
        shown = display.Display(stream)
        with mock.patch.object(display.time, 'monotonic',
                               autospec=True) as monotonic:
            for second, status in enumerate(statuses):
                monotonic.return_value = shown._began + second
                shown.show(status)
        shown.close()
        shown.close()
        return stream.getvalue()

    def test_lines(self):
        self.assertEqual('one\ntwo\n', self.show(
            io.StringIO(), 'one', 'one', 'two'))

    def test_terminal(self):
        self.assertEqual(
            '\ra long one, 0 s\rone, 1 s       \rone, 2 s\n',
            self.show(Terminal(), 'a long one', 'one', 'one'))

    def test_nothing_shown(self):
        self.assertEqual('', self.show(Terminal()))
