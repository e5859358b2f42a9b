#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

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
