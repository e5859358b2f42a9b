# SPDX-License-Identifier: Apache-2.0

"""What the programs in this directory share.

Only the standard library may be used here: this runs before anything is
installed.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import _variables

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The folders of the source tree that are not installed, and the package before
# it is.
sys.path.append(str(ROOT))
CACHE = ROOT / '.cache'
CONSTRAINTS = ROOT / 'constraints'

# Of each OpenStack series: the Nova and Placement major releases, and the
# Pythons Nova's tests pass on, the preferred one first. The preferences
# differ so that a run of all series covers each Python.
SERIES = {
    '2024.1': (29, 11, ('3.9', '3.10', '3.11')),
    '2024.2': (30, 12, ('3.11', '3.12', '3.10', '3.9')),
    '2025.1': (31, 13, ('3.10', '3.11', '3.12', '3.9')),
    '2025.2': (32, 14, ('3.12', '3.11', '3.10', '3.13')),
    '2026.1': (33, 15, ('3.12', '3.11', '3.13', '3.10')),
    '2026.2': (34, 16, ('3.13', '3.12', '3.11')),
}
NEWEST = '2026.2'

# What else is tested, each in the environment of tox of that name, and the
# Pythons to do so, the preferred one first. A series in the name is the one
# that the versions of the clients are of; without, it is the newest.
SUITES = {
    'client': ('3.13', '3.12', '3.11'),
    'client-2024.1': ('3.9', '3.10', '3.11'),
}

# How the line begins that says what this machine can not do, and why.
NOT_RUN = 'Not run: '

# What tox and the linters need, see constraints/tools.txt.
TOOL_PYTHONS = ('3.11', '3.12', '3.13', '3.14')


def _candidates(version):
    if 'PYENV_ROOT' in os.environ:
        versions = pathlib.Path(os.environ['PYENV_ROOT'], 'versions')
        yield from sorted(versions.glob('%s*/bin/python%s' % (version,
                                                              version)))
    for name in ('python%s' % version, 'python3'):
        for directory in os.get_exec_path():
            found = shutil.which(name, path=directory)
            if found:
                yield found
    yield sys.executable


class CannotRun(SystemExit):
    """What was asked for can not be done on this machine.

    That says nothing about the code. Where nobody catches it, the program
    ends with a line that .ci/run counts as skipped.

    :param reason: str, what this machine lacks, and what to do.
    """

    def __init__(self, reason):
        super().__init__(NOT_RUN + reason)
        self.reason = reason


def _one_of(versions):
    *others, last = versions
    return '%s or %s' % (', '.join(others), last) if others else last


def _has(python, version, module):
    # Run it: a pyenv shim exists whether or not it works.
    probe = subprocess.run(
        [str(python), '-c',
         'import sys, %s; print("%%d.%%d" %% sys.version_info[:2])' % module],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, universal_newlines=True)
    return probe.returncode == 0 and probe.stdout.strip() == version


def _from_uv(versions):
    """Return a Python that uv manages, or None.

    It is fetched if UV_PYTHON_DOWNLOADS is "automatic" and uv can.
    """
    uv = CACHE / 'tools' / 'bin' / 'uv'
    if not uv.exists():
        return
    if os.environ.get('UV_PYTHON_DOWNLOADS') == 'automatic':
        subprocess.call([str(uv), 'python', 'install', versions[0]],
                        stdin=subprocess.DEVNULL)
    for version in versions:
        found = subprocess.run(
            [str(uv), 'python', 'find', '--managed-python',
             '--no-python-downloads', version],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, universal_newlines=True)
        if not found.returncode:
            return found.stdout.strip()


def find_python(versions, module='ssl'):
    """Return the path of the first of these versions that has the module.

    :param versions: sequence of str, the preferred one first.
    :param module: str, what the Python has to have.
    :returns: str
    :raises CannotRun: if there is none; says which package to install.
    """
    for version in versions:
        for candidate in _candidates(version):
            if _has(candidate, version, module):
                return str(candidate)
    found = _from_uv(versions)
    if found:
        return found
    for version in versions:
        if any(_has(candidate, version, 'sys')
               for candidate in _candidates(version)):
            raise CannotRun(
                'Python %s is installed without its module %s. %s' % (
                    version, module,
                    'On Debian and Ubuntu, install python%s-venv.' % version
                    if module == 'ensurepip' else 'Install another one.'))
    raise CannotRun(
        'No Python %s is installed. On Debian and Ubuntu, install python%s '
        'and python%s-venv, or what the release has of the others%s.' % (
            _one_of(versions), versions[0], versions[0],
            '' if module == 'ensurepip' else
            '; or set UV_PYTHON_DOWNLOADS=automatic to have uv fetch it'))


def runs(python):
    """Tell whether a Python is there and starts."""
    return python.exists() and not subprocess.call(
        [str(python), '-c', ''], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tool_environment():
    """Create or reuse the virtual environment of tox.

    Programs that are started from then on find in the variables of the
    environment what they need there, see _variables.

    :returns: pathlib.Path of its programs
    :raises CannotRun: if there is no Python for it
    """
    pins = CONSTRAINTS / 'tools.txt'
    home = CACHE / 'tools'
    stamp = home / 'stamp'
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    # Whoever calls from within it must not have it made anew.
    if (not stamp.exists() or stamp.read_text() != digest
            or not runs(home / 'bin' / 'python')):
        # Some distributions package this part of venv apart.
        python = find_python(TOOL_PYTHONS, 'ensurepip')
        print('Installing tox with %s' % python, flush=True)
        shutil.rmtree(str(home), ignore_errors=True)
        subprocess.check_call([python, '-m', 'venv', str(home)],
                              stdin=subprocess.DEVNULL)
        subprocess.check_call(
            [str(home / 'bin' / 'python'), '-m', 'pip', 'install',
             '-qq', '--disable-pip-version-check',
             '-c', str(pins), 'tox', 'tox-uv', 'uv'],
            stdin=subprocess.DEVNULL)
        stamp.write_text(digest)
    os.environ.update(_variables.missing(ROOT, home / 'bin' / 'python'))
    return home / 'bin'
