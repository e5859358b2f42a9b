# SPDX-License-Identifier: Apache-2.0

"""The hooks of pre-commit are the style checks of tox."""

import configparser
import shlex

from oslotest import base
import yaml

from nova_coldmig.tests.unit import tools

# It looks at what is staged.
STAGED = 'pre-commit-hooks'


class PreCommitTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        text = (tools.ROOT / '.pre-commit-config.yaml').read_text()
        repository, = yaml.safe_load(text)['repos']
        # Nothing is cloned from elsewhere.
        self.assertEqual('local', repository['repo'])
        self.hooks = repository['hooks']
        tox = configparser.ConfigParser(interpolation=None)
        tox.read(str(tools.ROOT / 'tox.ini'))
        self.pep8 = tox['testenv:pep8']

    def test_versions(self):
        pins = (tools.ROOT / 'constraints' /
                'tools.txt').read_text().split('\n')
        for hook in self.hooks:
            for pin in hook['additional_dependencies']:
                if not pin.startswith(STAGED):
                    self.assertIn(pin, pins)

    def test_the_same_tools(self):
        hooks = [hook for hook in self.hooks if not
                 hook['additional_dependencies'][0].startswith(STAGED)]
        self.assertEqual(
            {name for name in self.pep8['deps'].split('\n')
             if name and not name.startswith('-')},
            {hook['id'] for hook in hooks})
        commands = self.pep8['commands']
        for hook in hooks:
            # With the same options.
            self.assertIn(hook['entry'], commands)
            self.assertEqual('python', hook['language'])
            self.assertNotIn('/', shlex.split(hook['entry'])[0])
