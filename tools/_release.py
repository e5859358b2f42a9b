# SPDX-License-Identifier: Apache-2.0

"""What is released, how it is built, and whether it does when installed."""

import os
import pathlib
import re
import subprocess
import zipfile

import _common
import _variables

HOME = _common.CACHE / 'release'
# The distributions, and where the sources of each are.
DISTRIBUTIONS = {
    'nova-coldmig': _common.ROOT,
    'nova-coldmig-client': _common.ROOT / 'client',
    'nova-coldmig-tempest-plugin': _common.ROOT / 'tempest_plugin',
}
ENDS = (min(_common.SERIES), _common.NEWEST)
# Neither a broker nor tables: what is asked for is a verdict, not success.
NOVA_CONF = """\
[DEFAULT]
transport_url = fake:/
[database]
connection = sqlite:///%(home)s/nova.sqlite
[api_database]
connection = sqlite:///%(home)s/nova_api.sqlite
"""
SECONDS = 300


class Failed(Exception):
    """What was built is not what should be released."""


def run(*command, **kwargs):
    """Run a command.

    :param command: what to run.
    :param kwargs: as of subprocess.run; codes, exit statuses that are good;
        variables, a dict of what is added to the environment
    :returns: str, all that it printed
    :raises Failed: if it fails
    """
    command = [str(part) for part in command]
    codes = kwargs.pop('codes', (0,))
    variables = kwargs.pop('variables', {})
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding='utf-8', errors='replace',
            timeout=SECONDS, env=dict(
                os.environ, NO_COLOR='1', PYTHONWARNINGS='ignore',
                **variables), **kwargs)
    except subprocess.TimeoutExpired:
        raise Failed('%s did not end in %d s' % (
            ' '.join(command), SECONDS)) from None
    if ran.returncode not in codes:
        raise Failed('%s\n%s failed with exit status %d' % (
            ran.stdout[-3000:].strip(), ' '.join(command), ran.returncode))
    return ran.stdout


def released_version(root):
    """Return the version that the tag of a tree gives it.

    :param root: pathlib.Path
    :returns: str
    :raises Failed: if the tree is not one to release; says what to do
    """
    if run('git', '-C', root, 'status', '--porcelain',
           '--untracked-files=no'):
        raise Failed('There are changes that are not committed.')
    try:
        return run('git', '-C', root, 'describe', '--tags', '--exact-match',
                   '--match', '[0-9]*').strip()
    except Failed:
        raise Failed('The commit has no tag that is a version. First: git '
                     'tag --sign VERSION') from None


def build(uv, target):
    """Build the source distribution of each, and the wheel out of that.

    :param uv: pathlib.Path
    :param target: pathlib.Path of the directory for them
    """
    target.mkdir(parents=True, exist_ok=True)
    version = os.environ.get('PBR_VERSION') or _variables.version(
        _common.ROOT)
    for source in DISTRIBUTIONS.values():
        run(uv, 'build', '--quiet', '--out-dir', target, source,
            variables={'PBR_VERSION': version} if version else {})


def files(target, name):
    """Return the sdist and the wheel of a distribution.

    :param target: pathlib.Path
    :param name: str
    :returns: list of pathlib.Path
    :raises Failed: if they are not there
    """
    begins = re.compile(re.escape(name.replace('-', '_')) + r'-\d')
    found = sorted(path for path in target.iterdir()
                   if begins.match(path.name))
    if [path.suffix for path in found] != ['.whl', '.gz']:
        raise Failed('Instead of a wheel and an sdist of %s there is %s' % (
            name, ', '.join(path.name for path in found) or 'nothing'))
    return found


def check_contents(wheel, source):
    """Check that a wheel has all files of its package.

    :param wheel: pathlib.Path
    :param source: pathlib.Path of the tree that the package is in
    :raises Failed: if files are missing
    """
    with zipfile.ZipFile(str(wheel)) as archive:
        there = set(archive.namelist())
    package = wheel.name.split('-')[0]
    missing = sorted(
        name for name in (
            path.relative_to(source).as_posix()
            for path in (source / package).rglob('*')
            if path.is_file() and path.suffix != '.pyc')
        if name not in there)
    if missing:
        raise Failed('%s has no %s' % (wheel.name, ', '.join(missing)))


def check_metadata(uv, paths):
    """Have twine check what an index would refuse.

    :param uv: pathlib.Path
    :param paths: list of pathlib.Path
    :raises Failed: if it finds something
    """
    venv = environment(uv, 'twine', _common.TOOL_PYTHONS, 'release', 'twine')
    run(venv / 'twine', 'check', '--strict', *paths)


def environment(uv, name, pythons, pins, *requirements):
    """Make a virtual environment anew.

    :param uv: pathlib.Path
    :param name: str
    :param pythons: sequence of str, versions
    :param pins: str, the name of one of the files in constraints
    :param requirements: what is installed
    :returns: pathlib.Path of the programs
    :raises _common.CannotRun: if none of the Pythons is there
    """
    venv = HOME / name
    run(uv, 'venv', '--quiet', '--clear', '--python',
        _common.find_python(pythons), venv)
    run(uv, 'pip', 'install', '--quiet', '--python', venv / 'bin' / 'python',
        '--constraint', _common.CONSTRAINTS / (pins + '.txt'), *requirements)
    run(uv, 'pip', 'check', '--python', venv / 'bin' / 'python')
    return venv / 'bin'


def check_server(uv, wheel, series):
    """Install the package beside a Nova and have its status told.

    :param uv: pathlib.Path
    :param wheel: pathlib.Path
    :param series: str
    :raises Failed: if it does not take that Nova for one it supports
    """
    nova, _placement, pythons = _common.SERIES[series]
    programs = environment(uv, 'nova-' + series, pythons, series,
                           'nova==%d.*' % nova, wheel)
    conf = HOME / ('nova-%s.conf' % series)
    conf.write_text(NOVA_CONF % {'home': HOME})
    # Whatever else it finds: there is no cloud.
    told = run(programs / 'nova-coldmig-status', '--config-file', conf,
               'upgrade', 'check', codes=(0, 1, 2))
    if not re.search(r'Check: Supported Nova\W+Result: Success', told):
        raise Failed('%s\nnova-coldmig-status does not say that Nova %s is '
                     'supported' % (told.strip(), series))


def check_client(uv, wheel, suite):
    """Install the client and look for its option.

    :param uv: pathlib.Path
    :param wheel: pathlib.Path
    :param suite: str, of _common.SUITES
    :raises Failed: if the option is not there
    """
    programs = environment(uv, suite, _common.SUITES[suite], suite, wheel)
    if '--force' not in run(programs / 'openstack', 'help', 'server',
                            'migrate'):
        raise Failed('openstack server migrate has no --force')


def check_tempest(uv, wheel):
    """Install the Tempest plugin and have Tempest list it.

    :param uv: pathlib.Path
    :param wheel: pathlib.Path
    :raises Failed: if it is not there
    """
    programs = environment(uv, 'tempest', _common.TOOL_PYTHONS, 'tempest',
                           wheel)
    if 'nova_coldmig' not in run(programs / 'tempest', 'list-plugins'):
        raise Failed('Tempest does not list the plugin')


def checks(uv, target):
    """Return what there is to check of what was built.

    :param uv: pathlib.Path
    :param target: pathlib.Path
    :returns: list of tuples of a str, what is checked, and a callable
    """
    def wheel(name):
        return files(target, name)[0]

    found = [('%s is whole' % name,
              lambda name=name, source=source: check_contents(
                  wheel(name), source))
             for name, source in DISTRIBUTIONS.items()]
    found.append(('twine takes them', lambda: check_metadata(
        uv, [path for name in DISTRIBUTIONS for path in files(
            target, name)])))
    found += [('nova-coldmig installs beside Nova of %s' % series,
               lambda series=series: check_server(
                   uv, wheel('nova-coldmig'), series)) for series in ENDS]
    found += [('nova-coldmig-client installs, with the pins of %s' % suite,
               lambda suite=suite: check_client(
                   uv, wheel('nova-coldmig-client'), suite))
              for suite in _common.SUITES]
    found.append(('nova-coldmig-tempest-plugin installs',
                  lambda: check_tempest(
                      uv, wheel('nova-coldmig-tempest-plugin'))))
    return found


def default_target():
    """Return where a release is put: dist in the source tree."""
    return pathlib.Path(_common.ROOT, 'dist')
