# SPDX-License-Identifier: Apache-2.0

"""Run tests by tox."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

import _common
from _testing import counts
from _testing import output

KINDS = ('unit', 'functional')
LOGS = _common.CACHE / 'logs'

# Run by the Python of a test environment: print what ran there.
REPORT = '''
import importlib.metadata, io, json, subprocess, sys
import subunit.v2, testtools
summary = testtools.StreamSummary()
summary.startTestRun()
last = subprocess.run(
    [sys.executable, '-m', 'stestr', '--repo-url', sys.argv[1], 'last',
     '--subunit'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
if last.stdout[:1] == subunit.v2.SIGNATURE:
    subunit.ByteStreamToStreamResult(io.BytesIO(last.stdout)).run(summary)
summary.stopTestRun()
try:
    nova = importlib.metadata.version('nova')
except importlib.metadata.PackageNotFoundError:
    nova = None
failed = summary.errors + summary.failures
print(json.dumps({
    'run': summary.testsRun,
    'failed': len(failed) + len(summary.unexpectedSuccesses),
    # What the fixture raises that ends a test after OS_TEST_TIMEOUT.
    'slow': [test.id() for test, text in failed
             if 'fixtures._fixtures.timeout.TimeoutException' in text],
    'skipped': len(summary.skipped),
    'python': '%d.%d.%d' % sys.version_info[:3],
    'nova': nova}))
'''


class Run:
    """Tests that are run by tox, and what came of them.

    :param name: str
    :param kinds: dict of the kind of tests to the environment of tox.
    :param pythons: versions to test with, the preferred one first.
    :param args: argparse.Namespace
    :param tools: pathlib.Path of the programs.
    :param regexes: dict of the kind of tests to regular expressions for those
        to run; all of a kind that has none.
    :ivar not_run: str, why this machine can not run them, or None.
    :ivar log_path: pathlib.Path of all the output.
    """

    # All environments are set up one after the other: building this package
    # writes into the source tree.
    setup_lock = threading.Lock()

    def __init__(self, name, kinds, pythons, args, tools, regexes):
        self.name = name
        self.kinds = kinds
        self.pythons = pythons
        self.args = args
        self.regexes = regexes
        self.tox = tools / 'tox'
        self.counts = {}
        self.python = self.nova = '-'
        self.seconds = 0
        self.not_run = None
        self.log_path = LOGS / (name + '.log')

    @property
    def total(self):
        return sum(self.counts.values(), counts.Counts())

    def fault(self):
        """Return why what was installed is not what was to be tested."""

    def say(self, text):
        # In one piece: another series prints at the same time.
        print('[%s] %s\n' % (self.name, text), end='', flush=True)

    def run(self):
        started = time.monotonic()
        with open(str(self.log_path), 'w') as self.log:
            try:
                self._run(_common.find_python(self.pythons))
            except _common.CannotRun as exc:
                self.not_run = exc.reason
                self.say('skipped. ' + exc.reason)
                self.log.write(exc.reason + '\n')
                self.counts = {kind: counts.Counts(skipped=1)
                               for kind in self.kinds}
        self.seconds = time.monotonic() - started
        return self

    def _run(self, python):
        self.environment = dict(os.environ, NO_COLOR='1')
        self.environment['TEST_CONCURRENCY'] = str(self.args.concurrency)
        self.environment['OS_TEST_TIMEOUT'] = str(self.args.limit)
        self.environment[
            'PYTHON_' + re.sub(r'\W', '_', self.name.upper())] = python
        with self.setup_lock:
            self.say('installing')
            ready = not self.tell(
                output.Progress(verbose=self.args.verbose),
                'run', '--notest', '-e', ','.join(self.kinds.values()))
        if not ready:
            self.counts = {kind: counts.Counts(failed=1)
                           for kind in self.kinds}
            self.say('could not be installed, see the end of %s:'
                     % self.log_path)
            self.log.flush()
            for line in self.log_path.read_text().splitlines()[-30:]:
                self.say(line)
            return
        for kind, name in self.kinds.items():
            self.counts[kind] = self.test(kind, name)
        if not self.total.ran:
            self.say('no test ran')
            self.counts[kind].failed = 1

    def test(self, kind, name):
        home = _common.ROOT / '.tox' / name
        # What an earlier run left must not pass for the results of this one.
        shutil.rmtree(str(home / '.stestr'), ignore_errors=True)
        regexes = self.regexes.get(kind, ())
        what = '%s tests' % kind if kind in KINDS else 'tests'
        found = self.list(home, name, regexes)
        with tempfile.NamedTemporaryFile('w', suffix='.ids') as ids:
            selected = list(regexes)
            if found:
                self.say('%d %s running' % (len(found), what))
                ids.write('\n'.join(found) + '\n')
                ids.flush()
                # stestr need not find them again.
                selected = ['--load-list', ids.name]
            progress = output.Progress(found and len(found),
                                       self.args.verbose)
            # Where they could not be listed, the run tells why.
            failed = found != [] and self.tell(
                progress, 'run', '--skip-pkg-install', '-e', name, '--',
                *selected)
        report = json.loads(subprocess.check_output(
            [str(home / 'bin' / 'python'), '-c', REPORT, str(home)],
            stdin=subprocess.DEVNULL))
        self.python, self.nova = report['python'], report['nova'] or '-'
        fault = self.fault()
        if fault:
            self.say(fault)
            return counts.Counts(failed=1)
        came = counts.Counts(
            report['run'] - report['failed'] - report['skipped'],
            report['failed'], report['skipped'], len(report['slow']))
        for test in report['slow']:
            self.say('too slow: %s was ended after %s s' % (
                test, self.args.limit))
        if not report['run']:
            came.failed = progress.not_imported
            # A regular expression may be meant for one kind of tests.
            if not progress.not_imported and not self.args.regex:
                self.say('no %s ran' % what)
                came.failed = 1
        elif failed and not came.failed:
            self.say('the %s passed, but the run failed' % what)
            came.failed = 1
        self.say('%s: %s' % (what, came))
        return came

    def list(self, home, name, regexes):
        """List the tests.

        :returns: list of str, the ids, or None if that fails
        """
        subprocess.call([str(home / 'bin' / 'stestr'), '--repo-url',
                         str(home), 'init'], stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        listed = subprocess.run(
            self.command('exec', '-qq', '-e', name, '--', 'stestr',
                         '--repo-url', str(home), 'list', *regexes),
            cwd=str(_common.ROOT), env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, encoding='utf-8', errors='replace')
        if not listed.returncode:
            return output.ids(listed.stdout.splitlines())

    def command(self, command, *args):
        return [str(self.tox), command, '--colored', 'no', '-c',
                str(_common.ROOT / 'tox.ini'), *args]

    def tell(self, progress, *args):
        """Run tox and tell how it goes on; return its exit status."""
        tox = subprocess.Popen(
            self.command(*args), cwd=str(_common.ROOT), env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding='utf-8', errors='replace')
        for line in tox.stdout:
            self.log.write(line)
            for said in progress.read(line.rstrip()):
                self.say(said)
        self.log.flush()
        return tox.wait()


class Series(Run):
    """The tests with one series of Nova.

    :param name: str, of the series.
    :param args: argparse.Namespace
    :param tools: pathlib.Path of the programs.
    :param regexes: as of Run.
    """

    def __init__(self, name, args, tools, regexes):
        super().__init__(
            name, {kind: '%s-%s' % (kind, name) for kind in KINDS
                   if not args.only or kind in args.only},
            _common.SERIES[name][2], args, tools, regexes)

    def fault(self):
        if self.nova.split('.')[0] != str(_common.SERIES[self.name][0]):
            return 'Nova %s is not of this series' % self.nova
