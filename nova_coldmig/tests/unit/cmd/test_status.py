# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
import threading
from unittest import mock

from nova import objects
from nova import servicegroup
from nova import test
from oslo_db import exception as db_exc
import oslo_messaging as messaging
from oslo_upgradecheck import upgradecheck

from nova_coldmig import activation
from nova_coldmig.cmd import status
from nova_coldmig.conductor import rpcapi
from nova_coldmig import fingerprint
from nova_coldmig import series

SUCCESS, WARNING, FAILURE = (
    upgradecheck.Code.SUCCESS, upgradecheck.Code.WARNING,
    upgradecheck.Code.FAILURE)


class CheckTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.checks = status.Checks()

    def assertResult(self, result, code, *parts):
        self.assertEqual(code, result.code, result.details)
        for part in parts:
            self.assertIn(part, result.details)


class TreeTest(CheckTestCase):

    def test_tested(self):
        tree = series.detect()
        self._known(tree.tested, 'nova-coldmig was tested with Nova %s.' %
                    tree.tested)

    def _known(self, version, expected):
        with mock.patch.object(series.metadata, 'version', autospec=True,
                               return_value=version):
            result = self.checks._check_tree()
        self.assertEqual((SUCCESS, expected), (result.code, result.details))

    def test_other_releases_were_not_tested(self):
        tree = series.detect()
        text = ('nova-coldmig was tested with Nova %s. This is Nova %s, and '
                'every function of it that is replaced or relied on is as in '
                'a release of %s.')
        other = '%d.98.0' % tree.major
        self._known(other, text % (tree.tested, other, tree.name))
        development = '%d.98.0.dev9' % tree.major
        self._known(development, text % (
            tree.tested, development + ', a development version', tree.name))

    def _unknown(self, **options):
        self.flags(group='coldmig', **options)
        return self.checks._check_tree()

    def test_unknown(self):
        self.useFixture(test.fixtures.MockPatchObject(
            fingerprint, 'changed', side_effect=lambda targets, tree: [
                'nova.x:y' if 'nova.compute.api:API.resize' in targets
                else 'nova.x:z']))
        # Of both halves.
        names = ('nova.x:y', 'nova.x:z', 'Install a nova-coldmig release')
        self.assertResult(
            self._unknown(), FAILURE, 'run as Nova does', *names)
        self.assertResult(self._unknown(on_unknown_tree='refuse'), FAILURE,
                          'do not start', *names)
        self.assertResult(self._unknown(on_unknown_tree='run'), WARNING,
                          'run with it nevertheless', *names)

    def test_a_reason_is_given_once(self):
        with mock.patch.object(series.metadata, 'version', autospec=True,
                               return_value='35.0.0'):
            result = self.checks._check_tree()
        self.assertEqual(1, result.details.count('this is Nova 35.0.0'))

    def test_no_version(self):
        with mock.patch.object(
                series.metadata, 'version', autospec=True,
                side_effect=series.metadata.PackageNotFoundError):
            self.assertResult(self.checks._check_tree(), FAILURE,
                              'does not tell its version')


class ApiPasteTest(CheckTestCase):

    def setUp(self):
        super().setUp()
        self.home = Path(self.useFixture(test.fixtures.TempDir()).path)
        self.useFixture(test.fixtures.EnvironmentVariable(
            'OS_NOVA_CONFIG_DIR', str(self.home / 'nowhere')))
        self.useFixture(test.fixtures.EnvironmentVariable(
            'OS_NOVA_CONFIG_FILES', None))

    def _write(self, path, factory):
        path.parent.mkdir(exist_ok=True)
        path.write_text('[app:osapi_compute_app_v21]\n%s\n' % factory)

    def _check(self, factory):
        path = self.home / 'a.ini'
        self._write(path, factory)
        self.flags(api_paste_config=str(path), group='wsgi')
        return self.checks._check_api_paste()

    def test_active(self):
        self.assertResult(self._check(
            'paste.app_factory = '
            'nova_coldmig.api.openstack.compute:router_factory'), SUCCESS,
            str(self.home / 'a.ini'))

    def test_file_of_the_wsgi_server(self):
        """Which is not the one of the option."""
        ours = 'paste.app_factory = ' + activation.ROUTER_FACTORY
        plain = 'paste.app_factory = nova:factory'
        read = self.home / 'nowhere' / 'api-paste.ini'
        self._write(read, plain)
        self.assertResult(self._check(ours), WARNING, str(read))
        self._write(read, ours)
        self.assertResult(self._check(ours), SUCCESS, str(read))
        self.useFixture(test.fixtures.EnvironmentVariable(
            'OS_NOVA_CONFIG_FILES', 'b.ini;nova.conf'))
        self.assertResult(self._check(ours), SUCCESS)
        self._write(self.home / 'nowhere' / 'b.ini', plain)
        self.assertResult(self._check(ours), WARNING, 'b.ini')

    def test_not_active(self):
        self.assertResult(self._check(
            'paste.app_factory = '
            'nova.api.openstack.compute:APIRouterV21.factory'), WARNING,
            'Set it to nova_coldmig.api.openstack.compute:router_factory')

    def test_unreadable(self):
        self.assertResult(self._check(''), FAILURE, 'can not be read')
        (self.home / 'a.ini').write_bytes(b'\xff\xfe')
        self.assertResult(self.checks._check_api_paste(), FAILURE,
                          'can not be read')
        (self.home / 'a.ini').unlink()
        (self.home / 'a.ini').mkdir()
        self.assertResult(self.checks._check_api_paste(), FAILURE,
                          'can not be read')

    def test_not_here(self):
        self.flags(api_paste_config='/no/such/file', group='wsgi')
        self.assertResult(self.checks._check_api_paste(), WARNING,
                          'where nova-api runs')


class ConductorsTest(CheckTestCase):

    def setUp(self):
        super().setUp()
        self.services = self.useFixture(test.fixtures.MockPatchObject(
            objects.ServiceList, 'get_by_binary', return_value=[
                objects.Service(host='one'), objects.Service(host='two'),
                objects.Service(host='down')])).mock
        self.useFixture(test.fixtures.MockPatchObject(
            servicegroup, 'API')).mock.return_value.service_is_up = (
                lambda service: service.host != 'down')
        self.version = self.useFixture(test.fixtures.MockPatchObject(
            rpcapi, 'ConductorAPI', autospec=True)).mock.return_value.version

    def test_all_know_force(self):
        self.version.return_value = '1.0.0'
        self.assertResult(self.checks._check_conductors(), SUCCESS,
                          'one, two')

    def test_one_does_not(self):
        self.version.side_effect = ['1.0.0', None]
        self.assertResult(self.checks._check_conductors(), FAILURE,
                          'nova-conductor on two does not know force',
                          'Start nova-coldmig-conductor')

    def test_one_is_silent(self):
        self.version.side_effect = ['1.0.0', messaging.MessagingTimeout]
        self.assertResult(self.checks._check_conductors(), WARNING,
                          'nova-conductor on two did not answer')

    def _elsewhere(self):
        """The ways in which nova-api has another database."""
        self.services.return_value = [objects.Service(host='down')]
        yield
        self.services.side_effect = db_exc.CantStartEngineError
        yield

    def test_elsewhere(self):
        self.version.return_value = '1.0.0'
        for _way in self._elsewhere():
            self.assertResult(self.checks._check_conductors(), SUCCESS,
                              'One of those on [DEFAULT]transport_url')
            context, host = self.version.call_args.args
            self.assertIsNone(host)
            self.assertTrue(context.is_admin)

    def test_elsewhere_and_does_not_know_force(self):
        self.version.return_value = None
        for _way in self._elsewhere():
            self.assertResult(self.checks._check_conductors(), FAILURE,
                              'A nova-conductor on [DEFAULT]transport_url',
                              'Start nova-coldmig-conductor')

    def test_none_is_up(self):
        self.version.side_effect = messaging.MessagingTimeout
        for _way in self._elsewhere():
            self.assertResult(self.checks._check_conductors(), FAILURE,
                              'No nova-conductor is up',
                              'none answers on [DEFAULT]transport_url')

    def test_silent_among_others(self):
        """Each is asked, and none keeps the others waiting."""
        asked = threading.Event()
        self.addCleanup(asked.set)

        def version(context, host=None):
            if host == 'one':
                asked.wait()
            return '1.0.0'

        self.version.side_effect = version
        with mock.patch.object(status, 'CONDUCTORS', new=0.5):
            self.assertResult(self.checks._check_conductors(), WARNING,
                              'nova-conductor on one did not answer')

    def test_broker_refuses(self):
        self.version.side_effect = Exception('ACCESS_REFUSED')
        self.assertResult(self.checks._check_conductors(), FAILURE,
                          'can not be asked', 'ACCESS_REFUSED')

    def test_no_database(self):
        self.services.side_effect = db_exc.DBError(
            'no such table: services\n[SQL: SELECT 1]\n(Background on this '
            'error at: https://sqlalche.me/e/20/e3q8)')
        self.assertResult(self.checks._check_conductors(), FAILURE,
                          '[database]connection can not be read: no such '
                          'table: services. Run this')

    def test_silent_database(self):
        ended = threading.Event()
        self.addCleanup(ended.set)
        self.services.side_effect = lambda *args: ended.wait()
        with mock.patch.object(status, 'DATABASE', new=0.1):
            self.assertResult(self.checks._check_conductors(), FAILURE,
                              'did not answer within')


class GuardTest(CheckTestCase):

    def test_a_check_that_breaks_is_a_verdict(self):
        """And the results of the others are kept."""
        for name, check in status.Checks._upgrade_checks:
            with mock.patch.object(series, 'detect', autospec=True,
                                   side_effect=ValueError('Made up')), \
                 mock.patch.object(status, '_api_paste_files', autospec=True,
                                   side_effect=ValueError('Made up')), \
                 mock.patch.object(status, '_hosts_up', autospec=True,
                                   side_effect=ValueError('Made up')):
                self.assertResult(check(self.checks), FAILURE, 'Made up')


class ConductorAPITest(test.NoDBTestCase):
    """Over a transport, with a conductor that has the endpoint or has not."""

    def _version(self, endpoints):
        from nova import context as nova_context
        from nova import rpc
        server = rpc.get_server(
            messaging.Target(topic='conductor', server='one'), endpoints)
        server.start()
        self.addCleanup(server.wait)
        self.addCleanup(server.stop)
        return {rpcapi.ConductorAPI().version(
            nova_context.get_admin_context(), *host)
            for host in (('one',), ())}

    def test_ours(self):
        version, = self._version([rpcapi.ConductorEndpoint()])
        self.assertTrue(version)

    def test_not_ours(self):
        self.assertEqual({None}, self._version([mock.Mock(
            spec=['target'], target=messaging.Target(version='3.0'))]))
