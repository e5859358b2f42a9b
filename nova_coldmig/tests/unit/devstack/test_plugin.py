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


"""Each phase of the plugins of devstack and grenade, in bash.

What they call of devstack and grenade is stubbed: the functions for files in
the format of ini do what devstack's of that name are said to do, the others
tell what they were asked for.
"""

import configparser
from pathlib import Path
import shutil
import subprocess

import fixtures
from oslotest import base

from nova_coldmig import activation

ROOT = Path(__file__).parents[4]
DEVSTACK = ROOT / 'devstack'
PLAIN = 'nova.api.openstack.compute:APIRouterV21.factory'
PASTE = '[%s]\n%s = %s\n\n[app:other]\n%s = other:factory\n' % (
    activation.PASTE_SECTION, activation.PASTE_OPTION, PLAIN,
    activation.PASTE_OPTION)
UNIT = '[Service]\nUser = stack\nExecStart = /bin/%s --config-file /etc/%s\n'
STUBS = r"""
function is_service_enabled {
    [[ " $ENABLED " == *" $1 "* ]]
}
function die {
    echo "die $2"
    exit 1
}
# ini FILE SECTION OPTION [get|delete|set] [VALUE]: an option that is set anew
# is added to its section, which is added to the file, if it is not there.
function ini {
    awk -v section="[$2]" -v option="$3" -v action="$4" -v value="${5:-}" '
        function add() { print option " = " value; done = 1 }
        $0 ~ /^\[/ {
            if (here && !done && action == "set") { add() }
            here = ($0 == section)
            seen = seen || here
        }
        here && $0 ~ "^" option "[ \t]*=" {
            if (action == "get") { sub(/^[^=]*=[ \t]*/, ""); print }
            if (action == "set") { add() }
            next
        }
        action != "get" { print }
        END {
            if (action == "set" && !done) {
                if (!seen) { print section }
                add()
            }
        }' "$1"
}
function iniget {
    ini "$1" "$2" "$3" get
}
function write_ini {
    local action=$1
    shift
    if [[ "$1" == -sudo ]]; then
        shift
    fi
    ini "$1" "$2" "$3" "$action" "${4:-}" > "$1.new"
    mv "$1.new" "$1"
}
function iniset {
    write_ini set "$@"
}
function inidelete {
    write_ini delete "$@"
}
for name in setup_develop pip_uninstall run_process stop_process \
        systemctl start_nova_api stop_nova_conductor ensure_services_started \
        devstack_localrc register_project_for_upgrade openstack; do
    eval "function $name { echo $name \"\$@\"; }"
done
# As with CELLSV2_SETUP=superconductor.
function start_nova_conductor {
    run_process n-super-cond "/bin/nova-conductor --config-file /etc/nova"
    run_process n-cond-cell1 "/bin/nova-conductor --config-file /etc/cell1"
}
"""
# Where the plugins look for what devstack and grenade define.
FILES = ('grenaderc', 'functions', 'stackrc', 'openrc', 'lib/tls',
         'lib/apache', 'lib/nova')


class BashTest(base.BaseTestCase):
    """Runs bash, with the stubs as devstack and as grenade."""

    def setUp(self):
        super().setUp()
        self.bash = shutil.which('bash')
        if not self.bash:
            self.skipTest('There is no bash')
        self.folder = Path(self.useFixture(fixtures.TempDir()).path)
        self.paste = self.folder / 'api-paste.ini'
        self.paste.write_text(PASTE)
        self.tempest = self.folder / 'tempest.conf'
        self.tempest.write_text('[compute]\nflavor_ref = 1\n')
        for name in FILES:
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
        (self.folder / 'stackrc').write_text(STUBS)
        (self.folder / 'functions').write_text(STUBS)

    def run_bash(self, script, enabled='n-api n-super-cond tempest', code=0):
        """Run a script after the stubs and the settings of devstack.

        :returns: list of the lines of its output
        """
        ran = subprocess.run(
            [self.bash, '-eu', '-c', script],
            universal_newlines=True, stdout=subprocess.PIPE,
            env={'PATH': '%s:/usr/bin:/bin' % self.folder,
                 'ENABLED': enabled, 'DEST': '/dest',
                 'PLUGIN': str(DEVSTACK), 'STUBS': STUBS,
                 'SYSTEMD_DIR': str(self.folder), 'SYSTEMCTL': 'systemctl',
                 'NOVA_API_PASTE_INI': str(self.paste),
                 'NOVA_BIN_DIR': str(self.folder),
                 'TEMPEST_CONFIG': str(self.tempest),
                 'TOP_DIR': str(self.folder),
                 'GRENADE_DIR': str(self.folder),
                 'BASE_DEVSTACK_DIR': str(self.folder),
                 'TARGET_DEVSTACK_DIR': str(self.folder)})
        self.assertEqual(code, ran.returncode, ran.stdout)
        return ran.stdout.splitlines()

    def plugin(self, script, **kwargs):
        return self.run_bash(
            'eval "$STUBS"\nsource "$PLUGIN/settings"\n' + script, **kwargs)

    def phase(self, *arguments, **kwargs):
        return self.plugin(
            'source "$PLUGIN/plugin.sh" %s' % ' '.join(arguments), **kwargs)

    def unit(self, name, binary):
        path = self.folder / ('devstack@%s.service' % name)
        path.write_text(UNIT % (binary, name))
        return path

    def factory(self):
        parser = configparser.RawConfigParser()
        parser.read(str(self.paste))
        self.assertEqual(
            'other:factory', parser['app:other'][activation.PASTE_OPTION])
        return parser[activation.PASTE_SECTION][activation.PASTE_OPTION]


class PluginTest(BashTest):
    """The phases of devstack."""

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
        lines = self.plugin("""
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

    def test_conductor_that_is_started_in_another_way(self):
        self.assertEqual(
            ['die nova-coldmig can not start n-super-cond: conductor -v'],
            self.plugin("""
source "$PLUGIN/plugin.sh" stack post-config
run_process n-super-cond "conductor -v"
""", code=1))

    def test_test_config(self):
        self.phase('stack', 'test-config')
        self.assertEqual(
            '[compute]\nflavor_ref = 1\n[nova_coldmig]\nforce = True\n',
            self.tempest.read_text())

    def test_test_config_without_tempest(self):
        self.phase('stack', 'test-config', enabled='n-api')
        self.assertNotIn('nova_coldmig', self.tempest.read_text())

    def test_tempest_plugin(self):
        plugin = '/dest/nova-coldmig/tempest_plugin'
        for before, after in (
            ('', [plugin]),
            # What lib/tempest sets if nobody else has set anything.
            ('TEMPEST_PLUGINS=0', [plugin]),
            ('TEMPEST_PLUGINS=/dest/other', ['/dest/other %s' % plugin]),
        ):
            self.assertEqual(after, self.run_bash(
                'eval "$STUBS"\n%s\nsource "$PLUGIN/settings"\n'
                'echo $TEMPEST_PLUGINS' % before))
        self.assertEqual([], self.plugin(
            '[[ -z "${TEMPEST_PLUGINS:-}" ]]', enabled='n-api'))
        self.assertTrue((ROOT / 'tempest_plugin' / 'setup.cfg').exists())

    def test_unstack(self):
        self.phase('stack', 'post-config')
        self.phase('stack', 'test-config')
        self.assertEqual(activation.ROUTER_FACTORY, self.factory())
        unit = self.unit('n-super-cond', 'nova-coldmig-conductor')
        cell = self.unit('n-cond-cell1', 'nova-conductor')
        self.assertEqual(['systemctl daemon-reload'], self.phase('unstack'))
        self.assertEqual(PASTE, self.paste.read_text())
        self.assertEqual(UNIT % ('nova-conductor', 'n-super-cond'),
                         unit.read_text())
        self.assertEqual(UNIT % ('nova-conductor', 'n-cond-cell1'),
                         cell.read_text())
        self.assertNotIn('force', self.tempest.read_text())

    def test_unstack_what_was_not_stacked(self):
        self.paste.unlink()
        self.tempest.unlink()
        self.assertEqual([], self.phase('unstack'))

    def test_unstack_keeps_the_line_of_others(self):
        theirs = PASTE.replace(PLAIN, 'theirs:factory')
        self.paste.write_text(theirs)
        self.phase('unstack')
        self.assertEqual(theirs, self.paste.read_text())

    def test_clean(self):
        self.assertEqual(['pip_uninstall nova-coldmig-client',
                          'pip_uninstall nova-coldmig'], self.phase('clean'))
        # These are the names of what is installed.
        for folder, name in (('client', 'nova-coldmig-client'),
                             ('', 'nova-coldmig')):
            parser = configparser.ConfigParser()
            parser.read(str(ROOT / folder / 'setup.cfg'))
            self.assertEqual(name, parser['metadata']['name'])


class UpgradeTest(BashTest):
    """The hooks of grenade."""

    def hook(self, name, *arguments, **kwargs):
        return self.run_bash(' '.join(
            ['"$PLUGIN/upgrade/%s"' % name, *arguments]), **kwargs)

    def test_settings(self):
        self.assertEqual(
            ['register_project_for_upgrade nova-coldmig'] + [
                'devstack_localrc %s enable_plugin nova-coldmig %s' % (
                    side, ROOT) for side in ('base', 'target')],
            self.run_bash(
                'eval "$STUBS"\nsource "$PLUGIN/upgrade/settings"'))

    def test_shutdown(self):
        """Nova of the new release starts as if there were no package."""
        self.phase('stack', 'post-config')
        unit = self.unit('n-cond', 'nova-coldmig-conductor')
        self.assertIn('systemctl daemon-reload', self.hook('shutdown.sh'))
        self.assertEqual(PASTE, self.paste.read_text())
        self.assertEqual(UNIT % ('nova-conductor', 'n-cond'),
                         unit.read_text())

    def _status(self, code):
        status = self.folder / 'nova-coldmig-status'
        status.write_text('#!/bin/sh\necho status "$@"\nexit %d\n' % code)
        status.chmod(0o755)

    def test_upgrade(self):
        for code in (0, 1):
            self._status(code)
            self.assertEqual([
                'setup_develop /dest/nova-coldmig',
                'setup_develop /dest/nova-coldmig/client',
                'stop_nova_conductor',
                'run_process n-super-cond /bin/nova-coldmig-conductor '
                '--config-file /etc/nova',
                'run_process n-cond-cell1 /bin/nova-conductor '
                '--config-file /etc/cell1',
                'stop_process n-api', 'start_nova_api',
                'ensure_services_started n-api', 'status upgrade check'],
                self.hook('upgrade.sh'))
            self.assertEqual(activation.ROUTER_FACTORY, self.factory())

    def test_upgrade_that_is_not_ready(self):
        self._status(2)
        self.assertEqual('die nova-coldmig is not ready',
                         self.hook('upgrade.sh', code=1)[-1])

    def _openstack(self, *aliases):
        openstack = 'function openstack { printf "%%s\\n" %s; }\n' % (
            ' '.join(aliases))
        (self.folder / 'openrc').write_text(openstack)

    def test_resources(self):
        for phase in ('early_create', 'create', 'verify_noapi', 'destroy',
                      'force_destroy'):
            self.assertEqual([], self.hook('resources.sh', phase))
        self._openstack('servers', 'os-migrate-server-force')
        for side in ('pre-upgrade', 'post-upgrade'):
            self.assertEqual([], self.hook('resources.sh', 'verify', side))

    def test_resources_that_are_lost(self):
        self._openstack('servers', 'os-migrate-server')
        self.assertEqual(
            ['die Nova does not tell of nova-coldmig'],
            self.hook('resources.sh', 'verify', 'post-upgrade', code=1))

    def test_unknown_phase(self):
        self.assertEqual(['die unknown phase: melt'],
                         self.hook('resources.sh', 'melt', code=1))


class StyleTest(base.BaseTestCase):

    def test_shellcheck(self):
        shellcheck = shutil.which('shellcheck')
        if not shellcheck:
            self.skipTest('There is no shellcheck')
        scripts = [str(path) for path in sorted(DEVSTACK.rglob('*'))
                   if path.is_file()]
        self.assertEqual(6, len(scripts))
        checked = subprocess.run(
            [shellcheck, '--external-sources', *scripts], cwd=str(ROOT),
            universal_newlines=True, stdout=subprocess.PIPE)
        self.assertEqual((0, ''), (checked.returncode, checked.stdout))
