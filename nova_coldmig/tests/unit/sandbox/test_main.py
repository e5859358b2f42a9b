# SPDX-License-Identifier: Apache-2.0

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


class CommandsTest(base.BaseTestCase):

    PATHS = {'openrc-admin': '/x/openrc-admin',
             'curlrc-admin': '/x/curlrc-admin'}

    def commands(self, with_coldmig):
        return '\n'.join(
            line for _heading, lines in sandbox.commands(
                self.PATHS, 'cirros', 'http://nova/v2.1', '2.105',
                with_coldmig) for line in lines)

    def test_the_story_by_command(self):
        """A host is disabled, refused and forced, with the client."""
        text = self.commands(True)
        places = [text.index(part) for part in (
            '. /x/openrc-admin', 'server create',
            'compute service set --disable',
            'server migrate --host host3 --wait', 'pip install ',
            'server migrate --host host3 --force --confirm',
            '{"host": "host1", "force": true}')]
        self.assertEqual(sorted(places), places)

    def test_the_client_is_there(self):
        self.assertIn('name = "nova-coldmig-client"',
                      (sandbox.CLIENT / 'pyproject.toml').read_text())

    def test_plain_nova(self):
        text = self.commands(False)
        self.assertNotIn('force', text)
        self.assertNotIn('pip install', text)
