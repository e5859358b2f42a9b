# SPDX-License-Identifier: Apache-2.0

"""What the commands do before anything of Nova is imported.

Their modules begin with an import of Nova, which selects the threading model.
Here nothing is imported but the standard library: in an environment without
Nova, nothing else has to be there.
"""

import importlib
from importlib import metadata
from importlib import util
import sys


def _version(distribution):
    try:
        return metadata.version(distribution) or 'of unknown version'
    except metadata.PackageNotFoundError:
        return 'of unknown version'


def _run(command):
    spec = util.find_spec('nova')
    # A directory of that name is not Nova.
    if spec is None or spec.origin is None:
        sys.exit('nova-coldmig-%s: there is no Nova in the Python environment '
                 '%s. Install nova-coldmig into the one that Nova is in, and '
                 'run the command from there.' % (command, sys.prefix))
    if '--version' in sys.argv[1:]:
        # The parser of Nova would tell the version of Nova alone.
        print('nova-coldmig %s, Nova %s' % (
            _version('nova-coldmig'), _version('nova')))
        return 0
    return importlib.import_module('nova_coldmig.cmd.' + command).main()


def conductor():
    """Run nova-coldmig-conductor."""
    return _run('conductor')


def manage():
    """Run nova-coldmig-manage.

    :returns: int, exit status.
    """
    return _run('manage')


def status():
    """Run nova-coldmig-status.

    :returns: int, exit status.
    """
    return _run('status')
