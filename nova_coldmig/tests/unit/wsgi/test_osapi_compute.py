# SPDX-License-Identifier: Apache-2.0

"""The WSGI module, with a Nova that is made up.

With a real one it is run in test_unknown_tree.
"""

import json
import os
from pathlib import Path
import subprocess
import sys

from nova import test

SCRIPT = '''
import json
import sys

from nova_coldmig import seams
from nova_coldmig import start

calls = []


def install(half):
    calls.append('install ' + half)


start.install = install
start.decided = lambda half: bool(calls)
start.leave_out = lambda half, reason: calls.append(reason)

from nova_coldmig.wsgi import osapi_compute

print(json.dumps([osapi_compute.application, calls, [
    finder.__module__ for finder in sys.meta_path
    if getattr(finder, '__module__', '').startswith('nova_coldmig')]]))
'''

#: By path, modules of a Nova since 2024.2.
PACKAGE = {
    'nova/__init__.py': '',
    'nova/wsgi/__init__.py': '',
    'nova/wsgi/osapi_compute.py': '''
from nova.api.openstack import wsgi_app
application = wsgi_app.init_application('osapi_compute', 'program')
''',
    'nova/api/__init__.py': '',
    'nova/api/openstack/__init__.py': '',
    'nova/api/openstack/wsgi_app.py': '''
def init_global_data(files, name, program):
    from nova_coldmig import start
    start.install('parsed for ' + program)

def init_application(name, program):
    init_global_data([], name, program)
    from nova_coldmig import start
    start.install('loaded ' + name)
    return 'application'
''',
}
#: Those of 2024.1, where nova.wsgi must not be the first that is imported.
MODULE = {
    'nova/__init__.py': '',
    'nova/wsgi.py': 'raise RuntimeError("before the threading model")',
    'nova/api/__init__.py': '',
    'nova/api/openstack/__init__.py': '',
    'nova/api/openstack/compute/__init__.py': '',
    'nova/api/openstack/compute/wsgi.py': '''
from nova.api.openstack import wsgi_app

def init_application():
    return wsgi_app.init_application('osapi_compute', 'program')
''',
    'nova/api/openstack/wsgi_app.py':
        PACKAGE['nova/api/openstack/wsgi_app.py'],
}


class OsapiComputeTest(test.NoDBTestCase):

    def _run(self, modules):
        home = Path(self.useFixture(test.fixtures.TempDir()).path)
        for path, text in modules.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text)
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', SCRIPT],
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(
                [str(home), os.environ.get('PYTHONPATH', '')])),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def test_installs_between_configuration_and_application(self):
        for modules in (PACKAGE, MODULE):
            self.assertEqual(
                ['application', [
                    'install parsed for program', 'install api',
                    'install loaded osapi_compute'], []],
                self._run(modules))

    def test_configuration_is_parsed_elsewhere(self):
        """The application is that of Nova, and it is said."""
        modules = dict(PACKAGE)
        modules['nova/api/openstack/wsgi_app.py'] = (
            'def init_application(name, program):\n'
            '    return "application"\n')
        application, calls, finders = self._run(modules)
        self.assertEqual(('application', []), (application, finders))
        reason, = calls
        self.assertIn('could not find where', reason)

    def test_nothing_is_as_it_is_known(self):
        modules = {path: PACKAGE[path] for path in (
            'nova/__init__.py', 'nova/wsgi/__init__.py')}
        modules['nova/wsgi/osapi_compute.py'] = 'application = "application"'
        application, calls, _finders = self._run(modules)
        self.assertEqual('application', application)
        self.assertEqual(1, len(calls))
