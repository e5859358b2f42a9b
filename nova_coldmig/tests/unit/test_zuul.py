# SPDX-License-Identifier: Apache-2.0

"""The jobs of Zuul name what there is."""

import configparser
from pathlib import Path
import re
import sys

from oslotest import base
import yaml

from nova_coldmig import series

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / 'tools'))

import _common  # noqa: E402

# The Python that each nodeset has.
NODESETS = {'debian-bookworm': '3.11', 'ubuntu-noble': '3.12',
            'debian-trixie-8GB': '3.13'}
# The environments of tox that jobs and templates of others run.
OTHERS = {'openstack-tox-pep8': 'pep8', 'publish-openstack-docs-pti': 'docs',
          'release-notes-jobs-python3': 'releasenotes'}
# Of the series, those with a branch that is maintained.
BRANCHES = {'2025.1', '2025.2', '2026.1', '2026.2'}
# What Zuul knows of jobs, of those that are used here, and of what type.
JOB = {'name': str, 'parent': str, 'description': str, 'abstract': bool,
       'nodeset': str, 'timeout': int, 'vars': dict, 'group-vars': dict,
       'required-projects': list, 'override-checkout': str,
       'irrelevant-files': list, 'files': list, 'run': str,
       'post-run': str}
PROJECT = {'queue': str, 'templates': list, 'check': dict, 'gate': dict}


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
        self.items = [item for path in sorted((ROOT / 'zuul.d').glob('*'))
                      for item in yaml.safe_load(path.read_text())]
        self.jobs = {item['job']['name']: item['job']
                     for item in self.items if 'job' in item}
        self.project, = [item['project'] for item in self.items
                         if 'project' in item]
        self.tox = {name: job for name, job in self.jobs.items()
                    if job['parent'] == 'nova-coldmig-tox'}
        self.multinode = self.jobs['nova-coldmig-tempest-multinode']
        self.tempest = {job['override-checkout']: job
                        for job in self.jobs.values()
                        if job['parent'] == self.multinode['name']}
        self.grenade, = [job for job in self.jobs.values()
                         if job['parent'] == 'grenade-multinode']

    def test_expand(self):
        self.assertEqual(['a'], expand('a'))
        self.assertEqual(
            ['t:a', 't:a-1', 't:b', 't:b-1'], expand('t:{a,b}{,-1}'))

    def test_schema(self):
        for item in self.items:
            (kind, value), = item.items()
            known = {'job': JOB, 'project': PROJECT}[kind]
            for name, part in value.items():
                self.assertIsInstance(part, known[name], name)
        for job in self.jobs.values():
            for pattern in job.get('files', []) + job.get(
                    'irrelevant-files', []):
                re.compile(pattern)
        self.assertEqual(len(self.jobs), len(
            [item for item in self.items if 'job' in item]))

    def environments(self, job):
        return job['vars']['tox_envlist'].split(',')

    def test_environments(self):
        """All of tox that there are, and each of them is."""
        parser = configparser.RawConfigParser()
        parser.read(str(ROOT / 'tox.ini'))
        known = {name.partition(':')[2] for section in parser.sections()
                 for name in expand(section)}
        used = [name for job in self.tox.values()
                for name in self.environments(job)]
        used += self.environments(self.jobs['nova-coldmig-api-ref'])
        used += OTHERS.values()
        self.assertEqual(set(), set(used) - known)
        self.assertEqual(
            sorted(['%s-%s' % (kind, name) for name in _common.SERIES
                    for kind in ('unit', 'functional')]
                   + list(_common.SUITES)
                   + ['pep8', 'docs', 'releasenotes', 'api-ref']),
            sorted(used))

    def test_all_jobs_run(self):
        templates = self.project['templates']
        for pipeline in ('check', 'gate'):
            jobs = self.project[pipeline]['jobs']
            self.assertEqual(
                sorted(name for name, job in self.jobs.items()
                       if not job.get('abstract')),
                sorted(set(jobs) - set(OTHERS)))
            self.assertEqual(set(), set(OTHERS) - set(jobs) - set(templates))

    def test_parents(self):
        """A job that is meant for others to inherit runs nowhere."""
        parents = {job['parent'] for job in self.jobs.values()}
        for name, job in self.jobs.items():
            self.assertEqual(job.get('abstract', False), name in parents)

    def test_pythons(self):
        """The one that is preferred for a series is what the node has.

        All that are claimed have a job.
        """
        names = dict(_common.SUITES)
        for name, (_nova, _placement, pythons) in _common.SERIES.items():
            names[name] = pythons
        for name, pythons in names.items():
            job = self.tox['nova-coldmig-' + name]
            options = job['vars']
            version = options['python_version']
            self.assertEqual(pythons[0], version)
            node = NODESETS[job['nodeset']]
            self.assertEqual(node != version,
                             options.get('python_use_pyenv', False))
            # That of tox.
            self.assertIn(node, _common.TOOL_PYTHONS)
            variable = 'PYTHON_%s' % re.sub('[-.]', '_', name.upper())
            self.assertEqual({variable: 'python' + version},
                             options['tox_environment'])
            self.assertIn('{env:%s:' % variable,
                          (ROOT / 'tox.ini').read_text())
        claimed = re.findall(r'Python :: (3\.\d+)"',
                             (ROOT / 'pyproject.toml').read_text())
        self.assertEqual(
            set(claimed),
            {job['vars']['python_version'] for job in self.tox.values()})

    def test_branches(self):
        """Each has a job: the package refuses a Nova that is newer."""
        self.assertEqual({'stable/' + name for name in BRANCHES},
                         set(self.tempest))
        self.assertEqual(max(_common.SERIES), max(BRANCHES))
        for branch, job in self.tempest.items():
            self.assertEqual(
                'nova-coldmig-tempest-' + branch.partition('/')[2],
                job['name'])

    def test_microversions(self):
        """devstack pins a lower one, which would hide the feature."""
        for tree in series.SERIES:
            job = self.tempest.get('stable/' + tree.name)
            if job:
                options = job['vars']['devstack_local_conf']['test-config'][
                    '$TEMPEST_CONFIG']
                # A number would lose zeros.
                self.assertEqual({
                    'compute': {'max_microversion': tree.microversion},
                    'nova_coldmig': {'force': True}}, options)

    def test_ci(self):
        """The whole, of which nothing is left out without a word."""
        job = self.jobs['nova-coldmig-ci']
        play, = yaml.safe_load((ROOT / job['run']).read_text())
        task, = play['tasks']
        command, *options = task['command'].split()
        self.assertEqual(['--strict'], options)
        self.assertIn('case "$*" in\n    \'\') ;;\n    --strict)',
                      (ROOT / command).read_text())
        # The tools run on what the node has.
        self.assertIn(NODESETS[job['nodeset']], _common.TOOL_PYTHONS)

    def test_forced_moves(self):
        """A job in which no move was forced is not green."""
        for job in (self.multinode, self.grenade):
            play, = yaml.safe_load((ROOT / job['post-run']).read_text())
            task, = play['tasks']
            command = task['shell'].split()[-1]
            self.assertIn(
                '[project.scripts]\n%s = ' % command.rpartition('/')[2],
                (ROOT / 'tempest_plugin' / 'pyproject.toml').read_text())

    def test_multinode(self):
        """Two computes, as one can not be moved between."""
        self.assertEqual(
            'tempest-multinode-full-py3', self.multinode['parent'])
        for job in (self.multinode, self.grenade):
            # The variables of the job are not those of the second node.
            subnode = job['group-vars']['subnode']
            self.assertEqual(job['vars']['devstack_plugins'],
                             subnode['devstack_plugins'])
            self.assertLessEqual(subnode['devstack_services'].items(),
                                 job['vars']['devstack_services'].items())

    def test_grenade(self):
        """From one SLURP series, of which there is one a year, to another."""
        source, target = [
            self.grenade['vars']['grenade_from_branch'],
            self.grenade['override-checkout']]
        self.assertRegex(source, r'^stable/20..\.1$')
        self.assertRegex(target, r'^stable/20..\.1$')
        names = sorted(_common.SERIES)
        self.assertEqual(2, names.index(target.partition('/')[2])
                         - names.index(source.partition('/')[2]))

    def test_projects(self):
        """Zuul checks out what devstack installs, the plugin too."""
        for job in (self.multinode, self.grenade):
            required = job['required-projects']
            self.assertIn('openstack/nova', required)
            # devstack/settings looks for $DEST/nova-coldmig.
            (name, url), = job['vars']['devstack_plugins'].items()
            self.assertEqual('nova-coldmig', name)
            url, branch = url.split()
            self.assertIn(url.partition('opendev.org/')[2], required)
            # devstack takes master if none is named.
            self.assertIn('NOVA_COLDMIG_BRANCH:-%s}' % branch, (
                ROOT / 'devstack' / 'upgrade' / 'settings').read_text())

    def test_tests_that_are_selected(self):
        for job in (self.multinode, self.grenade):
            regex = re.compile(job['vars']['tempest_test_regex'])
            plugin = ROOT / 'tempest_plugin' / 'nova_coldmig_tempest_plugin'
            for path in sorted(plugin.rglob('test_*.py')):
                name = '.'.join(
                    path.relative_to(plugin.parent).with_suffix('').parts)
                self.assertTrue(regex.search(name + '.Test.test'), name)
            self.assertTrue(regex.search(
                'tempest.api.compute.admin.test_migrations.Test.test'))
            self.assertFalse(regex.search(
                'tempest.api.compute.admin.test_servers.Test.test'))
