# SPDX-License-Identifier: Apache-2.0

"""No order of importing, installing and taking out makes a difference.

Each order runs in a process of its own, as imports can not be undone.
"""

import itertools
import os
import subprocess
import sys

from nova import test

from nova_coldmig import series

#: What the steps of a script do. Each is written as if it came first.
SCRIPT = '''
import sys

from nova import monkey_patch

if hasattr(monkey_patch, 'patch'):
    monkey_patch.patch()

from nova import config

# Controllers make their RPC clients.
config.parse_args(['nova'], default_config_files=[], configure_db=False)


def api():
    import nova.api.openstack.compute
    import nova.compute.api


def conductor():
    import nova.conductor.manager
    import nova.service


def package():
    import nova_coldmig.compute.api
    import nova_coldmig.conductor.manager
    import nova_coldmig.policies


def install():
    from nova_coldmig import seams
    seams.install('api')
    seams.install('conductor')


def uninstall():
    from nova_coldmig import seams
    seams.uninstall('conductor')
    seams.uninstall('api')


def router():
    from nova_coldmig.api.openstack import compute
    return compute.router_factory({})


def serves(api):
    for route in api.map.matchlist:
        resource = route.defaults.get('controller')
        action = getattr(resource, 'wsgi_actions', {}).get('migrate')
        if action:
            return action.__func__.__module__
    raise AssertionError('no migrate action')


def state():
    """Tell whether each half is there, and check that it is all there."""
    from nova.api.openstack import api_version_request
    from nova.api.openstack.compute import migrate_server
    from nova.api.openstack.compute import versions
    from nova.conductor import manager
    from nova_coldmig import series
    tree = series.detect()
    halves = (
        migrate_server.MigrateServerController._migrate.__module__.startswith(
            'nova_coldmig.'),
        api_version_request.max_api_version().get_string() ==
        versions.VERSIONS['v2.1']['version'] == tree.microversion,
        manager.ComputeTaskManager.__module__.startswith('nova_coldmig.'))
    assert len(set(halves)) == 1, halves
    return 'on' if halves[0] else 'off'


def on():
    assert state() == 'on'


def off():
    assert state() == 'off'


def two_routers():
    # api-paste.ini has one for /v2 and one for /v2.1.
    for api in (router(), router()):
        assert serves(api).startswith('nova_coldmig.'), serves(api)
    install()


def router_of_nova():
    from nova.api.openstack import compute
    api = compute.APIRouterV21()
    assert serves(api).startswith('nova.'), serves(api)
    return api


def early_router():
    # Of Nova, before anything is installed. It stays what it is.
    early = router_of_nova()
    install()
    assert serves(early).startswith('nova.'), serves(early)
    on()


for step in sys.argv[1:]:
    globals()[step]()
'''

AFTER = ('on', 'uninstall', 'off', 'install', 'on')
ORDERS = [
    order + AFTER for order in
    list(itertools.permutations(('api', 'conductor', 'install'))) + [
        ('package', 'install'), ('install', 'package'),
        ('api', 'package', 'install')]
] + [
    ('off', 'install', 'install', 'on', 'uninstall', 'uninstall', 'off'),
    ('two_routers', 'on', 'uninstall', 'off', 'router_of_nova'),
    ('early_router', 'uninstall', 'off', 'router_of_nova'),
    ('install', 'two_routers', 'uninstall', 'router_of_nova', 'off',
     'install', 'two_routers', 'on', 'uninstall', 'router_of_nova', 'off'),
]

#: Threading models: values of what Nova's monkey_patch reads.
MODELS = ('false', 'true') if series.detect().major > 32 else ('false',)


class OrderTest(test.NoDBTestCase):

    TIMEOUT_SCALING_FACTOR = 4

    def _run(self, model, *orders):
        environment = dict(
            os.environ, OS_NOVA_DISABLE_EVENTLET_PATCHING=model,
            # oslo.config's name of [DEFAULT]transport_url.
            OS_DEFAULT__TRANSPORT_URL='fake:/')
        for order in orders:
            done = subprocess.run(
                [sys.executable, '-W', 'ignore', '-c', SCRIPT] + list(order),
                env=environment, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True)
            self.assertEqual(
                0, done.returncode, '%s with %s: %s' % (
                    order, model, done.stdout))

    def test_every_order(self):
        self._run(MODELS[0], *ORDERS)

    def test_every_order_with_native_threads(self):
        if len(MODELS) == 1:
            self.skipTest('Nova %s runs with eventlet alone' %
                          series.installed())
        self._run(MODELS[1], *ORDERS)
