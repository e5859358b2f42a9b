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
