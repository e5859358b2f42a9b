# SPDX-License-Identifier: Apache-2.0

"""What the programs that tools start have to be told by the environment.

Only the standard library may be used here: this runs before anything is
installed.
"""

import ast
import os
import ssl
import subprocess

# A version that pip takes and that says what it is.
UNKNOWN = '0+unknown'
# The options of pip, what uv calls them, and what separates several values
# there. uv reads nothing of pip's.
OPTIONS = (
    ('cert', 'SSL_CERT_FILE', None),
    ('index-url', 'UV_DEFAULT_INDEX', None),
    ('extra-index-url', 'UV_INDEX', ' '),
    ('find-links', 'UV_FIND_LINKS', ','),
    ('trusted-host', 'UV_INSECURE_HOST', ' '),
    ('no-index', 'UV_NO_INDEX', None),
)
# Who has set one of these has told uv all that is needed.
SAME = {
    'SSL_CERT_FILE': ('SSL_CERT_DIR', 'UV_SYSTEM_CERTS', 'UV_NATIVE_TLS'),
    'UV_DEFAULT_INDEX': ('UV_INDEX_URL',),
    'UV_INDEX': ('UV_EXTRA_INDEX_URL',),
}


def _git(root, *args):
    try:
        ran = subprocess.run(
            ['git', '-C', str(root), *args], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            universal_newlines=True)
    except OSError:
        return None
    return None if ran.returncode else ran.stdout.strip()


def _pbr_reads(root):
    """Tell whether pbr makes a version of the tree, whatever it is."""
    # An sdist has its version in PKG-INFO.
    if (root / 'PKG-INFO').exists():
        return True
    # The tree may have been unpacked within a repository of something else.
    top = _git(root, 'rev-parse', '--show-toplevel')
    return (top is not None and os.path.samefile(top, str(root)) and
            _git(root, 'rev-parse', '--verify', 'HEAD') is not None)


def version(root):
    """Return the version to build a distribution as, or None if pbr finds it.

    Without a tag in its history, what pbr makes of a tree is no version.

    :param root: pathlib.Path of the source tree
    :returns: str or None
    """
    if _pbr_reads(root) and (
            (root / 'PKG-INFO').exists() or
            _git(root, 'describe', '--tags', '--match', '[0-9]*') is not None):
        return None
    return UNKNOWN


def _pip_options(listed):
    """Return the options that ``pip install`` takes of ``pip config list``.

    :param listed: str
    :returns: dict of str
    """
    found = {}
    # The later one wins.
    for section in ('global', 'install', ':env:'):
        for line in listed.splitlines():
            name, _equals, value = line.partition('=')
            place, _dot, option = name.rpartition('.')
            if place == section:
                found[option] = ast.literal_eval(value)
    return found


def uv(listed, environment, has_store):
    """Return what uv has to be told to install from where pip would.

    :param listed: str, the output of ``pip config list``
    :param environment: mapping, what is said there already is left alone.
    :param has_store: bool, whether this machine has a store of certificates
        of its own, which pip trusts too
    :returns: dict of str
    """
    options = _pip_options(listed)
    told = {}
    for option, name, separator in OPTIONS:
        value = options.get(option)
        if not value or any(each in environment
                            for each in (name, *SAME.get(name, ()))):
            continue
        if option == 'no-index':
            value = 'true' if value.lower() in ('1', 'true', 'yes', 'on') \
                else 'false'
        told[name] = separator.join(value.split()) if separator else value
    if 'UV_INDEX' in told and 'UV_INDEX_STRATEGY' not in environment:
        # pip takes the best version of all indexes, uv that of the first.
        told['UV_INDEX_STRATEGY'] = 'unsafe-best-match'
    if has_store and not any(
            name in told or name in environment
            for name in ('SSL_CERT_FILE', *SAME['SSL_CERT_FILE'])):
        told['UV_SYSTEM_CERTS'] = 'true'
    return told


def _has_store():
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (
        paths.capath and os.path.isdir(paths.capath)
        and os.listdir(paths.capath)))


def missing(root, python):
    """Return the variables that are missing in the environment.

    :param root: pathlib.Path of the source tree
    :param python: pathlib.Path of a Python with pip
    :returns: dict of str
    """
    listed = subprocess.run(
        [str(python), '-m', 'pip', '--disable-pip-version-check', 'config',
         'list'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, universal_newlines=True).stdout
    found = uv(listed, os.environ, _has_store())
    # The interpreters installed are good enough.
    found['UV_PYTHON_DOWNLOADS'] = os.environ.get(
        'UV_PYTHON_DOWNLOADS', 'never')
    # It names the version of all that pbr builds, such as a requirement that
    # is no wheel. So it is set only where nothing could be built without.
    if 'PBR_VERSION' not in os.environ and not _pbr_reads(root):
        found['PBR_VERSION'] = UNKNOWN
    return found
