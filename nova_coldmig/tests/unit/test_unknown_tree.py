# SPDX-License-Identifier: Apache-2.0

"""What each way to start does on a Nova that is not known.

Each runs in a process of its own, as its service does, up to where it would
serve. What is told of Nova there is compared with what a Nova without the
package tells.
"""

import copy
import json
import os
from pathlib import Path
import subprocess
import sys

from nova import test

from nova_coldmig import series
from nova_coldmig.tests.sandbox import paste_ini

TREE = series.detect()
RULE = 'os_compute_api:os-migrate-server:migrate:force'

SCRIPT = '''
from importlib import metadata
import json
from pathlib import Path
import sys

from nova_coldmig.wsgi import after_import

version = metadata.version


class Faults:
    """Why a Nova is not known. Nothing of Nova is imported for it."""

    def none(self):
        pass

    def api_changed(self):
        def other(self, *args, **kwargs):
            """Not the one that is known."""

        after_import.call(
            'nova.compute.api',
            lambda module: setattr(module.API, 'resize', other))

    def conductor_changed(self):
        def other(context, instance, migration):
            """Not the one that is known."""

        after_import.call(
            'nova.conductor.tasks.migrate', lambda module: setattr(
                module, 'replace_allocation_with_migration', other))

    def moved(self):
        after_import.call('nova.service', lambda module: delattr(
            module, 'SERVICE_MANAGERS'))

    def unreadable(self):
        from nova_coldmig import fingerprint
        fingerprint._DIRECTORY = Path(sys.argv[0]).parent / 'fingerprints'

    def major(self):
        metadata.version = lambda name: (
            '35.0.0' if name == 'nova' else version(name))

    def absent(self):
        def fail(name):
            if name == 'nova':
                raise metadata.PackageNotFoundError(name)
            return version(name)

        metadata.version = fail

    def unchangeable(self):
        def change(seams):
            def fail(*args):
                raise RuntimeError('Made up')

            # Some are applied by then.
            seams.Value.make = fail

        after_import.call('nova_coldmig.seams', change)


def nova():
    if tree_has_module:
        from nova.wsgi import osapi_compute
        return osapi_compute.application
    from nova.api.openstack.compute import wsgi
    return wsgi.init_application()


def wsgi():
    from nova_coldmig.wsgi import osapi_compute
    return osapi_compute.application


def ask(application):
    """Tell what clients see, byte for byte, and what else may differ."""
    import webob
    from nova.api.openstack.compute import migrate_server
    from nova import context
    from nova import policies
    from nova import policy
    told = {}
    for path in ('/', '/v2', '/v2/', '/v2.1', '/v2.1/', '/v2.1/extensions',
                 '/v2/extensions',
                 '/v2.1/extensions/os-migrate-server-force'):
        for microversion in ('2.1', 'latest'):
            request = webob.Request.blank(path)
            request.environ['nova.context'] = context.get_admin_context()
            request.headers['OpenStack-API-Version'] = (
                'compute ' + microversion)
            response = request.get_response(application)
            told[path + ' ' + microversion] = (
                response.status, sorted(
                    header for header in response.headers.items()
                    if 'equest-id' not in header[0].lower()),
                response.text)
    told['rules'] = [rule.name for rule in policies.list_rules()]
    told['enforced'] = sorted(policy._ENFORCER.registered_rules)
    told['migrate'] = (
        migrate_server.MigrateServerController._migrate.__module__)
    return told


def serve_api(entry):
    def stub(wsgi_app):
        # It writes to the database.
        wsgi_app._setup_service = lambda host, name: None

    after_import.call('nova.api.openstack.wsgi_app', stub)
    return ask(entry())


def serve_conductor(main):
    told = {}

    def create(**kwargs):
        from nova.conductor import manager
        from nova import service
        managers = getattr(service, 'SERVICE_MANAGERS', None)
        told.update(
            kwargs, managers=managers, host=service.CONF.host,
            program=sys.argv[0],
            tasks=manager.ComputeTaskManager.__module__)

    def stub(service):
        service.Service.create = create
        service.serve = lambda server, workers: None
        service.wait = lambda: None

    after_import.call('nova.service', stub)
    main()
    return told


def nova_conductor():
    from nova.cmd import conductor
    sys.argv[0] = 'nova-conductor'
    conductor.main()


def coldmig_conductor():
    from nova_coldmig.cmd import conductor
    conductor.main()


ENTRIES = {
    'nova': (serve_api, nova),
    'paste': (serve_api, nova),
    'wsgi': (serve_api, wsgi),
    'nova-conductor': (serve_conductor, nova_conductor),
    'conductor': (serve_conductor, coldmig_conductor),
}

entry, fault, tree_has_module, *sys.argv[1:] = sys.argv[1:]
tree_has_module = tree_has_module == 'True'
getattr(Faults(), fault)()
serve, start = ENTRIES[entry]
told = serve(start)
modules = sorted(name for name in sys.modules
                 if name.startswith('nova_coldmig.'))
print('-- What it told:' + json.dumps([told, modules]), flush=True)
'''

SEPARATOR = '-- What it told:'

#: What may be imported of the package by a Nova that runs as it is.
NEUTRAL = {
    'nova_coldmig.' + name for name in (
        'api', 'api.openstack', 'api.openstack.compute', 'cmd',
        'cmd.conductor', 'conf', 'conf.coldmig', 'fingerprint',
        'fingerprints', 'seams', 'series', 'start', 'wsgi',
        'wsgi.after_import', 'wsgi.osapi_compute')}

#: By fault, what names it in the log.
FAULTS = {
    'api_changed': 'nova.compute.api:API.resize is not the one of Nova',
    'conductor_changed': 'nova.conductor.tasks.migrate:'
                         'replace_allocation_with_migration is not the one',
    'moved': 'could not change nova.service:SERVICE_MANAGERS/nova-conductor',
    'unreadable': 'JSONDecodeError',
    'major': 'this is Nova 35.0.0',
    'absent': 'does not tell its version',
    'unchangeable': 'RuntimeError: Made up',
}


class UnknownTreeTestCase(test.NoDBTestCase):

    TIMEOUT_SCALING_FACTOR = 4

    #: By arguments, what a process told. It tells the same each time.
    _told = {}

    def setUp(self):
        super().setUp()
        self.home = Path(self.useFixture(test.fixtures.TempDir()).path)
        self.script = self.home / 'script.py'
        self.script.write_text(SCRIPT)
        (self.home / 'fingerprints').mkdir()
        for row in series.SERIES:
            (self.home / 'fingerprints' / (row.name + '.json')).write_text(
                '{"nova')

    def run_entry(self, entry, fault='none', choice=None):
        """Start a service.

        :param choice: str, of [coldmig]on_unknown_tree, or None.
        :returns: tuple of an int, the exit status, what the process told, its
            modules of the package, and what it logged.
        """
        # Without Keystone.
        paste = Path(paste_ini.find()).read_text().replace(
            ' authtoken keystonecontext', '')
        if entry == 'paste':
            paste = paste_ini.activate(paste)
        (self.home / 'api-paste.ini').write_text(paste)
        conf = self.home / 'nova.conf'
        conf.write_text(
            '[DEFAULT]\nhost = named\nstate_path = %s\n'
            'transport_url = fake:/\n%s' % (
                self.home, '[coldmig]\non_unknown_tree = %s\n' % choice
                if choice else ''))
        environment = dict(
            os.environ, OS_NOVA_CONFIG_DIR=str(self.home),
            # What pbr tells for a Nova without a version.
            PBR_VERSION='%d.0.0' % TREE.major)
        # Each selects the threading model that its service has.
        environment.pop('OS_NOVA_DISABLE_EVENTLET_PATCHING', None)
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', str(self.script), entry, fault,
             str(TREE.major > 29), '--config-file', str(conf)],
            env=environment, stdout=subprocess.PIPE,
            # oslo.log writes to the one, Python to the other.
            stderr=subprocess.STDOUT, text=True)
        log, _separator, told = done.stdout.rpartition(SEPARATOR)
        if done.returncode:
            return done.returncode, None, set(), done.stdout
        told, modules = json.loads(told)
        return 0, told, set(modules), log

    def assertStarts(self, *args):
        if args not in self._told:
            status, told, modules, log = self.run_entry(*args)
            self.assertEqual(0, status, log)
            self._told[args] = told, modules, log
        return copy.deepcopy(self._told[args])


class EntryTests:
    """Tests of one way to start, beside the one of Nova.

    What differs between the reasons is tested in test_seams, without a
    process for each. Here each reason is met by some service.
    """

    nova = entry = None
    #: By choice, the faults to start with.
    disable = refuse = run_all_the_same = ()

    def assertServes(self, told):
        """Check that the half is there."""
        raise NotImplementedError()

    def test_known(self):
        """So that the rest tells something."""
        expected, modules, _log = self.assertStarts(self.nova)
        self.assertEqual(set(), modules - NEUTRAL)
        told, modules, log = self.assertStarts(self.entry)
        self.assertServes(told)
        self.assertNotEqual(expected, told)
        self.assertNotEqual(set(), modules - NEUTRAL)
        self.assertIn('nova-coldmig serves the', log)
        # And they run all the same, if they are asked to.
        for fault in self.run_all_the_same:
            told_then, modules_then, log = self.assertStarts(
                self.entry, fault, 'run')
            self.assertEqual(told, told_then)
            self.assertEqual(modules, modules_then)
            self.assertIn(FAULTS[fault], log)
            self.assertIn('Running on an untested Nova', log)
            self.assertIn('WARNING', log)

    def test_disable(self):
        expected, _modules, _log = self.assertStarts(self.nova)
        for fault in self.disable:
            told, modules, log = self.assertStarts(self.entry, fault)
            if fault == 'moved':
                # The table is gone from Nova.
                expected.update(managers=None)
            self.assertEqual(expected, told)
            # What makes a seam is imported to apply it.
            if fault not in ('unchangeable', 'moved'):
                self.assertEqual(set(), modules - NEUTRAL)
            self.assertIn(FAULTS[fault], log)
            self.assertIn('ERROR', log)
            self.assertIn('Install', log)
            self.assertEqual(1, log.count('Until then Nova runs as it is'))

    def test_refuse(self):
        for fault in self.refuse:
            status, _told, _modules, log = self.run_entry(
                self.entry, fault, 'refuse')
            self.assertEqual(1, status)
            self.assertIn(FAULTS[fault], log)
            self.assertIn('[coldmig]on_unknown_tree = refuse', log)
            self.assertIn('CRITICAL', log)


class ApiTests(EntryTests):

    nova = 'nova'

    def assertServes(self, told):
        self.assertEqual(
            '200 OK', told['/v2.1/extensions/os-migrate-server-force 2.1'][0])
        self.assertIn('"%s"' % TREE.microversion, told['/ 2.1'][2])
        self.assertIn(RULE, told['rules'])
        self.assertIn(RULE, told['enforced'])
        self.assertIn('nova_coldmig.', told['migrate'])


class PasteTest(ApiTests, UnknownTreeTestCase):
    """What api-paste.ini names."""

    entry = 'paste'
    disable = ('api_changed', 'unreadable', 'unchangeable')
    refuse = ('api_changed',)
    run_all_the_same = ('absent',)


class WsgiTest(ApiTests, UnknownTreeTestCase):
    """The WSGI module."""

    entry = 'wsgi'
    disable = ('conductor_changed', 'major', 'absent')
    refuse = ('major',)
    run_all_the_same = ('api_changed', 'major')


class ConductorTest(EntryTests, UnknownTreeTestCase):
    """nova-coldmig-conductor."""

    nova, entry = 'nova-conductor', 'conductor'
    disable = ('conductor_changed', 'absent', 'major', 'moved')
    refuse = ('conductor_changed', 'absent')
    run_all_the_same = ('conductor_changed', 'major')

    def assertServes(self, told):
        self.assertEqual('nova_coldmig.conductor.manager', told['tasks'])
        self.assertEqual(
            'nova_coldmig.conductor.manager.ConductorManager',
            told['managers']['nova-conductor'])
        self.assertEqual(('named', 'nova-conductor'),
                         (told['host'], told['binary']))
