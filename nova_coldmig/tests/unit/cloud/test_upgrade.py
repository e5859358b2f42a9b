# SPDX-License-Identifier: Apache-2.0

import io
import itertools
from unittest import mock

from cloud import cloud as clouds
from cloud import layout as layouts
from cloud.trials import upgrade
from cloud import world as worlds
import fixtures

from nova_coldmig.tests.unit import cloud

CONDUCTOR, API = 'super-conductor', 'nova-api'


class UpgradeTest(cloud.CloudTest):
    """What is done, in which order, and what ends it.

    The cloud and its servers are pretended: a migration goes on unless its
    step is held, and the conductors are asked in turn.
    """

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', io.StringIO()))
        self.cloud = mock.create_autospec(clouds.Cloud, instance=True)
        self.runs, self.done, self.held = {}, [], False
        self.cloud.run_from.side_effect = self._run_from
        self.cloud.end_beside.side_effect = lambda: self.runs.pop(
            layouts.BESIDE, None)
        self.cloud.pause.side_effect = lambda host, step: self._hold(True)
        self.cloud.resume.side_effect = lambda host, step: self._hold(False)
        self.world = mock.create_autospec(worlds.World, instance=True)
        self.world.cloud = self.cloud
        self.world.boot.side_effect = map('server{}'.format,
                                          itertools.count())
        self.turns = itertools.count()
        self.servers = {}
        self.world.migrate.side_effect = self._migrate
        self.world.migrations.side_effect = self._migrations
        self.world.record.side_effect = self._record
        self.world.act.side_effect = self._act
        self.world.sql.side_effect = lambda query: [
            [name] for name in self._asked(query)]
        self.upgrade = upgrade.Upgrade(self.world)

    def _run_from(self, environment, names):
        self.runs.update(dict.fromkeys(names, environment))
        self.done.append((environment, list(names), self.held))

    def _hold(self, held):
        self.held = held

    def _conductors(self):
        return ['controller'] + [layouts.BESIDE] * (
            layouts.BESIDE in self.runs)

    def _migrate(self, server, host):
        conductors = self._conductors()
        there = self.servers.get(server)
        held = self.held and host == worlds.DESTINATION
        self.servers[server] = {
            'status': 'post-migrating' if held else 'finished',
            'source_compute': there['dest_compute'] if there else
            worlds.SOURCE, 'dest_compute': host,
            'by': (there or {'by': set()})['by'] | {
                conductors[next(self.turns) % len(conductors)]},
            'made_by': self.runs[CONDUCTOR], 'new': held}
        return 202

    def _migrations(self, server):
        # Nothing is there when it is first looked for.
        if self.servers[server].pop('new', False):
            return []
        return [self.servers[server]]

    def _asked(self, query):
        server, = [name for name in self.servers if "'%s'" % name in query]
        return self.servers[server]['by']

    def _record(self, server):
        if not self.held:
            self.servers[server]['status'] = 'finished'
        on_its_way = self.servers[server]['status'] != 'finished'
        return ('a', 'active', 'resize_finish') if on_its_way else (
            'a', 'resized', None)

    def _act(self, server, body):
        answer, = body
        self.done.append((answer, self.servers[server]['made_by'],
                          dict(self.runs)))
        return 204 if answer == 'confirmResize' else 202

    def test_order(self):
        """Conductors come first, and the moves that are held go on last."""
        self.upgrade.run()
        self.assertEqual([
            (layouts.RELEASE, [CONDUCTOR, API], False),
            (layouts.TREE, [layouts.BESIDE], True),
            (layouts.TREE, [CONDUCTOR], True),
            (layouts.TREE, [API], True),
            (layouts.RELEASE, [layouts.BESIDE], True),
            (layouts.RELEASE, [CONDUCTOR], True),
            (layouts.RELEASE, [API], True),
            (layouts.TREE, [CONDUCTOR, API], False)],
            [step for step in self.done if isinstance(step[1], list)])

    def test_each_is_answered_by_the_other(self):
        self.upgrade.run()
        answers = [(answer, made_by, runs)
                   for answer, made_by, runs in self.done
                   if isinstance(runs, dict) and layouts.BESIDE not in runs]
        for answer, made_by, runs in answers:
            other, = {layouts.TREE, layouts.RELEASE} - {made_by}
            self.assertEqual({CONDUCTOR: other, API: other}, runs)
        self.assertEqual(
            ['confirmResize', 'revertResize'] * 2 + ['confirmResize'],
            [answer for answer, made_by, _ in answers
             if made_by == layouts.RELEASE])
        self.assertEqual(10, self.upgrade.passed)

    def test_one_conductor_gets_all(self):
        """Then nothing was shown of two beside each other."""
        self.turns = itertools.repeat(0)
        error = self.assertRaises(worlds.Wrong, self.upgrade.run)
        self.assertIn('each went to controller', str(error))
        self.assertFalse(self.held)
        self.assertEqual({CONDUCTOR: layouts.TREE, API: layouts.TREE},
                         self.runs)

    def test_a_server_that_is_not_in_order(self):
        self.world.check_in_order.side_effect = worlds.Wrong('two guests')
        with mock.patch.object(worlds, 'until', autospec=True,
                               side_effect=lambda what, done, **_: done()):
            error = self.assertRaises(worlds.Wrong, self.upgrade.run)
        self.assertEqual('two guests', str(error))
