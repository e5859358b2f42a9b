# SPDX-License-Identifier: Apache-2.0

"""The clouds that the programs are tried on.

Without more said, each test process serves itself a Nova with tools/sandbox,
and a plain one if a test needs that. OS_COLDMIG_OPENRC may name a directory
with an openrc-admin and the openrc of a user who is no administrator: then
that cloud is used.
"""

import ctypes
import fcntl
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import openstack

ROOT = pathlib.Path(__file__).parents[4]
# A first start installs Nova.
BOOT_SECONDS = 600
LOCK = ROOT / '.cache' / 'sandbox.lock'
EXISTING = 'OS_COLDMIG_OPENRC'
PR_SET_PDEATHSIG = 1


def environment():
    """Return the environment without a cloud, and without what tests read.

    Nova's fixtures in the sandbox would take OS_TEST_TIMEOUT for theirs.
    """
    return {name: value for name, value in os.environ.items()
            if not name.startswith('OS_')}


class Cloud:
    """A cloud, by the files of its users.

    :param directory: pathlib.Path
    """

    def __init__(self, directory):
        self._directory = directory
        self._connections = {}

    @functools.lru_cache(maxsize=None)
    def environment(self, user):
        """Return the environment for the programs of a user.

        :param user: str, "admin" or anything else for one who is not.
        """
        path = self._directory / 'openrc-admin'
        if user != 'admin':
            (path,) = set(self._directory.glob('openrc-*')) - {path}
        output = subprocess.check_output(
            ['sh', '-c', '. "$0" && env -0', str(path)], env=environment(),
            stdin=subprocess.DEVNULL, encoding='utf-8')
        return dict(pair.split('=', 1) for pair in output.split('\0') if pair)

    def connect(self, user='admin'):
        """Return a connection, for what is not to be tested.

        :param user: str
        :returns: openstack.connection.Connection
        """
        if user not in self._connections:
            values = self.environment(user)
            found = openstack.connection.Connection(
                auth={name[3:].lower(): value
                      for name, value in values.items()
                      if name[3:] in ('AUTH_URL', 'USERNAME', 'PASSWORD')
                      or re.match('OS_(PROJECT|USER_DOMAIN)_', name)},
                region_name=values['OS_REGION_NAME'],
                compute_default_microversion='2.74')
            # All that is served here is served on this machine.
            found.session.session.trust_env = False
            self._connections[user] = found
        return self._connections[user]


def _free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def _die_with_parent():
    # Whatever becomes of the test process, nothing is left running.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _serve(options):
    """Start a sandbox and wait until it serves.

    :param options: arguments of tools/sandbox.
    :returns: tuple of the subprocess.Popen and the str that it printed, in
        which "Serving." is missing if it ended before.
    """
    LOCK.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryFile('w+', encoding='utf-8') as output, open(
            str(LOCK), 'w') as lock:
        # Only one may install Nova. Nobody else boots meanwhile: two at a
        # time take as long as one after the other.
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [str(ROOT / 'tools' / 'sandbox'), '--serve', '--port',
             str(_free_port())] + list(options),
            env=environment(), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, preexec_fn=_die_with_parent)
        end = time.monotonic() + BOOT_SECONDS
        while True:
            ended = process.poll() is not None
            output.seek(0)
            text = output.read()
            if ended or 'Serving.' in text:
                return process, text
            if time.monotonic() > end:
                process.kill()
                process.wait()
                return process, text
            time.sleep(0.2)


_started = []


def stop():
    """Stop what was started in this process, and remove its log."""
    for process, _directory in _started:
        process.terminate()
    for process, directory in _started:
        process.wait()
        shutil.rmtree(str(directory), ignore_errors=True)


@functools.lru_cache(maxsize=None)
def _sandbox(*options):
    for _attempt in range(3):
        process, text = _serve(options)
        if 'Serving.' in text:
            directory = pathlib.Path(re.search(
                r'^\s+\. (\S+)/openrc-admin$', text, re.M).group(1))
            _started.append((process, directory))
            return Cloud(directory)
        if 'can not be had' not in text:
            break
        # Somebody took the port meanwhile.
    raise RuntimeError('There is no sandbox:\n%s' % text)


@functools.lru_cache(maxsize=None)
def _existing(directory):
    return Cloud(pathlib.Path(directory))


def with_coldmig():
    """Return the cloud that has the package.

    :returns: Cloud
    """
    if EXISTING in os.environ:
        return _existing(os.environ[EXISTING])
    return _sandbox()


def without_coldmig():
    """Return a cloud that does not have the package.

    :returns: Cloud
    :raises: unittest.SkipTest
    """
    if EXISTING in os.environ:
        raise unittest.SkipTest('The cloud of %s has the package' % EXISTING)
    return _sandbox('--without-coldmig')
