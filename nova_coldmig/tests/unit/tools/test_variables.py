# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
import subprocess

import fixtures
from oslotest import base

from nova_coldmig.tests.unit import tools  # noqa: F401

import _variables  # noqa: H306


class VersionTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        # No configuration of the user's, and no repository around.
        for name, value in (
                ('GIT_CEILING_DIRECTORIES', str(self.root.parent)),
                ('GIT_CONFIG_GLOBAL', '/dev/null'),
                ('GIT_CONFIG_SYSTEM', '/dev/null')):
            self.useFixture(fixtures.EnvironmentVariable(name, value))

    def git(self, *args, root=None):
        subprocess.check_output(
            ['git', '-C', str(root or self.root), '-c', 'user.name=a',
             '-c', 'user.email=a@example.com', *args],
            stderr=subprocess.STDOUT)

    def commit(self):
        self.git('init', '--quiet')
        self.git('commit', '--quiet', '--allow-empty', '-m', 'one')

    def test_no_repository(self):
        self.assertEqual('0+unknown', _variables.version(self.root))

    def test_no_git(self):
        self.commit()
        self.git('tag', '1.0.0')
        self.useFixture(fixtures.EnvironmentVariable('PATH', '/nowhere'))
        self.assertEqual('0+unknown', _variables.version(self.root))

    def test_no_tag(self):
        """The number of commits alone is no version."""
        self.commit()
        self.assertEqual('0+unknown', _variables.version(self.root))

    def test_tag_that_is_no_version(self):
        self.commit()
        self.git('tag', 'before-the-move')
        self.assertEqual('0+unknown', _variables.version(self.root))

    def test_tag(self):
        self.commit()
        self.git('tag', '1.0.0')
        self.git('commit', '--quiet', '--allow-empty', '-m', 'two')
        self.assertIsNone(_variables.version(self.root))

    def test_within_a_repository_of_something_else(self):
        self.commit()
        self.git('tag', '1.0.0')
        inner = self.root / 'inner'
        inner.mkdir()
        self.assertEqual('0+unknown', _variables.version(inner))

    def test_of_another_owner(self):
        self.commit()
        self.git('tag', '1.0.0')
        self.useFixture(fixtures.EnvironmentVariable(
            # What git's own tests use to have this said.
            'GIT_TEST_ASSUME_DIFFERENT_OWNER', '1'))
        self.assertEqual('0+unknown', _variables.version(self.root))

    def test_unpacked_sdist(self):
        (self.root / 'PKG-INFO').write_text('Version: 1.0.0')
        self.assertIsNone(_variables.version(self.root))


class UvTest(base.BaseTestCase):

    def test_nothing_configured(self):
        self.assertEqual({}, _variables.uv('', {}, False))

    def test_all_options(self):
        listed = (
            ":env:.cert='/proxy.pem'\n"
            "global.index-url='https://mirror.example.com/simple'\n"
            "global.extra-index-url='https://a.example.com\\n"
            "https://b.example.com'\n"
            "global.find-links='/wheels /more'\n"
            "global.trusted-host='mirror.example.com'\n"
            "install.no-index='true'\n"
            "global.timeout='60'\n")
        self.assertEqual({
            'SSL_CERT_FILE': '/proxy.pem',
            'UV_DEFAULT_INDEX': 'https://mirror.example.com/simple',
            'UV_INDEX': 'https://a.example.com https://b.example.com',
            'UV_INDEX_STRATEGY': 'unsafe-best-match',
            'UV_FIND_LINKS': '/wheels,/more',
            'UV_INSECURE_HOST': 'mirror.example.com',
            'UV_NO_INDEX': 'true'}, _variables.uv(listed, {}, True))

    def test_precedence_is_that_of_pip(self):
        listed = (":env:.index-url='https://env'\n"
                  "global.index-url='https://global'\n"
                  "install.index-url='https://install'\n")
        self.assertEqual({'UV_DEFAULT_INDEX': 'https://env'},
                         _variables.uv(listed, {}, False))
        self.assertEqual({'UV_DEFAULT_INDEX': 'https://install'},
                         _variables.uv(listed.partition('\n')[2], {}, False))

    def test_other_commands_of_pip(self):
        self.assertEqual({}, _variables.uv(
            "download.index-url='https://download'\n", {}, False))

    def test_what_is_said_to_uv_wins(self):
        listed = ("global.index-url='https://global'\n"
                  "global.extra-index-url='https://extra'\n"
                  "global.cert='/proxy.pem'\n")
        self.assertEqual({}, _variables.uv(listed, {
            'UV_DEFAULT_INDEX': 'https://mine', 'UV_EXTRA_INDEX_URL': 'mine',
            'UV_NATIVE_TLS': '1'}, True))

    def test_certificates_of_the_machine(self):
        """pip trusts them; uv has some of its own."""
        self.assertEqual({'UV_SYSTEM_CERTS': 'true'},
                         _variables.uv('', {}, True))
        self.assertEqual({}, _variables.uv(
            '', {'SSL_CERT_FILE': '/mine.pem'}, True))
