# SPDX-License-Identifier: Apache-2.0

"""The one line of api-paste.ini that a deployer changes."""

from importlib import metadata
from importlib import util
from pathlib import Path

from nova_coldmig import activation
from nova_coldmig.tests.sandbox import exception


def find():
    """Find the api-paste.ini of the installed Nova.

    A wheel puts it among the data files, a checkout has it beside the
    package.

    :returns: str, its path.
    :raises: nova_coldmig.tests.sandbox.exception.SandboxError if there is
        none.
    """
    for entry in metadata.files('nova') or ():
        if entry.name == 'api-paste.ini':
            path = entry.locate()
            if path.exists():
                return str(path)
    beside = Path(util.find_spec('nova').origin).parents[1]
    path = beside / 'etc' / 'nova' / 'api-paste.ini'
    if path.exists():
        return str(path)
    raise exception.SandboxError(
        'This Nova was installed without its etc/nova/api-paste.ini; name '
        'one of the same release with --paste-ini.')


def activate(text, factory=activation.ROUTER_FACTORY):
    """Let nova-api be made by this package.

    :param text: str, an api-paste.ini of Nova.
    :param factory: str, ``module:function``
    :returns: str, the same but for one line.
    :raises: nova_coldmig.tests.sandbox.exception.SandboxError if the line is
        not there once.
    """
    lines = text.splitlines(True)
    header = '[%s]' % activation.PASTE_SECTION
    section = None
    found = []
    for number, line in enumerate(lines):
        if line.startswith('['):
            section = line.strip()
        elif (section == header
              and line.split('=')[0].strip() == activation.PASTE_OPTION):
            found.append(number)
    if len(found) != 1:
        raise exception.SandboxError(
            '%s has %d lines with %s instead of one.' % (
                header, len(found), activation.PASTE_OPTION))
    lines[found[0]] = '%s = %s\n' % (activation.PASTE_OPTION, factory)
    return ''.join(lines)
