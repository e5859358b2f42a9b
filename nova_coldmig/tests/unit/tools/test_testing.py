# SPDX-License-Identifier: Apache-2.0

import contextlib
import importlib.machinery
import importlib.util
import io
import types
import unittest
from unittest import mock

import fixtures
from oslotest import base

from nova_coldmig.tests.unit import tools

import _common  # noqa: H306
from _testing import counts
from _testing import output
from _testing import run
from _testing import selection
from _testing import speed


def program(name):
    """Import a program of tools, which has no suffix."""
    loader = importlib.machinery.SourceFileLoader(
        'tools_' + name, str(tools.TOOLS / name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class CountsTest(base.BaseTestCase):

    def test_text(self):
        self.assertEqual('1 passed, 0 failed', str(counts.Counts(1)))
        self.assertEqual('1 passed, 2 failed, 3 skipped',
                         str(counts.Counts(1, 2, 3)))

    def test_sum(self):
        total = counts.Counts(1, 2, 3, 1) + counts.Counts(10, 20, 30, 2)
        self.assertEqual((11, 22, 33, 3), (
            total.passed, total.failed, total.skipped, total.slow))
        self.assertEqual(66, total.ran)


class SpeedTest(base.BaseTestCase):

    def test_limit(self):
        self.assertEqual(speed.LIMIT, speed.limit(1.0))
        self.assertEqual(3 * speed.LIMIT, speed.limit(3.0))
        self.assertEqual(speed.MOST * speed.LIMIT, speed.limit(1000))

    def test_measured(self):
        with mock.patch.object(speed, 'REFERENCE', 1000):
            self.assertEqual(1.0, speed.slowness(1))
        with mock.patch.object(speed, 'REFERENCE', 1e-6):
            self.assertLess(1000, speed.slowness(1))


class OutputTest(base.BaseTestCase):

    def said(self, progress, *lines):
        return [said for line in lines for said in progress.read(line)]

    def test_ids(self):
        self.assertEqual(
            ['a.b.C.test_d', 'a.b.C.test_e_1_x'], output.ids([
                'a.b.C.test_d\n', '', 'If you use it, see the page:',
                '  import eventlet  # noqa', 'a.b.C.test_e_1_x']))

    def test_how_far(self):
        lines = ['{0} a.b.C.test_%d [0.1s] ... ok' % n for n in range(120)]
        self.assertEqual(
            ['50 of 120 tests done', '100 of 120 tests done'],
            self.said(output.Progress(120), *lines))
        self.assertEqual(['50 tests done', '100 tests done'],
                         self.said(output.Progress(), *lines))

    def test_failures_are_shown_without_logs(self):
        self.assertEqual(
            ['{0} a.b.C.test_d [0.1s] ... FAILED', 'Traceback'],
            self.said(output.Progress(2),
                      '{0} a.b.C.test_d [0.1s] ... FAILED', 'Traceback',
                      'Captured pythonlogging:', 'DEBUG',
                      '{1} a.b.C.test_e [0.1s] ... ok'))

    def test_modules_that_can_not_be_imported(self):
        progress = output.Progress()
        shown = self.said(progress, '=====', 'Failures',
                          'Failed to import test module: a.b')
        self.assertEqual(1, progress.not_imported)
        self.assertIn('Failed to import test module: a.b', shown)


class SelectionTest(base.BaseTestCase):
    """The short set is there, and is not all there is."""

    FOLDERS = {'functional': tools.ROOT / 'nova_coldmig/tests/functional',
               'client': tools.ROOT / 'client/nova_coldmig_client/tests'}

    def test_modules(self):
        self.assertEqual((), selection.SHORT['unit'])
        for kind, folder in self.FOLDERS.items():
            names = [
                '.'.join(path.relative_to(tools.ROOT).with_suffix('').parts)
                + '.' for path in folder.rglob('test_*.py')]
            left = set(names)
            for regex in selection.SHORT[kind]:
                found = {name for name in names
                         if output.re.search(regex, name)}
                self.assertTrue(found, regex)
                left -= found
            self.assertTrue(left)

    def test_kinds(self):
        self.assertEqual(set(run.KINDS) | {'client'}, set(selection.SHORT))


class ReportTest(base.BaseTestCase):
    """What tools/test makes of what its runs came to."""

    def setUp(self):
        super().setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.test = program('test')
        self.args = types.SimpleNamespace(limit=300, only=None, regex=[])

    def run_of(self, name='2026.2', not_run=None, **came):
        done = run.Run(name, {'unit': 'unit'}, (), self.args,
                       tools.TOOLS, {})
        done.counts = {'unit': counts.Counts(**came)}
        done.not_run = not_run
        return done

    def report(self, *done, style_passed=True):
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            code = self.test.report(self.args, [], list(done), style_passed)
        return code, text.getvalue().splitlines()

    def test_passed(self):
        code, lines = self.report(self.run_of(passed=3))
        self.assertEqual((0, '3 passed, 0 failed'), (code, lines[-1]))

    def test_failed(self):
        code, lines = self.report(self.run_of(passed=3, failed=1))
        self.assertEqual((1, '3 passed, 1 failed'), (code, lines[-1]))
        self.assertTrue([line for line in lines if '2026.2.log' in line])
        self.assertFalse([line for line in lines if 'too slow' in line])

    def test_too_slow(self):
        code, lines = self.report(self.run_of(passed=3, failed=2, slow=1))
        self.assertEqual(1, code)
        self.assertEqual(
            '1 of those that failed were ended by the limit of 300 s: too '
            'slow, or they hang. OS_TEST_TIMEOUT sets another limit.',
            lines[-2])

    def test_skipped_is_green_if_others_ran(self):
        code, lines = self.report(
            self.run_of(passed=3),
            self.run_of('client-2024.1', 'No Python.', skipped=1))
        self.assertEqual(0, code)
        self.assertEqual(['Not run: client-2024.1: No Python.',
                          '3 passed, 0 failed, 1 skipped'], lines[-2:])

    def test_nothing_ran(self):
        code, lines = self.report(
            self.run_of('client-2024.1', 'No Python.', skipped=1))
        self.assertEqual(self.test.ALL_SKIPPED, code)
        self.assertNotEqual(0, code)
        self.assertEqual('0 passed, 0 failed, 1 skipped', lines[-1])

    def test_nothing_ran_and_bad_style(self):
        code, _lines = self.report(
            self.run_of('client-2024.1', 'No Python.', skipped=1),
            style_passed=False)
        self.assertEqual(1, code)

    def test_a_run_without_its_python(self):
        with mock.patch.object(run, 'LOGS', tools.Path(self.folder)), \
                contextlib.redirect_stdout(io.StringIO()):
            done = run.Run('old', {'unit': 'unit-old'}, ('2.4',), self.args,
                           tools.TOOLS, {}).run()
        self.assertEqual((0, 0, 1), (done.total.passed, done.total.failed,
                                     done.total.skipped))
        # The log that is pointed to is there, and says it.
        self.assertIn('No Python 2.4', done.log_path.read_text())


class TimeoutTest(base.BaseTestCase):
    """The limit is recognized in what the fixture leaves."""

    def test_text(self):
        class Slow(unittest.TestCase):
            def test(self):
                with fixtures.Timeout(1, gentle=True):
                    import time
                    time.sleep(5)

        result = unittest.TestResult()
        Slow('test').run(result)
        ((_test, text),) = result.errors
        self.assertIn('fixtures._fixtures.timeout.TimeoutException', text)
        self.assertIn('fixtures._fixtures.timeout.TimeoutException',
                      run.REPORT)


class SeriesTest(base.BaseTestCase):

    def test_fault(self):
        args = types.SimpleNamespace(only=None)
        series = run.Series(_common.NEWEST, args, tools.TOOLS, {})
        series.nova = '1.0'
        self.assertIn('not of this series', series.fault())
        series.nova = '%d.0' % _common.SERIES[_common.NEWEST][0]
        self.assertIsNone(series.fault())
