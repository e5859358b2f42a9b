# SPDX-License-Identifier: Apache-2.0

import re
import subprocess

from cloud import layout as layouts
from cloud.services import config
import yaml

from nova_coldmig import activation
from nova_coldmig.policies import migrate_server as policies
from nova_coldmig.tests.unit import cloud


class ConfigTest(cloud.CloudTest):

    def setUp(self):
        super().setUp()
        self.files = config.files(self.layout)

    def test_written_as_described(self):
        config.write(self.layout)
        for name, sections in self.files.items():
            parser = self.read(name)
            for section, options in sections.items():
                self.assertEqual(
                    {option: str(value) for option, value in options.items()},
                    {option: value for option, value
                     in dict(parser[section]).items() if option in options})

    def test_written_again(self):
        config.write(self.layout)
        before = {path: path.read_text()
                  for path in self.layout.etc.rglob('*') if path.is_file()}
        config.write(self.layout)
        self.assertEqual(before, {
            path: path.read_text()
            for path in self.layout.etc.rglob('*') if path.is_file()})

    def test_secrets_are_private(self):
        config.write(self.layout)
        for path in self.folder.joinpath('state').rglob('*'):
            if path.is_file() and 'secret' in path.read_text():
                self.assertIn(path.stat().st_mode & 0o777, (0o400, 0o600))

    def test_all_is_on_loopback(self):
        text = str({name: {section: {key: str(value) for key, value
                                     in options.items()}
                           for section, options in sections.items()}
                    for name, sections in self.files.items()})
        text += config._sql(self.layout)
        self.assertEqual(
            {'127.0.0.1'},
            set(re.findall(r'(?:[0-9]+\.){3}[0-9]+', text)))
        self.assertEqual(
            [], re.findall(r'://(?!openstack:secret@127|127)[^/]', text))

    def test_computes_have_no_database(self):
        for host in layouts.HOSTS:
            sections = self.files['nova-%s/nova.conf' % host]
            self.assertEqual(host, sections['DEFAULT']['host'])
            self.assertNotIn('database', sections)
            self.assertNotIn('api_database', sections)

    def test_cells(self):
        """Each cell has a broker and a database of its own."""
        cell1 = self.files['nova-cell1/nova.conf']
        controller = self.files['nova/nova.conf']
        self.assertNotIn('api_database', cell1)
        for section, option in (('DEFAULT', 'transport_url'),
                                ('database', 'connection')):
            self.assertNotEqual(controller[section][option],
                                cell1[section][option])
        for host in layouts.HOSTS:
            self.assertEqual(
                cell1['DEFAULT']['transport_url'],
                self.files['nova-%s/nova.conf' % host]['DEFAULT'][
                    'transport_url'])

    def test_quorum_queues(self):
        for name in self.files:
            if 'nova' in name:
                self.assertIs(True, self.files[name]['oslo_messaging_rabbit'][
                    'rabbit_quorum_queue'])

    def test_activated(self):
        config.write(self.layout)
        self.assertEqual(
            activation.ROUTER_FACTORY,
            self.read('nova/api-paste.ini')[activation.PASTE_SECTION][
                activation.PASTE_OPTION])

    def test_plain_nova(self):
        plain = self.make(coldmig=False)
        config.write(plain)
        self.assertEqual(
            cloud.PASTE, (plain.etc / 'nova/api-paste.ini').read_text())
        self.assertEqual({}, yaml.safe_load(
            (plain.etc / 'nova/policy.yaml').read_text()))

    def test_policy(self):
        config.write(self.layout)
        path = self.files['nova/nova.conf']['oslo_policy']['policy_file']
        rules = yaml.safe_load(path.read_text())
        allowed = {name.rpartition('migrate')[2]: {
            role for role in (layouts.FORCE_ROLE, layouts.HOST_ROLE)
            if 'role:' + role in rule.split()}
            for name, rule in rules.items()}
        self.assertEqual({
            '': {layouts.FORCE_ROLE, layouts.HOST_ROLE},
            ':host': {layouts.FORCE_ROLE, layouts.HOST_ROLE},
            ':force': {layouts.FORCE_ROLE}}, allowed)
        self.assertIn(policies.FORCE, rules)

    def test_openrc(self):
        config.write(self.layout)
        for user in ('admin', 'demo'):
            output = subprocess.check_output(
                ['sh', '-c', '. "$0"; echo $OS_USERNAME $OS_AUTH_URL',
                 str(self.layout.state / ('openrc-' + user))],
                universal_newlines=True)
            self.assertEqual('%s http://127.0.0.1:40004/v3\n' % user, output)
        clouds = yaml.safe_load(
            (self.layout.state / 'clouds.yaml').read_text())['clouds']
        self.assertEqual({'admin', 'demo'}, set(clouds))
