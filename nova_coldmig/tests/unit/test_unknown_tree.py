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

"""What each way to start does on a Nova that is not known.

Each runs in a process of its own, as its service does, up to where it would
serve. What is told of Nova there is compared with what a Nova without the
package tells.
"""

import json
import os
from pathlib import Path
import subprocess
import sys

from nova import test

from nova_coldmig import series
from nova_coldmig.tests.sandbox import paste_ini

TREE = series.detect()

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
        after_import.call('nova.compute.api', lambda module: delattr(
            module.API, '_validate_host_for_cold_migrate'))
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
            kwargs, managers=managers, argv=sys.argv, host=service.CONF.host,
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
    'moved': 'is not the one of Nova',
    'unreadable': 'JSONDecodeError',
    'major': 'this is Nova 35.0.0',
    'absent': 'does not tell its version',
    'unchangeable': 'RuntimeError: Made up',
}


class UnknownTreeTestCase(test.NoDBTestCase):

    TIMEOUT_SCALING_FACTOR = 4

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

    def assertStarts(self, entry, *args):
        status, told, modules, log = self.run_entry(entry, *args)
        self.assertEqual(0, status, log)
        return told, modules, log


class KnownTreeTest(UnknownTreeTestCase):
    """So that the rest tells something."""

    def test_api(self):
        nova, modules, _log = self.assertStarts('nova')
        self.assertEqual(set(), modules - NEUTRAL)
        for entry in ('paste', 'wsgi'):
            told, modules, log = self.assertStarts(entry)
            self.assertIn('nova_coldmig.compute.api', modules)
            self.assertEqual(
                '200 OK',
                told['/v2.1/extensions/os-migrate-server-force 2.1'][0])
            self.assertIn(TREE.microversion, told['/ 2.1'][2])
            self.assertNotEqual(nova['rules'], told['rules'])
            self.assertNotEqual(nova['enforced'], told['enforced'])
            self.assertNotEqual(nova['migrate'], told['migrate'])

    def test_conductor(self):
        told, _modules, log = self.assertStarts('conductor')
        self.assertEqual('nova_coldmig.conductor.manager', told['tasks'])
        self.assertEqual('named', told['host'])
        self.assertEqual(
            'nova_coldmig.conductor.manager.ConductorManager',
            told['managers']['nova-conductor'])


class EntryTests:
    """Tests of one way to start, beside the one of Nova."""

    nova = entry = None
    #: Faults that are nothing to this service.
    unrelated = ()

    def _disabled(self, *faults):
        expected, _modules, _log = self.assertStarts(self.nova)
        for fault in faults:
            told, modules, log = self.assertStarts(self.entry, fault)
            if fault == 'moved':
                # Nova's own table is gone.
                told['managers'] = expected.get('managers')
                expected.setdefault('managers', None)
            self.assertEqual(expected, told)
            # Where a seam can not be applied, the others were.
            if fault not in ('unchangeable', 'moved'):
                self.assertEqual(set(), modules - NEUTRAL)
            self.assertIn(FAULTS[fault], log)
            self.assertIn('ERROR', log)
            self.assertIn('Install', log)
            self.assertEqual(1, log.count('Until then Nova runs as it is'))

    def test_disable_a_changed_function(self):
        self._disabled(*[fault for fault in ('api_changed',
                                             'conductor_changed')
                         if fault not in self.unrelated])

    def test_disable_what_can_not_be_told(self):
        self._disabled('unreadable', 'absent')

    def test_disable_what_can_not_be_changed(self):
        self._disabled('unchangeable', 'moved')

    def test_disable_another_series(self):
        self._disabled('major')

    def test_refuse(self):
        for fault in ('conductor_changed', 'absent'):
            status, _told, _modules, log = self.run_entry(
                self.entry, fault, 'refuse')
            self.assertEqual(1, status)
            self.assertIn(FAULTS[fault], log)
            self.assertIn('[coldmig]on_unknown_tree = refuse', log)
            self.assertIn('CRITICAL', log)

    def test_run(self):
        expected, modules, _log = self.assertStarts(self.entry)
        for fault in ('conductor_changed', 'major', 'absent'):
            told, modules_then, log = self.assertStarts(
                self.entry, fault, 'run')
            self.assertEqual(expected, told)
            self.assertEqual(modules, modules_then)
            self.assertIn(FAULTS[fault], log)
            self.assertIn('WARNING', log)
            self.assertIn('Running on an untested Nova', log)


class PasteTest(EntryTests, UnknownTreeTestCase):

    nova, entry = 'nova', 'paste'


class WsgiTest(EntryTests, UnknownTreeTestCase):

    nova, entry = 'nova', 'wsgi'


class ConductorTest(EntryTests, UnknownTreeTestCase):

    nova, entry = 'nova-conductor', 'conductor'
    unrelated = ('api_changed',)
