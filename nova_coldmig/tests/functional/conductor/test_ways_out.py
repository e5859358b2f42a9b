# SPDX-License-Identifier: Apache-2.0

"""What a refusal names leads out.

Each refusal that names nova-coldmig-manage is followed by just that command,
which acts or says by hand what is so; then the server can be moved.
"""

from nova_coldmig.tests.functional.conductor import test_records

import argparse
import ast
import contextlib
import io
import json
from pathlib import Path
import re
import shlex

from nova.cmd import manage as nova_manage
from nova import context as nova_context
from nova.scheduler.client import report

import nova_coldmig
from nova_coldmig.cmd import manage

COMMAND = re.compile(r"'nova-coldmig-manage (migration repair --[^']*)'")


def messages():
    """List the messages of the package that name the command.

    :returns: set of str
    """
    found = set()
    home = Path(nova_coldmig.__file__).parent
    for path in home.rglob('*.py'):
        if 'tests' in path.relative_to(home).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(
                    node.value, str) and COMMAND.search(node.value):
                found.add(node.value)
    return found


class WaysOutTest(test_records.RecordsTestCase):

    #: How a message begins, and the test that leads to it and out of it.
    TESTS = {
        'An earlier cold migration of the server': 'test_unfinished',
        'Host %(others)s holds an allocation of the server': 'test_two_hosts',
        "The compute node %(node)s of the server's host": 'test_no_provider',
        'The server holds no allocation on its host %(source)s. What it holds':
            'test_unknown_provider',
        "The server holds no allocation on its host %(source)s. 'nova":
            'test_nothing',
    }

    def test_each_is_here(self):
        self.assertEqual(len(self.TESTS), len(messages()))
        for message in messages():
            name, = (test for begin, test in self.TESTS.items()
                     if message.startswith(begin))
            self.assertTrue(callable(getattr(self, name)))

    def follow(self, refusal, *options):
        """Run the command that a refusal names, as it stands there.

        :param options: str, what its answer asked for.
        :returns: dict, what it says.
        """
        command, = COMMAND.findall(refusal)
        parser = argparse.ArgumentParser()
        manage._add_parsers(parser.add_subparsers())
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = manage._repair(parser.parse_args(
                shlex.split(command) + ['--json'] + list(options)))
        line, = said.getvalue().splitlines()
        done = json.loads(line)
        self.assertEqual(self.server['id'], done['server'])
        self.assertEqual(
            manage.CLEAN if done['outcome'] == 'repaired' else manage.FOUND,
            code)
        return done

    def acts(self, refusal, *options):
        self.assertEqual(
            'repaired', self.follow(refusal, '--yes', *options)['outcome'])

    def moves(self):
        self.force(self.server, 'host3')

    def test_unfinished(self):
        self.add_record('pre-migrating', 'host2', None)
        refusal = self.refused_by_api()
        done = self.follow(refusal)
        self.assertEqual('would-repair', self.follow(
            refusal, '--idle', '0', '--ended')['outcome'])
        # It says itself what it wants to be told.
        self.assertIn('--idle', done['reason'])
        done = self.follow(refusal, '--idle', '0')
        self.assertIn('--ended', done['reason'])
        self.acts(refusal, '--idle', '0', '--ended')
        self.moves()

    def test_two_hosts(self):
        url = '/allocations/%s' % self.server['id']
        before = self.placement.get(url, version='1.28').body
        held = dict(before, allocations=dict(before['allocations'], **{
            self._get_provider_uuid_by_name('host2'): {
                'resources': self.resources}}))
        self.assertEqual(
            204, self.placement.put(url, held, version='1.28').status)
        done = self.follow(self.force_refused(self.server, 'host3'))
        self.assertEqual(('by-hand', ['two-hosts']),
                         (done['outcome'], done['findings']))
        self.assertIn('remove what the server holds on the other',
                      done['what'])
        now = self.placement.get(url, version='1.28').body
        self.assertEqual(204, self.placement.put(url, dict(
            before, consumer_generation=now['consumer_generation']),
            version='1.28').status)
        self.moves()

    def test_no_provider(self):
        node = self.register_anew('host1')
        done = self.follow(self.force_refused(self.server, 'host3'))
        self.assertEqual('by-hand', done['outcome'])
        self.rename_old(done, node)
        self.heal(done)
        self.moves()

    def rename_old(self, done, node):
        """Rename the old provider, as it says; then nova-compute is able."""
        old = self._get_provider_uuid_by_name('host1')
        self.assertIn('provider set --name', done['what'])
        self.assertIn(old, done['what'])
        inventories = self.placement.get(
            '/resource_providers/%s/inventories' % old).body['inventories']
        self.assertEqual(200, self.placement.put(
            '/resource_providers/%s' % old, {'name': 'old-host1'},
            version='1.20').status)
        self.assertEqual(200, self.placement.post(
            '/resource_providers', {'name': 'host1', 'uuid': node},
            version='1.20').status)
        self._update_inventory(node, {
            'resource_provider_generation': 0, 'inventories': inventories})

    def heal(self, done):
        self.assertIn("'nova-manage placement heal_allocations --force "
                      "--instance %s'" % self.server['id'], done['what'])
        self.assertEqual(0, nova_manage.PlacementCommands().heal_allocations(
            instance_uuid=self.server['id'], force=True))

    def test_unknown_provider(self):
        node = self.register_anew('host1')
        self.rename_old(self.follow(
            self.force_refused(self.server, 'host3')), node)
        refusal = self.force_refused(self.server, 'host3')
        self.assertIn('What it holds is of other', refusal)
        self.heal(self.follow(refusal))
        self.moves()

    def test_nothing(self):
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        refusal = self.force_refused(self.server, 'host3')
        self.assertIn('--idle', self.follow(refusal)['reason'])
        self.acts(refusal, '--idle', '0')
        self.moves()
