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

"""Tempest, with the plugin of this source tree, against a cloud."""

import configparser
import os
import re
import subprocess

from _cloud import bootstrap
from _cloud import install
from _cloud import layout as layouts

# What is run when nothing is asked for: the plugin, and what Tempest itself
# has of migrations.
REGEX = r'^(nova_coldmig_tempest_plugin|' \
    r'tempest\.api\.compute\.admin\.test_migrations)\.'
TOTALS = re.compile(r'^ - (Passed|Skipped|Expected Fail|Unexpected Success|'
                    r'Failed): (\d+)$', re.M)


def options(cloud):
    """Return the configuration: {section: {option: value}}."""
    layout, client = cloud.layout, cloud.client()
    images = [client.get('glance', '/v2/images?name=' + name)['images'][0]
              for name in ('tiny', 'tiny-alt')]
    flavors = {flavor['name']: flavor['id'] for flavor in client.get(
        'nova-api', '/v2.1/flavors')['flavors']}
    first, second = [flavors[flavor[0]] for flavor in bootstrap.FLAVORS[:2]]
    return {
        'DEFAULT': {'log_file': layout.logs / 'tempest.log'},
        'oslo_concurrency': {'lock_path': layout.state / 'tempest/locks'},
        'auth': {
            'admin_username': 'admin', 'admin_project_name': 'admin',
            'admin_password': layout.password,
            'admin_domain_name': 'Default',
            'use_dynamic_credentials': True,
            'create_isolated_networks': False,
            'tempest_roles': 'member'},
        'identity': {
            'auth_version': 'v3', 'uri_v3': layout.url('keystone', '/v3'),
            'region': 'RegionOne'},
        'service_available': {
            'cinder': False, 'swift': False, 'horizon': False},
        'compute': {
            'image_ref': images[0]['id'], 'image_ref_alt': images[1]['id'],
            'flavor_ref': first, 'flavor_ref_alt': second,
            'fixed_network_name': bootstrap.NETWORK,
            'min_compute_nodes': len(layouts.HOSTS),
            'min_microversion': '2.1', 'max_microversion': 'latest',
            'build_interval': 1, 'build_timeout': 120},
        'compute-feature-enabled': {
            'cold_migration': True, 'resize': True, 'snapshot': False,
            'vnc_console': False, 'console_output': False,
            'live_migration': False, 'personality': False},
        'validation': {'run_validation': False},
        'nova_coldmig': {
            'force': layout.settings['coldmig'],
            'force_role': layouts.FORCE_ROLE,
            'host_role': layouts.HOST_ROLE},
    }


def counts(output):
    """Return the last line of a run, or None if nothing was run.

    :param output: str, what "tempest run" printed
    """
    totals = {name: int(count) for name, count in TOTALS.findall(output)}
    if not totals:
        return None
    line = '%d passed, %d failed' % (
        totals['Passed'] + totals['Expected Fail'],
        totals['Failed'] + totals['Unexpected Success'])
    if totals['Skipped']:
        line += ', %d skipped' % totals['Skipped']
    return line


def run(cloud, arguments):
    """Run Tempest.

    :param arguments: list of str, of `tempest run`; the default runs REGEX.
    :returns: tuple of int, 0 if all passed, and of what counts() returned
    """
    layout = cloud.layout
    venv = layout.venv.parent / 'tempest'
    install.tempest(venv)
    home = layout.state / 'tempest'
    (home / 'etc').mkdir(parents=True, exist_ok=True)
    parser = configparser.RawConfigParser()
    parser.read_dict({
        section: {name: str(value) for name, value in values.items()}
        for section, values in options(cloud).items()})
    path = home / 'etc' / 'tempest.conf'
    path.touch(mode=0o600)
    with open(str(path), 'w') as stream:
        parser.write(stream)
    # It has the history of runs.
    (home / '.stestr.conf').write_text(
        '[DEFAULT]\ntest_path = %s\ntop_dir = %s\n' % (
            next(venv.glob('lib/python*/site-packages/tempest/test_discover')),
            next(venv.glob('lib/python*/site-packages'))))
    ran = subprocess.Popen(
        [str(venv / 'bin' / 'tempest'), 'run', '--config-file', str(path)]
        + (arguments or ['--regex', REGEX, '--concurrency', '2']),
        cwd=str(home), env=dict(os.environ, PYTHONWARNINGS='ignore'),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, universal_newlines=True, errors='replace')
    output = []
    for line in ran.stdout:
        print(line, end='', flush=True)
        output.append(line)
    ran.wait()
    return ran.returncode, counts(''.join(output))
