# SPDX-License-Identifier: Apache-2.0

"""Tempest, with the plugin of this source tree, against a cloud."""

import configparser
import contextlib
import os
import re
import subprocess

import _common
from cloud import cloud as clouds
from cloud.hosts import libvirt
from cloud.hosts.libvirt import guest
from cloud import layout as layouts
from cloud.services import bootstrap
from cloud.services import install
from nova_coldmig import series

PLUGIN = 'nova_coldmig_tempest_plugin'
# What is run when nothing is asked for: the plugin, and what Tempest itself
# has of migrations.
MIGRATIONS = r'tempest\.api\.compute\.admin\.test_migrations'
TOTALS = re.compile(r'^ - (Passed|Skipped|Expected Fail|Unexpected Success|'
                    r'Failed): (\d+)$', re.M)


def options(cloud, virt=layouts.FAKE):
    """Return the configuration: {section: {option: value}}.

    :param cloud: cloud.cloud.Cloud
    :param virt: str, which hosts are to be used

    It is what devstack writes on the stable branch of the series, as far as
    this cloud is like devstack: before its plugins have their turn.
    """
    layout, client = cloud.layout, cloud.client()
    real = virt == layouts.LIBVIRT
    images = [client.get('glance', '/v2/images?name=' + name)['images'][0]
              for name in ([guest.IMAGE] * 2 if real else
                           ('tiny', 'tiny-alt'))]
    flavors = {flavor['name']: flavor['id'] for flavor in client.get(
        'nova-api', '/v2.1/flavors')['flavors']}
    first, second = [flavors[name] for name in (
        guest.FLAVORS if real else
        [flavor[0] for flavor in bootstrap.FLAVORS[:2]])]
    tree, = [one for one in series.SERIES if one.name == layout.series]
    return {
        'DEFAULT': {'log_file': layout.logs / 'tempest.log', 'debug': True},
        'oslo_concurrency': {'lock_path': layout.state / 'tempest/locks'},
        'auth': {
            'admin_username': 'admin', 'admin_project_name': 'admin',
            'admin_password': layout.password,
            'admin_domain_name': 'Default',
            # Not as devstack: there is one network for all.
            'create_isolated_networks': False},
        'identity': {
            'auth_version': 'v3', 'uri_v3': layout.url('keystone', '/v3')},
        'service_available': {
            'key': True, 'glance': True, 'nova': True, 'neutron': True,
            'cinder': False, 'swift': False, 'horizon': False},
        'compute': {
            'image_ref': images[0]['id'], 'image_ref_alt': images[1]['id'],
            'flavor_ref': first, 'flavor_ref_alt': second,
            'fixed_network_name': bootstrap.NETWORK,
            # The jobs count the computes.
            'min_compute_nodes': len(
                libvirt.NAMES if real else layouts.HOSTS),
            # A stable branch of devstack names that of its Nova.
            'max_microversion': tree.max_microversion,
            'build_timeout': 196},
        'compute-feature-enabled': {
            'resize': True, 'live_migration': False, 'personality': False,
            # What the driver can not do.
            'snapshot': False, 'vnc_console': False,
            'console_output': False},
        'validation': {'run_validation': False},
    }


def configure(cloud, path, virt=layouts.FAKE):
    """Write the configuration, as devstack and its plugin do.

    :param path: pathlib.Path of tempest.conf
    :param virt: as of options
    """
    parser = configparser.RawConfigParser()
    parser.read_dict({
        section: {name: str(value) for name, value in values.items()}
        for section, values in options(cloud, virt).items()})
    path.touch(mode=0o600)
    with open(str(path), 'w') as stream:
        parser.write(stream)
    if cloud.layout.settings['coldmig']:
        run_plugin(path, cloud.client().get(
            'nova-api', '/v2.1/extensions')['extensions'])


def run_plugin(path, extensions):
    """Run the phase of the plugin of devstack that configures Tempest.

    :param path: pathlib.Path of tempest.conf
    :param extensions: list of dict, those of Nova
    :raises clouds.Failed: if the plugin gives up
    """
    plugin = _common.ROOT / 'devstack'
    ran = subprocess.run(
        ['bash', '-eu', '-c', 'source "$FUNCTIONS"; source "$PLUGIN/settings";'
         ' source "$PLUGIN/plugin.sh" stack test-config'],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        universal_newlines=True, env={
            'PATH': os.environ.get('PATH', os.defpath),
            'FUNCTIONS': str(_common.ROOT / 'cloud/services/devstack.sh'),
            'PLUGIN': str(plugin), 'NOVA_COLDMIG_DIR': str(_common.ROOT),
            'ENABLED': 'n-api tempest', 'TEMPEST_CONFIG': str(path),
            'EXTENSIONS': '\n'.join(
                '%(alias)s %(description)s' % one for one in extensions)})
    if ran.returncode:
        raise clouds.Failed('devstack/plugin.sh does not configure Tempest: '
                            + ran.stdout.strip())


def counts(output, no_move=False):
    """Return the last line of a run, or None if nothing was run.

    :param output: str, what "tempest run" printed
    :param no_move: bool, whether forced moves were missed, which is a failure
    """
    totals = {name: int(count) for name, count in TOTALS.findall(output)}
    if not totals:
        return None
    line = '%d passed, %d failed' % (
        totals['Passed'] + totals['Expected Fail'],
        totals['Failed'] + totals['Unexpected Success'] + no_move)
    if totals['Skipped']:
        line += ', %d skipped' % totals['Skipped']
    return line


def _misses_moves(venv, home, output):
    """Tell whether tests of the plugin ran, but no forced move was made."""
    if PLUGIN not in output:
        return False
    with subprocess.Popen(
            [str(venv / 'bin' / 'stestr'), 'last', '--subunit'],
            cwd=str(home), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE) as last:
        return bool(subprocess.call(
            [str(venv / 'bin' / 'nova-coldmig-forced-moves')],
            stdin=last.stdout))


@contextlib.contextmanager
def _only(cloud, virt):
    """Have the scheduler choose among hosts of one kind only."""
    client = cloud.client()
    others = (libvirt.NAMES if virt == layouts.FAKE else layouts.HOSTS)
    version = {'OpenStack_API_Version': 'compute 2.53'}

    def set_status(status):
        for service in client.request(
                'GET', 'nova-api', '/v2.1/os-services?binary=nova-compute',
                **version)['services']:
            if service['host'] in others:
                client.request(
                    'PUT', 'nova-api', '/v2.1/os-services/' + service['id'],
                    {'status': status}, **version)

    set_status('disabled')
    try:
        yield
    finally:
        set_status('enabled')


def run(cloud, arguments, virt=layouts.FAKE):
    """Run Tempest.

    :param cloud: cloud.cloud.Cloud, which is up
    :param arguments: list of str, of `tempest run`; by default the plugin is
        run, and what Tempest itself has of migrations.
    :param virt: str, which hosts are used
    :returns: tuple of int, 0 if all passed and, with tests of the plugin
        among them, a move was forced; and of what counts() returned
    """
    layout = cloud.layout
    venv = layout.venv.parent / 'tempest'
    install.tempest(venv)
    home = layout.state / 'tempest'
    (home / 'etc').mkdir(parents=True, exist_ok=True)
    path = home / 'etc' / 'tempest.conf'
    configure(cloud, path, virt)
    # It has the history of runs.
    (home / '.stestr.conf').write_text(
        '[DEFAULT]\ntest_path = %s\ntop_dir = %s\n' % (
            next(venv.glob('lib/python*/site-packages/tempest/test_discover')),
            next(venv.glob('lib/python*/site-packages'))))
    names = [MIGRATIONS] + [PLUGIN] * layout.settings['coldmig']
    output = []
    with _only(cloud, virt):
        ran = subprocess.Popen(
            [str(venv / 'bin' / 'tempest'), 'run', '--config-file', str(path)]
            + (arguments or ['--regex', r'^(%s)\.' % '|'.join(names),
                             '--concurrency', '2']),
            cwd=str(home), env=dict(os.environ, PYTHONWARNINGS='ignore'),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True,
            errors='replace')
        for line in ran.stdout:
            print(line, end='', flush=True)
            output.append(line)
        ran.wait()
    output = ''.join(output)
    no_move = _misses_moves(venv, home, output)
    return ran.returncode or int(no_move), counts(output, no_move)
