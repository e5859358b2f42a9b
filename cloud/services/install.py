# SPDX-License-Identifier: Apache-2.0

"""What a cloud needs, from Debian and from PyPI."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import _common
from cloud.hosts.libvirt import machine

# The commands that are looked for, and the Debian packages that have them.
PACKAGES = {
    '/usr/sbin/mariadbd': 'mariadb-server-core',
    '/usr/bin/mariadb': 'mariadb-client-core',
    '/usr/lib/rabbitmq/bin/rabbitmq-server': 'rabbitmq-server',
}
# Asked by Debian's packages whether they may start what they install.
POLICY = pathlib.Path('/usr/sbin/policy-rc.d')
SERIES = [name for name in _common.SERIES
          if (_common.CONSTRAINTS / ('cloud-%s.txt' % name)).exists()]


@contextlib.contextmanager
def _nothing_started():
    """Have no service started by the packages that are installed.

    Debian starts a broker that all the network can reach.
    """
    made = not POLICY.exists()
    if made:
        POLICY.write_text('#!/bin/sh\nexit 101\n')
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if made:
            POLICY.unlink()


def debian(packages=None):
    """Install the Debian packages that are missing.

    :param packages: dict like PACKAGES, which is the default
    :raises _common.CannotRun: if nobody here may: with what to do
    :raises SystemExit: if it fails
    """
    missing = sorted({package for path, package in (packages or
                                                    PACKAGES).items()
                      if not os.path.exists(path)})
    if not missing:
        return
    if not shutil.which('apt-get'):
        raise _common.CannotRun(
            'There is no apt-get here. Install what Debian has in these '
            'packages, at the same paths: ' + ' '.join(missing))
    if os.getuid() != 0:
        raise _common.CannotRun(
            'As root: apt-get install --no-install-recommends '
            + ' '.join(missing))
    print('Installing ' + ' '.join(missing), flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    with _nothing_started():
        for arguments in (
                ['update'],
                ['install', '-y', '--no-install-recommends', *missing]):
            ran = subprocess.run(
                ['apt-get', '-q', *arguments], env=env,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, universal_newlines=True)
            if ran.returncode:
                raise SystemExit('%sapt-get %s failed' % (
                    ran.stdout, arguments[0]))


def _environment(venv, pins, python, path):
    """Create or reuse a virtual environment.

    :param venv: pathlib.Path
    :param pins: pathlib.Path of the file with all that is installed
    :param python: path of the interpreter
    :param path: pathlib.Path of what is installed in addition: a wheel, or a
        source tree, which stays where it is
    """
    tree = path.is_dir()
    digest = hashlib.sha256(
        python.encode() + pins.read_bytes() + str(path).encode()
        + (path / 'pyproject.toml' if tree else path).read_bytes()).hexdigest()
    stamp = venv / 'stamp'
    if stamp.exists() and stamp.read_text() == digest:
        return
    uv = str(_common.tool_environment() / 'uv')
    print('Installing %s into %s' % (pins.name, venv), flush=True)
    shutil.rmtree(str(venv), ignore_errors=True)
    subprocess.check_call([uv, 'venv', '-q', '--python', python, str(venv)])
    subprocess.check_call(
        [uv, 'pip', 'install', '-q', '--python', str(venv / 'bin/python'),
         '--requirement', str(pins), *['--editable'] * tree, str(path)])
    stamp.write_text(digest)


def _services(venv, series, path):
    _environment(venv, _common.CONSTRAINTS / ('cloud-%s.txt' % series),
                 _common.find_python(_common.SERIES[series][2]), path)


def services(venv):
    """Create or reuse the virtual environment of the services.

    :param venv: pathlib.Path, its name is the series
    """
    _services(venv, venv.name, _common.ROOT)


def libvirt(venv):
    """Give an environment of the services the binding of libvirt.

    It is built against the library of Debian, and has to be of its version.

    :param venv: pathlib.Path
    """
    version = machine.version()
    python = str(venv / 'bin' / 'python')
    asked = subprocess.run(
        [python, '-c', 'from importlib import metadata; '
                       'print(metadata.version("libvirt-python"))'],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, universal_newlines=True, check=False)
    if asked.stdout.strip() == version:
        return
    print('Building libvirt-python %s' % version, flush=True)
    subprocess.check_call([
        str(_common.tool_environment() / 'uv'), 'pip', 'install', '-q',
        '--python', python, '--no-binary', 'libvirt-python',
        'libvirt-python==' + version])


def release(layout, revision):
    """Create or reuse the environment with a release of the package.

    :param layout: cloud.layout.Layout; the wheel is kept in its folder
    :param revision: str, as git names it
    :returns: str, the version of the release
    :raises SystemExit: if there is no such revision
    """
    named = subprocess.run(
        ['git', '-C', str(_common.ROOT), 'rev-parse', '--verify', '--quiet',
         revision + '^{commit}'],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        universal_newlines=True)
    if named.returncode:
        raise SystemExit('git knows no revision %s here.' % revision)
    version = '0.0.0+g' + named.stdout.strip()[:12]
    folder = layout.state / 'releases' / version
    if not list(folder.glob('*.whl')):
        print('Building %s of nova-coldmig' % version, flush=True)
        uv = str(_common.tool_environment() / 'uv')
        with tempfile.TemporaryDirectory() as tree:
            # pbr takes the data files that git tracks: an archive would
            # give a wheel without them.
            clone = ['git', '-C', tree]
            subprocess.check_call(['git', 'clone', '-q', '--shared',
                                   '--no-checkout', str(_common.ROOT), tree])
            subprocess.check_call(
                clone + ['checkout', '-q', named.stdout.strip()])
            subprocess.check_call(
                [uv, 'build', '-q', '--wheel', '--out-dir', str(folder), tree],
                env=dict(os.environ, PBR_VERSION=version))
    wheel, = folder.glob('*.whl')
    _services(layout.release, layout.series, wheel)
    return version


def tempest(venv):
    """Create or reuse the virtual environment of Tempest.

    :param venv: pathlib.Path
    """
    _environment(
        venv, _common.CONSTRAINTS / 'tempest.txt',
        _common.find_python(_common.TOOL_PYTHONS),
        _common.ROOT / 'tempest_plugin')
