# SPDX-License-Identifier: Apache-2.0

"""The tests of one run, picked from Nova's.

tools/upstream-tests copies this file to a package beside a link to the
installed Nova and writes what to pick to the ``picked.json`` in it.
"""

import importlib
import json
from pathlib import Path
import sys
import unittest

PICKED = json.loads(Path(__file__).with_name('picked.json').read_text())

if not PICKED['activate']:
    # Nova alone: an import of the package is an error.
    sys.modules['nova_coldmig'] = None
# They select the threading model, as they do in a discovery.
for module in PICKED['first']:
    importlib.import_module(module)
if PICKED['activate']:
    plugin = importlib.import_module('nova_coldmig.tests.upstream.plugin')
    plugin.activate(**PICKED['activate'])


def load_tests(loader, tests, _pattern):
    for module in PICKED['modules']:
        try:
            tests.addTests(loader.loadTestsFromName(module))
        except unittest.SkipTest:
            # What the package of the module says without, say, oslo.vmware.
            continue
    return tests
