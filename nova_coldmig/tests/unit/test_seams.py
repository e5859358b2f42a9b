# SPDX-License-Identifier: Apache-2.0

import inspect
from pathlib import Path
from unittest import mock

from nova.api.openstack import api_version_request
from nova.api.openstack.compute import extension_info
from nova.api.openstack.compute import migrate_server
from nova.api.openstack.compute import versions
from nova.conductor import manager
from nova import policy
from nova import service
from nova import test

from nova_coldmig import fingerprint
from nova_coldmig import seams
from nova_coldmig import series
from nova_coldmig.tests import fixtures

TREE = series.detect()
RULE = 'os_compute_api:os-migrate-server:migrate:force'


def snapshot():
    """Tell all that the seams change, by identity where that matters."""
    return {
        'maximum': api_version_request._MAX_API_VERSION,
        'defaults': api_version_request.is_supported.__defaults__,
        'version': versions.VERSIONS['v2.1']['version'],
        'migrate': vars(migrate_server.MigrateServerController)['_migrate'],
        'policies': [rule.name for rule in
                     migrate_server.ms_policies.list_rules()],
        'enforced': RULE in policy._ENFORCER.registered_rules,
        'extensions': [entry['alias'] for entry in
                       extension_info.EXTENSION_LIST],
        'manager': service.SERVICE_MANAGERS['nova-conductor'],
        'tasks': manager.ComputeTaskManager,
    }


class SeamsTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        for half in seams.installed():
            self.fail('%s was installed before' % half)
        policy.init(suppress_deprecation_warnings=True)
        self.before = snapshot()

    def test_install_and_uninstall(self):
        with fixtures.ColdmigFixture():
            after = snapshot()
            self.assertEqual(
                {seams.API, seams.CONDUCTOR}, seams.installed())
        self.assertEqual(self.before, snapshot())
        self.assertEqual(frozenset(), seams.installed())

        self.assertEqual(TREE.microversion, after['maximum'])
        self.assertEqual(TREE.microversion, after['version'])
        self.assertIn(RULE, after['policies'])
        self.assertTrue(after['enforced'])
        self.assertIn('os-migrate-server-force', after['extensions'])
        self.assertIsNot(self.before['migrate'], after['migrate'])
        self.assertIsNot(self.before['tasks'], after['tasks'])
        self.assertTrue(issubclass(after['tasks'], self.before['tasks']))
        if TREE.maximum_in_defaults:
            self.assertEqual(('2.1', TREE.microversion), after['defaults'])
        else:
            self.assertEqual(self.before['defaults'], after['defaults'])

    def test_install_twice_is_once(self):
        with fixtures.ColdmigFixture():
            once = snapshot()
            seams.install(seams.API)
            seams.install(seams.CONDUCTOR)
            self.assertEqual(once, snapshot())
            # Of the two, the one that installed takes it out.
            with fixtures.ColdmigFixture():
                self.assertEqual(once, snapshot())
            self.assertEqual(once, snapshot())
        self.assertEqual(self.before, snapshot())

    def test_install_again(self):
        for _again in range(3):
            with fixtures.ColdmigFixture():
                self.assertEqual(TREE.microversion, snapshot()['maximum'])
        self.assertEqual(self.before, snapshot())

    def test_halves_are_apart(self):
        with fixtures.ColdmigFixture([seams.CONDUCTOR]):
            self.assertEqual(
                dict(snapshot(), manager=None, tasks=None),
                dict(self.before, manager=None, tasks=None))
        with fixtures.ColdmigFixture([seams.API]):
            self.assertIs(self.before['tasks'], snapshot()['tasks'])

    def test_policy_of_a_later_enforcer(self):
        policy.reset()
        with fixtures.ColdmigFixture():
            policy.init(suppress_deprecation_warnings=True)
            self.assertIn(RULE, policy._ENFORCER.registered_rules)

    def _refused(self, *parts):
        """Check that the API half is refused, and that Nova stays as it is.

        :returns: str, the reason.
        """
        exc = self.assertRaises(
            series.UnsupportedNova, seams.install, seams.API)
        for part in parts:
            self.assertIn(part, str(exc))
        self.assertTrue(str(exc).endswith(
            'Install a nova-coldmig release made for it.'), exc)
        self.assertEqual(self.before, snapshot())
        self.assertEqual(frozenset(), seams.installed())

    def test_changed_function_is_refused(self):
        target = 'nova.compute.api:API.resize'
        with mock.patch.object(fingerprint, 'changed', autospec=True,
                               return_value=[target]):
            self._refused(target)

    def test_changed_function_may_be_installed_into(self):
        with mock.patch.object(fingerprint, 'changed', autospec=True,
                               return_value=['nova.compute.api:API.resize']):
            with fixtures.ColdmigFixture(untested=True):
                self.assertEqual(TREE.microversion, snapshot()['maximum'])
        self.assertIn('untested', self.stdlog.logger.output)

    def test_what_can_not_be_compared_is_refused(self):
        """Whatever is the reason for that."""
        directory = self.useFixture(test.fixtures.TempDir()).path
        self.useFixture(fixtures.fixtures.MonkeyPatch(
            'nova_coldmig.fingerprint._DIRECTORY', Path(directory)))
        record = Path(directory) / (TREE.name + '.json')
        self._refused('nova.compute.api:API.resize is not the one')
        record.write_text('{"nova.compute.api:API.resize": [')
        self._refused('JSONDecodeError')
        record.write_bytes(b'\xff\xfe')
        self._refused('UnicodeDecodeError')
        record.write_text('[]')
        self._refused('nova.compute.api:API.resize is not the one')
        record.unlink()
        record.mkdir()
        self._refused('IsADirectoryError')

    def test_source_that_can_not_be_read_is_refused(self):
        for error in (OSError, TypeError, SyntaxError, RuntimeError):
            with mock.patch('inspect.getsource', autospec=True,
                            side_effect=error):
                self._refused('nova.compute.api:API.resize is not the one')

    def test_other_maximum_is_refused(self):
        """A tree with a microversion of its own is not the one we know."""
        self.useFixture(fixtures.fixtures.MonkeyPatch(
            'nova.api.openstack.api_version_request._MAX_API_VERSION',
            '2.500'))
        exc = self.assertRaises(
            series.UnsupportedNova, seams.install, seams.API)
        self.assertIn('the maximum microversion is 2.500', str(exc))
        with fixtures.ColdmigFixture([seams.API], untested=True):
            self.assertEqual('2.501', snapshot()['maximum'])

    def test_maximum_that_is_gone_is_refused(self):
        module = mock.Mock(spec=['is_supported'])
        with mock.patch.object(seams, '_api_version_request', autospec=True,
                               return_value=module):
            self._refused('_MAX_API_VERSION')

    @mock.patch.object(series.metadata, 'version', autospec=True,
                       return_value='35.0.0')
    def test_unknown_series(self, version):
        for half in (seams.API, seams.CONDUCTOR):
            self.assertRaises(series.UnsupportedNova, seams.install, half)
        self.assertEqual(self.before, snapshot())
        # Nothing of the newest series is taken for granted.
        with fixtures.ColdmigFixture(untested=True):
            self.assertEqual(
                TREE.max_microversion, self.before['maximum'])
            after = snapshot()
            self.assertEqual(TREE.microversion, after['maximum'])
            self.assertEqual(TREE.microversion, after['version'])
            if TREE.maximum_in_defaults:
                self.assertEqual(('2.1', TREE.microversion),
                                 after['defaults'])
        self.assertIn('this is Nova 35.0.0', self.stdlog.logger.output)
        self.assertEqual(self.before, snapshot())

    @mock.patch.object(series.metadata, 'version', autospec=True)
    def test_unknown_version(self, version):
        for absent in (series.metadata.PackageNotFoundError, [None] * 99):
            version.side_effect = absent
            exc = self.assertRaises(
                series.UnsupportedNova, seams.install, seams.API)
            self.assertIn('does not tell its version', str(exc))
            with fixtures.ColdmigFixture(untested=True):
                self.assertEqual(TREE.microversion, snapshot()['maximum'])
            self.assertEqual(self.before, snapshot())

    def test_a_seam_that_fails_takes_back_the_others(self):
        for kind in (seams.Attribute, seams.Value, seams.Element, seams.Call):
            for untested in (False, True):
                with mock.patch.object(kind, 'make', autospec=True,
                                       side_effect=RuntimeError('Made up')):
                    exc = self.assertRaises(
                        series.UnsupportedNova, seams.install, seams.API,
                        untested)
                self.assertIn('RuntimeError: Made up', str(exc))
                self.assertEqual(self.before, snapshot())
                self.assertEqual(frozenset(), seams.installed())

    def test_a_policy_file_that_can_not_be_read_takes_back_the_rule(self):
        with mock.patch.object(policy._ENFORCER, 'load_rules', autospec=True,
                               side_effect=ValueError('Made up')):
            self.assertRaises(
                series.UnsupportedNova, seams.install, seams.API)
        self.assertEqual(self.before, snapshot())

    def test_each_row_says_why(self):
        for seam in seams.SEAMS:
            self.assertTrue(seam.why.endswith('.'), seam)
            owner, name = fingerprint.resolve(seam.by)
            self.assertTrue(inspect.isfunction(getattr(owner, name)), seam)
            self.assertTrue(inspect.getdoc(getattr(owner, name)), seam)
