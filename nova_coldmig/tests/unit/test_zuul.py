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


"""The jobs of Zuul name what there is."""

import configparser
from pathlib import Path
import re

from oslotest import base
import yaml

ROOT = Path(__file__).parents[3]
SERIES = {path.stem for path in (ROOT / 'constraints').glob('20*.txt')}


def expand(name):
    """List the names that tox makes of a section with braces.

    :param name: str, such as "testenv:{unit,functional}-2026.2"
    """
    head, braces, tail = re.match(
        r'([^{]*)(?:{([^}]*)})?(.*)', name).groups()
    if braces is None:
        return [name]
    return [head + choice + rest for choice in braces.split(',')
            for rest in expand(tail)]


class TestZuul(base.BaseTestCase):
    def setUp(self):
        super().setUp()
        items = yaml.safe_load((ROOT / '.zuul.yaml').read_text())
        self.jobs = {item['job']['name']: item['job']
                     for item in items if 'job' in item}
        self.project, = [item['project'] for item in items
                         if 'project' in item]
        self.environments = {
            name: job['vars']['tox_envlist']
            for name, job in self.jobs.items()
            if job['parent'] == 'openstack-tox'}
        self.multinode = self.jobs['nova-coldmig-tempest-multinode']

    def test_expand(self):
        self.assertEqual(['a'], expand('a'))
        self.assertEqual(
            ['t:a', 't:a-1', 't:b', 't:b-1'], expand('t:{a,b}{,-1}'))

    def test_environments_exist(self):
        parser = configparser.RawConfigParser()
        parser.read(str(ROOT / 'tox.ini'))
        known = {name.partition(':')[2] for section in parser.sections()
                 for name in expand(section)}
        self.assertEqual(
            set(), set(self.environments.values()) - known)

    def test_all_series(self):
        """Unit and functional tests with each, and what has no series."""
        self.assertEqual(
            {'%s-%s' % (kind, name) for name in SERIES
             for kind in ('unit', 'functional')} | {
                 'pep8', 'docs', 'releasenotes', 'client'},
            set(self.environments.values()))

    def test_names(self):
        for name, environment in self.environments.items():
            self.assertEqual('nova-coldmig-' + environment, name)

    def test_all_jobs_run(self):
        for pipeline in ('check', 'gate'):
            jobs = self.project[pipeline]['jobs']
            self.assertEqual(sorted(self.jobs), sorted(jobs))

    def test_pythons(self):
        """The Python that is asked for is the one of the nodes."""
        for job in self.jobs.values():
            if 'python_version' in job.get('vars', {}):
                self.assertEqual('3.11', job['vars']['python_version'])
                self.assertEqual('debian-bookworm', job['nodeset'])

    def test_newest_series(self):
        """A newer Nova is refused."""
        self.assertEqual('stable/' + max(SERIES),
                         self.multinode['override-checkout'])

    def test_multinode(self):
        """Two computes, as one can not be moved between."""
        self.assertEqual(
            'tempest-multinode-full-py3', self.multinode['parent'])
        options = self.multinode['vars']['devstack_local_conf']['test-config']
        self.assertEqual(
            2, options['$TEMPEST_CONFIG']['compute']['min_compute_nodes'])

    def test_projects(self):
        """Zuul checks out what devstack installs, the plugin too."""
        required = self.multinode['required-projects']
        self.assertIn('openstack/nova', required)
        # devstack/settings looks for $DEST/nova-coldmig.
        (name, url), = self.multinode['vars']['devstack_plugins'].items()
        self.assertEqual('nova-coldmig', name)
        self.assertIn(url.partition('opendev.org/')[2], required)

    def test_tests_that_are_selected(self):
        regex = re.compile(self.multinode['vars']['tempest_test_regex'])
        plugin = ROOT / 'tempest_plugin' / 'nova_coldmig_tempest_plugin'
        for path in sorted(plugin.rglob('test_*.py')):
            name = '.'.join(
                path.relative_to(plugin.parent).with_suffix('').parts)
            self.assertTrue(regex.search(name + '.Test.test'), name)
        self.assertTrue(regex.search(
            'tempest.api.compute.admin.test_migrations.Test.test'))
        self.assertFalse(regex.search(
            'tempest.api.compute.admin.test_servers.Test.test'))
