# SPDX-License-Identifier: Apache-2.0

import argparse
import contextlib
import io
from unittest import mock

import ddt
import novaclient
from novaclient import api_versions
from novaclient import client
from novaclient import exceptions as nova_exceptions
from novaclient import shell as nova_shell
from novaclient.v2 import shell as stock

from nova_coldmig_client.novaclient import shell
from nova_coldmig_client.tests.unit import base
from nova_coldmig_client import watch


@ddt.ddt
class TestMigrate(base.TestCase):
    def setUp(self):
        super().setUp()
        self.quicken()
        self.addCleanup(setattr, stock, 'do_migrate', stock.do_migrate)
        self.requests.get(base.NOVA + '/servers?name=the-id',
                          json={'servers': [
                              {'id': 'the-id', 'name': 'the-id'}]})
        self.requests.get(base.ACTIONS, json={'instanceActions': []})
        self.install()
        self.post = self.accept()
        self.answers()

    def answers(self, *answers):
        # The first is for the name.
        first = base.server('ACTIVE', 'host1')
        self.requests.get(base.SERVER, [first, first] + list(answers))

    def run_command(self, *args, version='2.96'):
        """Do what the nova shell does between logging in and leaving."""
        version = api_versions.APIVersion(version)
        program = nova_shell.OpenStackComputeShell()
        program.extensions = client.discover_extensions(version)
        program._run_extension_hooks('__pre_parse_args__')
        parsed_args = program.get_subcommand_parser(
            version, argv=[]).parse_args(['migrate'] + list(args))
        nova = client.Client(version, session=self.session,
                             endpoint_override=base.NOVA)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            parsed_args.func(nova, parsed_args)
        return output.getvalue()

    def assertRefused(self, *args, **kwargs):
        return str(self.assertRaises(
            nova_exceptions.CommandError, self.run_command, *args, **kwargs))

    def assertEnds(self, exit_status, *args):
        """Run a command that has to end with a sentence, and return that."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            exc = self.assertRaises(SystemExit, self.run_command, *args)
        self.assertEqual(exit_status, exc.code)
        return errors.getvalue()

    @ddt.data(['--force', 'True', 'the-id', 'host3'],
              ['--force', 'true', '--host', 'host3', 'the-id'],
              ['--force', '1', '--host', 'host3', 'the-id', 'host3'])
    def test_force(self, args):
        self.run_command(*args)
        self.assertEqual({'migrate': {'host': 'host3', 'force': True}},
                         self.post.last_request.json())
        # Above the maximum of novaclient.
        self.assertEqual('compute 2.4711',
                         self.microversion(self.post.last_request))

    @ddt.data((['the-id', 'host3'], {'host': 'host3'}),
              (['--force', 'False', 'the-id', 'host3'], {'host': 'host3'}),
              (['--host', 'host3', 'the-id'], {'host': 'host3'}),
              (['the-id'], {}))
    @ddt.unpack
    def test_not_forced(self, args, body):
        self.run_command(*args)
        self.assertEqual(body, self.post.last_request.json()['migrate'])
        self.assertEqual('compute 2.96',
                         self.microversion(self.post.last_request))

    def test_older_microversion(self):
        self.assertIn('2.56', self.assertRefused('the-id', 'host3',
                                                 version='2.55'))
        self.run_command('the-id', version='2.55')
        self.assertIsNone(self.post.last_request.json()['migrate'])

    @ddt.data((['--force', 'True', 'the-id'], '--force needs a host.'),
              (['--host', 'host2', 'the-id', 'host3'], 'Two hosts are named.'))
    @ddt.unpack
    def test_misuse(self, args, message):
        self.assertEqual(message, self.assertRefused(*args))
        self.assertFalse(self.post.called)

    def test_neither_true_nor_false(self):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            exc = self.assertRaises(SystemExit, self.run_command, '--force',
                                    'perhaps', 'the-id', 'host3')
        self.assertEqual(2, exc.code)
        self.assertIn("argument --force: Unrecognized value 'perhaps'",
                      errors.getvalue())

    def test_cloud_without_the_package(self):
        self.uninstall()
        self.assertIn('does not have the package nova-coldmig',
                      self.assertEnds(3, '--force', 'True', 'the-id', 'h'))

    def test_refused(self):
        self.requests.post(base.SERVER + '/action',
                           **base.error(409, 'It is resized.'))
        self.assertEqual(
            'ERROR (Refused): It is resized. (HTTP 409) (Request-ID: req-1)'
            '\n', self.assertEnds(3, '--force', 'True', 'the-id', 'h'))

    def test_microversion_is_lost(self):
        self.install(headers=base.taken_at('2.1'))
        self.assertIn('so the migration was not asked for', self.assertEnds(
            3, '--force', 'True', 'the-id', 'host3'))
        self.assertFalse(self.post.called)

    def test_microversion_is_lost_at_last(self):
        self.requests.post(base.SERVER + '/action', status_code=202,
                           headers=base.taken_at('2.1'))
        self.assertIn(
            '"nova resize-revert the-id" takes it back, and "nova '
            'resize-confirm the-id" leaves it there.', self.assertEnds(
                7, '--force', 'True', 'the-id', 'host3'))

    def test_answer_is_lost(self):
        self.requests.post(base.SERVER + '/action', status_code=504)
        self.assertIn(
            'Before you try again, look at it with "nova show the-id" and '
            '"nova instance-action-list the-id".', self.assertEnds(
                6, '--force', 'True', 'the-id', 'host3'))

    def test_poll(self):
        self.answers(base.server('RESIZE', 'host1', 'resize_prep'),
                     base.server('VERIFY_RESIZE', 'host3'))
        self.assertEqual(
            'RESIZE (resize_prep)\nVERIFY_RESIZE\n',
            self.run_command('--force', 'True', '--poll', 'the-id', 'host3'))

    def test_poll_tells_the_truth(self):
        self.answers(base.server('ACTIVE', 'host1'))
        self.assertEqual(
            'ERROR (MigrationFailed): The server is ACTIVE on host1: Nova '
            'does not say why.\n',
            self.assertEnds(4, '--force', 'True', '--poll', 'the-id',
                            'host3'))

    def test_poll_gives_up(self):
        self.answers({'status_code': 503})
        self.assertIn('look at it with "nova show the-id"',
                      self.assertEnds(5, '--force', 'True', '--poll',
                                      'the-id', 'host3'))

    def test_interrupted(self):
        errors = io.StringIO()
        with mock.patch.object(watch.Watch, 'wait', autospec=True,
                               side_effect=KeyboardInterrupt):
            with contextlib.redirect_stderr(errors):
                self.assertRaises(
                    KeyboardInterrupt, self.run_command, '--force', 'True',
                    '--poll', 'the-id', 'host3')
        self.assertIn('The migration goes on; look at it with "nova show '
                      'the-id"', errors.getvalue())

    # Releases that this was not made for.

    @ddt.data('17.7.0', '18.5.0')
    def test_too_old(self, version):
        with mock.patch.object(novaclient, '__version__', version):
            self.assertEqual(
                'A forced migration needs python-novaclient 18.6 or newer, '
                'and this is %s.' % version,
                self.assertRefused('--force', 'True', 'the-id', 'host3'))
            self.run_command('the-id', 'host3')

    @ddt.data('18.6.0', '18.13.1.dev2', '20.0.0')
    def test_new_enough(self, version):
        with mock.patch.object(novaclient, '__version__', version):
            self.run_command('--force', 'True', 'the-id', 'host3')

    def test_changed_beyond_recognition(self):
        find = stock._find_server
        self.addCleanup(setattr, stock, '_find_server', find)
        del stock._find_server
        self.assertIn('Use "openstack server migrate --force".',
                      self.assertRefused('--force', 'True', 'the-id', 'h'))

    def test_without_a_command_of_its_own(self):
        with mock.patch.object(shell, '_stock', None):
            exc = self.assertRaises(
                nova_exceptions.CommandError, shell.migrate, None,
                argparse.Namespace(host=None, target=None, force=False))
        self.assertIn('Use "openstack server migrate --force".', str(exc))
