# SPDX-License-Identifier: Apache-2.0

"""What the functional tests share: programs that run as operators run them."""

import atexit
import functools
import pathlib
import signal
import subprocess
import sys
import time
import uuid

from oslotest import base

from nova_coldmig_client.tests.functional import cloud

BIN = pathlib.Path(sys.executable).parent
# Programs are slow to start on a busy machine.
SECONDS = 120

atexit.register(cloud.stop)


def hear_ctrl_c():
    """Undo what a shell does to the commands it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Result:
    """What a program left.

    :ivar code: int, its exit status.
    :ivar output: str
    :ivar errors: str
    """

    def __init__(self, code, output, errors):
        self.code, self.output, self.errors = code, output, errors

    @property
    def lines(self):
        """What it printed, as a list of str."""
        return self.output.splitlines()


class ProgramTestCase(base.BaseTestCase):
    """Programs of the environment that the tests run in."""

    def environment(self, user):
        """Return the environment of the programs of a user: no cloud."""
        return cloud.environment()

    def start(self, *args, program='openstack', user='admin', **kwargs):
        """Start a program.

        :returns: subprocess.Popen
        """
        pipes = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
        process = subprocess.Popen(
            [str(BIN / program)] + list(args), env=self.environment(user),
            encoding='utf-8', preexec_fn=hear_ctrl_c, **dict(pipes, **kwargs))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_any(self, *args, **kwargs):
        """Run a program to its end.

        :returns: Result
        """
        process = self.start(*args, **kwargs)
        output, errors = process.communicate(timeout=SECONDS)
        self.assertNotIn('Traceback', errors or '')
        return Result(process.returncode, output, errors)

    def run_ok(self, *args, **kwargs):
        """Run a program that has to succeed.

        :returns: Result
        """
        result = self.run_any(*args, **kwargs)
        self.assertEqual(0, result.code, result.errors)
        return result

    def run_refused(self, *args, code=3, **kwargs):
        """Run a program that has to fail in one sentence.

        :param code: int, the exit status it has to fail with.
        :returns: str, the sentence.
        """
        result = self.run_any(*args, **kwargs)
        self.assertEqual(code, result.code, result.errors)
        # The nova shell says first that it is deprecated.
        *_more, sentence = result.errors.strip().splitlines()
        self.assertLessEqual(len(_more), kwargs.get('program') == 'nova')
        return sentence


class CloudTestCase(ProgramTestCase):
    """A cloud with three hosts, and a server on the first of them."""

    @staticmethod
    def get_cloud():
        """Return the cloud, a cloud.Cloud."""
        return cloud.with_coldmig()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # It takes longer than a test may.
        cls.cloud = cls.get_cloud()

    def environment(self, user):
        """Return the environment of the programs of a user."""
        return dict(self.cloud.environment(user),
                    OS_COMPUTE_API_VERSION='2.74')

    def setUp(self):
        super().setUp()
        self.compute = self.cloud.connect().compute
        self.hosts = _hosts(self.cloud)
        # What stands in a shell's way.
        self.server = self.boot('dém o-%s' % uuid.uuid4().hex[:8],
                                self.hosts[0])

    def boot(self, name, host=None, user='admin', flavor=None):
        """Create a server, for the time of the test.

        :param name: str
        :param host: str or None
        :param user: str
        :param flavor: str, the id of one, or None for the smallest.
        :returns: openstack.compute.v2.server.Server
        """
        compute = self.cloud.connect(user).compute
        body = {'name': name, 'imageRef': _image(self.cloud),
                'flavorRef': flavor or _flavor(self.cloud),
                'networks': 'none'}
        if host:
            body['host'] = host
        # Not create_server(), which leaves out the host in older ones.
        response = compute.post('/servers', json={'server': body})
        self.assertEqual(202, response.status_code, response.text)
        server = compute.get_server(response.json()['server']['id'])
        self.addCleanup(self.delete, compute, server)
        return compute.wait_for_server(server, interval=0.5, wait=SECONDS)

    def boot_big(self):
        """Create a server that there is no room for on the third host."""
        # One fits on a host, two do not. There is no quota of it.
        placement = self.cloud.connect().placement
        (provider,) = placement.resource_providers(name=self.hosts[2])
        disk = placement.get(
            '/resource_providers/%s/inventories' % provider.id).json()[
                'inventories']['DISK_GB']
        room = (disk['total'] - disk['reserved']) * disk['allocation_ratio']
        flavor = self.compute.create_flavor(
            name='half-%s' % uuid.uuid4().hex[:8], vcpus=1, ram=512,
            disk=int(room * 0.6))
        self.addCleanup(self.compute.delete_flavor, flavor)
        self.boot('in the way', self.hosts[2], flavor=flavor.id)
        return self.boot('big', self.hosts[0], flavor=flavor.id)

    @staticmethod
    def delete(compute, server):
        """Delete a server and wait until it is gone."""
        compute.delete_server(server, force=False)
        compute.wait_for_delete(server, interval=0.5, wait=SECONDS)

    def assertIsOn(self, host, status, server=None):
        """Wait until the server is where it should be."""
        end = time.monotonic() + SECONDS
        while True:
            found = self.compute.get_server(server or self.server)
            if (found.compute_host, found.status) == (host, status):
                return
            self.assertLess(time.monotonic(), end, found)
            time.sleep(0.5)

    def assertUntouched(self, server=None):
        """Check that nobody tried to migrate the server."""
        server = server or self.server
        actions = self.compute.get(
            '/servers/%s/os-instance-actions' % server.id).json()
        self.assertEqual(
            ['create'], [action['action']
                         for action in actions['instanceActions']])


@functools.lru_cache(maxsize=None)
def _hosts(where):
    return sorted(service.host for service in where.connect().compute.services(
        binary='nova-compute'))


@functools.lru_cache(maxsize=None)
def _image(where):
    return min(where.connect().image.images(visibility='public'),
               key=lambda image: image.name).id


@functools.lru_cache(maxsize=None)
def _flavor(where):
    return min(where.connect().compute.flavors(),
               key=lambda flavor: (flavor.ram, flavor.disk, flavor.name)).id
