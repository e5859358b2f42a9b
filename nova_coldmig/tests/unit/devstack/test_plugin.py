# SPDX-License-Identifier: Apache-2.0

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
import yaml

from nova_coldmig import activation
from nova_coldmig import policies

ROOT = Path(__file__).parents[4]
DEVSTACK = ROOT / 'devstack'
PLAIN = 'nova.api.openstack.compute:APIRouterV21.factory'
PASTE = '[%s]\n%s = %s\n\n[app:other]\n%s = other:factory\n' % (
    activation.PASTE_SECTION, activation.PASTE_OPTION, PLAIN,
    activation.PASTE_OPTION)
UNIT = '[Service]\nUser = stack\nExecStart = /bin/%s --config-file /etc/%s\n'
# What lib/tempest of a stable branch writes, each time.
TEMPEST = '[compute]\nmax_microversion = 2.104\nflavor_ref = 1\n'
FORCE = ('force = True', 'force_role = coldmig-force',
         'host_role = coldmig-host')
EXTENSIONS = ('os-migrate-server Enable migration.\n'
              'os-migrate-server-force Cold migrate a server to a named host '
              'with force, at microversion 2.105.\n')
STUBS = r"""
source "$FUNCTIONS"
for name in setup_develop systemctl sudo warn start_nova_api \
        ensure_services_started devstack_localrc \
        register_project_for_upgrade get_or_create_role; do
    eval "function $name { echo $name \"\$@\"; }"
done
# What fails is passed over.
function pip_uninstall {
    local name=$1 pip="sudo -H python3 -m pip"
    if [[ -n ${PIP_VIRTUAL_ENV:=} && -d ${PIP_VIRTUAL_ENV} ]]; then
        pip=$PIP_VIRTUAL_ENV/bin/pip
    fi
    $pip uninstall -y $name || /bin/true
}
# What is enabled is a unit of systemd, which stays when it is stopped.
function run_process {
    if is_service_enabled $1; then
        echo run_process "$@"
        iniset -sudo $SYSTEMD_DIR/devstack@$1.service Service ExecStart "$2"
    fi
}
function stop_process {
    if is_service_enabled $1; then
        echo stop_process "$@"
    fi
}
# Where there are cells, n-cond stands for those that are started.
function start_nova_conductor {
    local command="/bin/nova-conductor --config-file /etc/nova"
    if [[ "${CELLSV2_SETUP:-superconductor}" == singleconductor ]]; then
        run_process n-cond "$command"
        return
    fi
    ENABLED+=" n-super-cond n-cond-cell1"
    run_process n-super-cond "$command"
    run_process n-cond-cell1 "/bin/nova-conductor --config-file /etc/cell1"
}
function stop_nova_conductor {
    echo stop_nova_conductor
}
function configure_tempest {
    printf "$TEMPEST" > "$TEMPEST_CONFIG"
}
# In this order, and with no more arguments, devstack goes through its phases.
function stack {
    local phase
    source "$PLUGIN/settings"
    for phase in pre-install install; do
        source "$PLUGIN/plugin.sh" stack $phase
    done
    printf "$PASTE" > "$NOVA_API_PASTE_INI"
    source "$PLUGIN/plugin.sh" stack post-config
    run_process n-api "/bin/uwsgi --ini /etc/nova"
    start_nova_conductor
    source "$PLUGIN/plugin.sh" stack extra
    configure_tempest
    source "$PLUGIN/plugin.sh" stack test-config
}
function unstack {
    source "$PLUGIN/settings"
    source "$PLUGIN/plugin.sh" unstack
}
function clean {
    source "$PLUGIN/settings"
    source "$PLUGIN/plugin.sh" clean
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
        self.tempest.write_text(TEMPEST)
        self.policy = self.folder / 'policy.d' / 'nova-coldmig.yaml'
        self.virtualenv = self.folder / 'venv'
        # In DEST.
        self.clone = self.folder / 'nova-coldmig'
        self.clone.symlink_to(ROOT)
        for name in FILES:
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
        (self.folder / 'stackrc').write_text(STUBS)
        (self.folder / 'functions').write_text(STUBS)

    def run_bash(self, script, enabled='n-api n-super-cond tempest', code=0,
                 env=None):
        """Run a script after the stubs and the settings of devstack.

        :returns: list of the lines of its output
        """
        ran = subprocess.run(
            [self.bash, '-eu', '-c', script],
            universal_newlines=True, stdout=subprocess.PIPE,
            env=dict({
                'PATH': '%s:/usr/bin:/bin' % self.folder,
                'ENABLED': enabled, 'DEST': str(self.folder),
                'PLUGIN': str(DEVSTACK), 'STUBS': STUBS,
                'FUNCTIONS': str(ROOT / 'cloud' / 'services' / 'devstack.sh'),
                'TEMPEST': TEMPEST, 'PASTE': PASTE,
                'EXTENSIONS': EXTENSIONS, 'GLOBAL_VENV': 'True',
                'DEVSTACK_VENV': str(self.virtualenv),
                'SYSTEMD_DIR': str(self.folder), 'SYSTEMCTL': 'systemctl',
                'NOVA_API_PASTE_INI': str(self.paste),
                'NOVA_CONF_DIR': str(self.folder),
                'NOVA_BIN_DIR': str(self.virtualenv / 'bin'),
                'TEMPEST_CONFIG': str(self.tempest),
                'TOP_DIR': str(self.folder),
                'GRENADE_DIR': str(self.folder),
                'BASE_DEVSTACK_DIR': str(self.folder),
                'BASE_RELEASE_DIR': str(self.folder),
                'TARGET_DEVSTACK_DIR': str(self.folder)
            }, **(env or {})))
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

    def options(self):
        """Read tempest.conf.

        :returns: dict of names of sections to lists of their lines
        """
        parts = self.tempest.read_text().split('[')[1:]
        return {name: text.split('\n')[1:-1] for name, text in (
            (part.partition(']')[0], part.partition(']')[2])
            for part in parts)}

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
        self.assertEqual(['setup_develop %s' % self.clone,
                          'setup_develop %s/client' % self.clone],
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
""", enabled='n-super-cond n-cond n-cond-cell1 n-sch')
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

    def test_super_conductor_among_cells(self):
        """n-cond is enabled, and n-super-cond is what runs."""
        lines = self.plugin('''
source "$PLUGIN/plugin.sh" stack post-config
start_nova_conductor''', enabled='n-api n-cond')
        self.assertEqual([
            'run_process n-super-cond /bin/nova-coldmig-conductor '
            '--config-file /etc/nova',
            'run_process n-cond-cell1 /bin/nova-conductor '
            '--config-file /etc/cell1'], lines)

    def test_single_conductor(self):
        lines = self.plugin(
            'source "$PLUGIN/plugin.sh" stack post-config\n'
            'start_nova_conductor', enabled='n-api n-cond',
            env={'CELLSV2_SETUP': 'singleconductor'})
        self.assertEqual(['run_process n-cond /bin/nova-coldmig-conductor '
                          '--config-file /etc/nova'], lines)
        self.phase('unstack')
        unit = self.folder / 'devstack@n-cond.service'
        self.assertIn('/bin/nova-conductor ', unit.read_text())

    def test_policy(self):
        """The roles of the tests can do what the tests do with them."""
        self.phase('stack', 'post-config')
        rules = yaml.safe_load(self.policy.read_text())
        line, = self.plugin(
            'source "$PLUGIN/plugin.sh" stack extra\n'
            'echo $NOVA_COLDMIG_FORCE_ROLE $NOVA_COLDMIG_HOST_ROLE')
        force, host = line.split()
        defaults = {rule.name for rule in policies.list_rules()} | {
            'os_compute_api:os-migrate-server:migrate',
            'os_compute_api:os-migrate-server:migrate:host'}
        self.assertEqual(defaults, set(rules))
        for name, rule in rules.items():
            self.assertIn('role:%s' % force, rule.split())
            self.assertEqual(not name.endswith(':force'),
                             'role:%s' % host in rule.split())
            self.assertIn('rule:context_is_admin', rule.split())

    def test_test_config(self):
        self.assertEqual(['get_or_create_role coldmig-force',
                          'get_or_create_role coldmig-host'],
                         self.phase('stack', 'test-config'))
        # What the tree has, and devstack pins, hides the feature.
        self.assertEqual({
            'compute': ['max_microversion = 2.105', 'flavor_ref = 1'],
            'nova_coldmig': list(FORCE)}, self.options())

    def test_test_config_of_master(self):
        self.tempest.write_text('[compute]\nmax_microversion = latest\n')
        self.phase('stack', 'test-config')
        self.assertEqual({
            'compute': ['max_microversion = latest'],
            'nova_coldmig': list(FORCE)}, self.options())

    def test_test_config_without_microversions(self):
        self.tempest.write_text('[compute]\n#max_microversion = 2.1\n')
        self.phase('stack', 'test-config')
        self.assertIn('max_microversion = 2.105', self.options()['compute'])

    def test_test_config_where_the_feature_is_not_there(self):
        for extensions in ('', 'os-migrate-server Enable it at 2.105.'):
            self.assertEqual(
                ['die Nova does not tell of nova-coldmig: nothing to test'],
                self.phase('stack', 'test-config', code=1,
                           env={'EXTENSIONS': extensions}))

    def test_test_config_without_tempest(self):
        self.phase('stack', 'test-config', enabled='n-api')
        self.assertEqual(TEMPEST, self.tempest.read_text())

    def test_tempest_plugin(self):
        plugin = '%s/tempest_plugin' % self.clone
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
        self.assertTrue((ROOT / 'tempest_plugin' / 'pyproject.toml').exists())

    def stack(self, script):
        """Run what a user of devstack runs, one after the other."""
        lines = []
        for name in script.split():
            lines = self.run_bash('eval "$STUBS"\n' + name)
        return lines

    def assertStacked(self):
        self.assertEqual(activation.ROUTER_FACTORY, self.factory())
        self.assertTrue(self.policy.exists())
        self.assertEqual({
            'compute': ['max_microversion = 2.105', 'flavor_ref = 1'],
            'nova_coldmig': list(FORCE)}, self.options())
        for name, binary in (('n-super-cond', 'nova-coldmig-conductor'),
                             ('n-cond-cell1', 'nova-conductor')):
            unit = self.folder / ('devstack@%s.service' % name)
            self.assertIn('/bin/%s ' % binary, unit.read_text())

    def assertUnstacked(self):
        self.assertEqual(PASTE, self.paste.read_text())
        self.assertFalse(self.policy.exists())
        self.assertEqual({'compute'}, set(self.options()))
        for unit in self.folder.glob('devstack@*'):
            self.assertNotIn('coldmig', unit.read_text())

    def test_stack(self):
        self.stack('stack')
        self.assertStacked()

    def test_stack_again(self):
        """All is as it was, whether or not it was unstacked between."""
        self.stack('stack stack')
        self.assertStacked()
        self.stack('unstack stack')
        self.assertStacked()

    def test_unstack(self):
        self.stack('stack')
        self.assertEqual(['systemctl daemon-reload'], self.stack('unstack'))
        self.assertUnstacked()

    def test_unstack_twice(self):
        self.stack('stack unstack unstack')
        self.assertUnstacked()

    def test_unstack_leaves_what_is_of_others(self):
        self.stack('stack')
        text = self.tempest.read_text()
        self.tempest.write_text(text + '[validation]\nrun_validation = True\n')
        self.stack('unstack')
        self.assertEqual({'compute', 'validation'}, set(self.options()))

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
        pip = self.virtualenv / 'bin' / 'pip'
        pip.parent.mkdir(parents=True)
        pip.write_text('#!/bin/sh\necho pip "$@"\n')
        pip.chmod(0o755)
        # clean.sh runs unstack.sh first.
        self.assertEqual(['pip uninstall -y nova-coldmig-client',
                          'pip uninstall -y nova-coldmig'],
                         self.stack('stack unstack clean'))
        # As with GLOBAL_VENV=False.
        self.assertEqual([
            'sudo -H python3 -m pip uninstall -y nova-coldmig-client',
            'sudo -H python3 -m pip uninstall -y nova-coldmig'],
            self.phase('clean', env={'GLOBAL_VENV': 'False'}))

    def test_clean_that_does_nothing(self):
        """devstack passes over what fails: it is told."""
        bin_dir = self.virtualenv / 'bin'
        bin_dir.mkdir(parents=True)
        for name in ('pip', 'nova-coldmig-conductor'):
            (bin_dir / name).write_text('#!/bin/sh\nexit 1\n')
            (bin_dir / name).chmod(0o755)
        line, = self.phase('clean')
        self.assertRegex(line, '^warn [0-9]+ nova-coldmig is still installed '
                               'in %s$' % bin_dir)

    def test_names(self):
        # These are the names of what is installed.
        for folder, name in (('client', 'nova-coldmig-client'),
                             ('', 'nova-coldmig')):
            self.assertIn('\n[project]\nname = "%s"\n' % name,
                          (ROOT / folder / 'pyproject.toml').read_text())


class UpgradeTest(BashTest):
    """The hooks of grenade."""

    def hook(self, name, *arguments, **kwargs):
        return self.run_bash(' '.join(
            ['"$PLUGIN/upgrade/%s"' % name, *arguments]), **kwargs)

    def test_settings(self):
        self.assertEqual(
            ['register_project_for_upgrade nova-coldmig'] + [
                # Without a branch, devstack takes master.
                'devstack_localrc %s enable_plugin nova-coldmig %s main' % (
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
        status = self.virtualenv / 'bin' / 'nova-coldmig-status'
        status.parent.mkdir(parents=True, exist_ok=True)
        status.write_text('#!/bin/sh\necho status "$@"\nexit %d\n' % code)
        status.chmod(0o755)

    def test_upgrade(self):
        for code in (0, 1):
            self._status(code)
            self.assertEqual([
                'setup_develop %s' % self.clone,
                'setup_develop %s/client' % self.clone,
                'stop_nova_conductor',
                'run_process n-super-cond /bin/nova-coldmig-conductor '
                '--config-file /etc/nova',
                'run_process n-cond-cell1 /bin/nova-conductor '
                '--config-file /etc/cell1',
                'stop_process n-api', 'start_nova_api',
                'ensure_services_started n-api', 'status upgrade check'],
                self.hook('upgrade.sh'))
            self.assertEqual(activation.ROUTER_FACTORY, self.factory())

    def test_upgrade_of_tempest(self):
        """grenade copies the file, with the microversion of the old Nova."""
        self._status(0)
        path = self.folder / 'tempest' / 'etc' / 'tempest.conf'
        path.parent.mkdir(parents=True)
        path.write_text('[compute]\nmax_microversion = 2.101\n'
                        '[nova_coldmig]\nforce = True\n')
        self.hook('upgrade.sh')
        self.tempest = path
        self.assertEqual({'compute': ['max_microversion = 2.105'],
                          'nova_coldmig': list(FORCE)}, self.options())

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
                   if path.is_file() and path.suffix != '.yaml']
        self.assertEqual(6, len(scripts))
        checked = subprocess.run(
            [shellcheck, '--external-sources', *scripts], cwd=str(ROOT),
            universal_newlines=True, stdout=subprocess.PIPE)
        self.assertEqual((0, ''), (checked.returncode, checked.stdout))
