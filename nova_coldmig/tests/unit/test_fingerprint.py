# SPDX-License-Identifier: Apache-2.0

import importlib
from pathlib import Path
import sys

import fixtures
from nova import test

from nova_coldmig import fingerprint
from nova_coldmig import seams
from nova_coldmig import series

BEFORE = '''
class C:
    def f(self, a):
        # A comment.
        return f"{a} {{}} {'b'}"
'''
SAME = '''
class C:

    def f(self,  a):  # Another comment.

        return  f"{a} {{}} {'b'}"
'''
OTHER = BEFORE.replace('(self, a)', '(self, a, b=None)')


class FingerprintTest(test.NoDBTestCase):

    def _of(self, source):
        directory = self.useFixture(fixtures.TempDir()).path
        name = 'coldmig_sample'
        (Path(directory) / (name + '.py')).write_text(source)
        self.useFixture(fixtures.MonkeyPatch('sys.path', [directory]))
        importlib.invalidate_caches()
        self.addCleanup(sys.modules.pop, name, None)
        sys.modules.pop(name, None)
        return fingerprint.of(name + ':C.f')

    def test_layout_does_not_count(self):
        self.assertEqual(self._of(BEFORE), self._of(SAME))

    def test_code_counts(self):
        self.assertNotEqual(self._of(BEFORE), self._of(OTHER))

    def test_decorators_count(self):
        self.assertNotEqual(
            self._of(BEFORE),
            self._of(BEFORE.replace('    def', '    @staticmethod\n    def')))

    def test_installed_tree_is_the_recorded_one(self):
        """Fails when Nova changes what is replaced, called or mirrored.

        Read the change, adapt what it is about, and record it with
        tools/fingerprints.
        """
        tree = series.detect()
        for half in seams.RELIED_ON:
            self.assertEqual([], fingerprint.changed(
                seams.fingerprinted(half), tree), half)

    def test_nothing_is_recorded_in_vain(self):
        wanted = {target for half in seams.RELIED_ON
                  for target in seams.fingerprinted(half)}
        for row in series.SERIES:
            self.assertEqual(wanted, set(fingerprint.recorded(row)), row.name)

    def test_what_is_gone_has_changed(self):
        tree = series.detect()
        for target in ('nova.compute.api:API.no_such', 'nova.no_such:x',
                       'nova.compute.api:API.no_such.thing'):
            self.assertEqual(
                [target], fingerprint.changed([target], tree))

    def test_unknown_series_has_no_record(self):
        self.assertEqual(
            {}, fingerprint.recorded(series.Series('1999.1', 1, '2.1')))
