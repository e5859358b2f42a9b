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


import contextlib
import io

from oslotest import base

from nova_coldmig.tests.sandbox import __main__ as sandbox


class ParseTest(base.BaseTestCase):

    def test_plain_nova(self):
        args = sandbox.parse(['--serve', '--without-coldmig'])
        self.assertTrue(args.without_coldmig)
        self.assertFalse(sandbox.parse(['--serve']).without_coldmig)

    def test_the_story_is_of_the_feature(self):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            exc = self.assertRaises(
                SystemExit, sandbox.parse, ['--without-coldmig'])
        self.assertEqual(2, exc.code)
        self.assertIn('--without-coldmig needs --serve', errors.getvalue())
