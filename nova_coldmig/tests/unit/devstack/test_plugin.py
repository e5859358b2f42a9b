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


"""Each phase of the devstack plugin, in bash, with devstack stubbed."""

import configparser
from pathlib import Path
import shutil
import subprocess

import fixtures
from oslotest import base

from nova_coldmig import activation

ROOT = Path(__file__).parents[4]
PLAIN = 'nova.api.openstack.compute:APIRouterV21.factory'
PASTE = '[%s]\n%s = %s\n\n[app:other]\n%s = other:factory\n' % (
    activation.PASTE_SECTION, activation.PASTE_OPTION, PLAIN,
    activation.PASTE_OPTION)
# iniset replaces an option, or adds it with its section.
STUBS = r"""
set -eu
DEST=/dest
NOVA_COLDMIG_DIR=/dest/nova-coldmig
function is_service_enabled {
    [[ " $ENABLED " == *" $1 "* ]]
}
function setup_develop { echo "setup_develop $*"; }
function run_process {
    echo "run_process $*"
}
function iniset {
    if sed -n "/^\[$2\]/,/^\[/p" "$1" | grep -q "^$3 *="; then
        sed -i "/^\[$2\]/,/^\[/s|^$3 *=.*|$3 = $4|" "$1"
    else
        printf '[%s]\n%s = %s\n' "$2" "$3" "$4" >> "$1"
    fi
}
source "$PLUGIN/settings"
"""


class TestPlugin(base.BaseTestCase):
    def setUp(self):
        super().setUp()
        self.bash = shutil.which('bash')
        if not self.bash:
            self.skipTest('There is no bash')
        folder = Path(self.useFixture(fixtures.TempDir()).path)
        self.paste = folder / 'api-paste.ini'
        self.paste.write_text(PASTE)
        self.tempest = folder / 'tempest.conf'
        self.tempest.touch()

    def run_bash(self, script, enabled='n-api n-super-cond tempest'):
        output = subprocess.check_output(
            [self.bash, '-c', STUBS + script], universal_newlines=True,
            env={'PATH': '/usr/bin:/bin', 'ENABLED': enabled,
                 'PLUGIN': str(ROOT / 'devstack'),
                 'NOVA_API_PASTE_INI': str(self.paste),
                 'TEMPEST_CONFIG': str(self.tempest)})
        return output.splitlines()

    def phase(self, *arguments, **kwargs):
        return self.run_bash(
            'source "$PLUGIN/plugin.sh" %s' % ' '.join(arguments), **kwargs)

    def factory(self):
        parser = configparser.RawConfigParser()
        parser.read(str(self.paste))
        self.assertEqual(
            'other:factory', parser['app:other'][activation.PASTE_OPTION])
        return parser[activation.PASTE_SECTION][activation.PASTE_OPTION]

    def test_pre_install_and_extra(self):
        for name in ('pre-install', 'extra'):
            self.assertEqual([], self.phase('stack', name))
        self.assertEqual(PASTE, self.paste.read_text())

    def test_install(self):
        self.assertEqual(['setup_develop /dest/nova-coldmig',
                          'setup_develop /dest/nova-coldmig/client'],
                         self.phase('stack', 'install'))

    def test_install_on_a_compute(self):
        self.assertEqual([], self.phase('stack', 'install', enabled='n-cpu'))

    def test_post_config_activates_the_api(self):
        self.phase('stack', 'post-config')
        self.assertEqual(activation.ROUTER_FACTORY, self.factory())

    def test_post_config_without_the_api(self):
        self.phase('stack', 'post-config', enabled='n-super-cond')
        self.assertEqual(PASTE, self.paste.read_text())

    def test_super_conductor_is_replaced(self):
        # devstack sources the plugin again in each phase.
        lines = self.run_bash("""
source "$PLUGIN/plugin.sh" stack post-config
source "$PLUGIN/plugin.sh" stack post-config
for name in n-super-cond n-cond n-cond-cell1; do
    run_process $name "/bin/nova-conductor --config-file /etc/$name" group
done
run_process n-sch "/bin/nova-scheduler --config-file /etc/nova"
""")
        self.assertEqual([
            'run_process n-super-cond /bin/nova-coldmig-conductor '
            '--config-file /etc/n-super-cond group',
            'run_process n-cond /bin/nova-coldmig-conductor '
            '--config-file /etc/n-cond group',
            'run_process n-cond-cell1 /bin/nova-conductor '
            '--config-file /etc/n-cond-cell1 group',
            'run_process n-sch /bin/nova-scheduler '
            '--config-file /etc/nova'], lines)

    def test_test_config(self):
        self.phase('stack', 'test-config')
        self.assertEqual('[nova_coldmig]\nforce = True\n',
                         self.tempest.read_text())

    def test_tempest_plugin(self):
        plugin = '/dest/nova-coldmig/tempest_plugin'
        self.assertEqual([plugin], self.run_bash('echo $TEMPEST_PLUGINS'))
        self.assertEqual([], self.run_bash(
            '[[ -z "${TEMPEST_PLUGINS:-}" ]]', enabled='n-api'))
        self.assertTrue((ROOT / 'tempest_plugin' / 'setup.cfg').exists())

    def test_unstack_and_clean(self):
        for name in ('unstack', 'clean'):
            self.phase('stack', 'post-config')
            self.assertEqual(activation.ROUTER_FACTORY, self.factory())
            self.phase(name)
            self.assertEqual(PASTE, self.paste.read_text())
