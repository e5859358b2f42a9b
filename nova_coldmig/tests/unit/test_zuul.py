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

from oslotest import base
import yaml

ROOT = Path(__file__).parents[3]


class TestZuul(base.BaseTestCase):
    def setUp(self):
        super().setUp()
        items = yaml.safe_load((ROOT / '.zuul.yaml').read_text())
        self.jobs = {item['job']['name']: item['job']
                     for item in items if 'job' in item}
        self.project, = [item['project'] for item in items
                         if 'project' in item]

    def test_all_series_and_environments(self):
        series = {path.stem for path in (ROOT / 'constraints').glob('20*.txt')}
        expected = {'%s-%s' % (kind, name) for name in series
                    for kind in ('unit', 'functional')}
        expected |= {'pep8', 'docs', 'releasenotes', 'client'}
        self.assertEqual(expected, {
            job['vars']['tox_envlist'] for job in self.jobs.values()
            if job['parent'] == 'openstack-tox'})
        parser = configparser.RawConfigParser()
        parser.read(str(ROOT / 'tox.ini'))
        sections = ' '.join(parser.sections())
        for name in expected:
            kind, _, release = name.partition('-')
            self.assertIn(kind, sections)
            self.assertIn(release, sections)

    def test_all_jobs_run(self):
        for pipeline in ('check', 'gate'):
            self.assertEqual(
                set(self.jobs), set(self.project[pipeline]['jobs']))

    def test_multinode(self):
        job = self.jobs['nova-coldmig-tempest-multinode']
        self.assertEqual('tempest-multinode-full-py3', job['parent'])
        # devstack/settings looks for $DEST/nova-coldmig.
        self.assertEqual(
            ['nova-coldmig'], list(job['vars']['devstack_plugins']))
        options = job['vars']['devstack_local_conf']['test-config']
        self.assertEqual(
            2, options['$TEMPEST_CONFIG']['compute']['min_compute_nodes'])
