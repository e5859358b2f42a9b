# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
from unittest import mock

from nova import test
from oslo_config import cfg

from nova_coldmig.conf import coldmig
from nova_coldmig import fingerprint
from nova_coldmig import seams
from nova_coldmig import series
from nova_coldmig import start
from nova_coldmig.tests.unit import test_seams

CHANGED = {seams.API: 'nova.compute.api:API.resize',
           seams.CONDUCTOR: 'nova.conductor.tasks.migrate:MigrationTask'}


class StartTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.before = test_seams.snapshot()
        for half in CHANGED:
            self.assertFalse(start.decided(half))
            self.addCleanup(start.reset, half)

    def change(self, half):
        """Have a function of a half not be the one that is known."""
        def changed(targets, tree):
            return [target for target in targets if target == CHANGED[half]]

        self.useFixture(test.fixtures.MockPatchObject(
            fingerprint, 'changed', changed))

    def assertLogged(self, *parts):
        for part in parts:
            self.assertIn(part, self.stdlog.logger.output)


class KnownTreeTest(StartTestCase):

    def test_each_choice_installs(self):
        for choice in ('disable', 'refuse', 'run'):
            self.flags(on_unknown_tree=choice, group='coldmig')
            for half in CHANGED:
                self.assertTrue(start.install(half))
                self.assertTrue(start.decided(half))
                start.reset(half)
                self.assertFalse(start.decided(half))
        self.assertEqual(self.before, test_seams.snapshot())
        self.assertNotIn('untested', self.stdlog.logger.output)


class UnknownTreeTest(StartTestCase):

    def test_disable(self):
        for half, target in CHANGED.items():
            self.change(half)
            self.assertFalse(start.install(half))
            self.assertTrue(start.decided(half))
            self.assertEqual(self.before, test_seams.snapshot())
            self.assertLogged('ERROR', target, 'Install a nova-coldmig',
                              'Until then Nova runs as it is')

    def test_is_decided_once(self):
        """As for the two routers that api-paste.ini has."""
        self.change(seams.API)
        start.install(seams.API)
        with mock.patch.object(fingerprint, 'changed', autospec=True,
                               return_value=[]):
            self.assertFalse(start.install(seams.API))
        self.assertEqual(
            1, self.stdlog.logger.output.count('Until then Nova runs'))

    def test_refuse(self):
        self.flags(on_unknown_tree='refuse', group='coldmig')
        for half, target in CHANGED.items():
            self.change(half)
            exc = self.assertRaises(
                series.UnsupportedNova, start.install, half)
            self.assertIn(target, str(exc))
            self.assertIn('[coldmig]on_unknown_tree = refuse', str(exc))
            self.assertEqual(self.before, test_seams.snapshot())
            self.assertLogged('CRITICAL', target)

    def test_run(self):
        self.flags(on_unknown_tree='run', group='coldmig')
        for half, target in CHANGED.items():
            self.change(half)
            self.assertTrue(start.install(half))
            self.assertLogged('WARNING', target, 'untested')

    def test_api_does_not_offer_what_the_conductor_would_not_do(self):
        self.change(seams.CONDUCTOR)
        self.assertFalse(start.install(seams.API))
        self.assertEqual(self.before, test_seams.snapshot())
        self.assertLogged(CHANGED[seams.CONDUCTOR])

    def test_conductor_does_without_the_api(self):
        self.change(seams.API)
        self.assertTrue(start.install(seams.CONDUCTOR))

    def test_a_seam_that_fails(self):
        """Nova runs as it is, whatever was asked for, unless it refuses."""
        for choice in ('disable', 'run'):
            self.flags(on_unknown_tree=choice, group='coldmig')
            for half in CHANGED:
                with mock.patch.object(seams.Value, 'make', autospec=True,
                                       side_effect=RuntimeError('Made up')):
                    self.assertFalse(start.install(half))
                self.assertEqual(self.before, test_seams.snapshot())
                start.reset(half)
        self.flags(on_unknown_tree='refuse', group='coldmig')
        with mock.patch.object(seams.Value, 'make', autospec=True,
                               side_effect=RuntimeError('Made up')):
            exc = self.assertRaises(
                series.UnsupportedNova, start.install, seams.API)
        self.assertIn('Made up', str(exc))


class OnUnknownTreeTest(StartTestCase):

    def _choice(self, **options):
        path = Path(self.useFixture(test.fixtures.TempDir()).join('nova.conf'))
        path.write_text('[coldmig]\n' + ''.join(
            '%s = %s\n' % option for option in options.items()))
        conf = cfg.ConfigOpts()
        coldmig.register_opts(conf)
        conf([], default_config_files=[str(path)])
        with mock.patch.object(start, 'CONF', new=conf):
            return start.on_unknown_tree()

    def test_default(self):
        self.assertEqual('disable', self._choice())

    def test_deprecated_option(self):
        self.assertEqual('run', self._choice(allow_untested_tree='true'))
        self.assertLogged('allow_untested_tree', 'deprecated')

    def test_deprecated_option_that_is_false(self):
        self.assertEqual('disable', self._choice(allow_untested_tree='false'))

    def test_new_option_wins(self):
        for choice in ('disable', 'refuse', 'run'):
            self.assertEqual(choice, self._choice(
                on_unknown_tree=choice, allow_untested_tree='true'))

    def test_what_can_not_be_read(self):
        for options in ({'on_unknown_tree': 'refused'},
                        {'on_unknown_tree': '$no_such_option'},
                        {'allow_untested_tree': 'perhaps'}):
            self.assertEqual('disable', self._choice(**options))
            self.assertLogged('says of unknown trees can not be read',
                              *[value.lstrip('$')
                                for value in options.values()])
