# SPDX-License-Identifier: Apache-2.0

"""Print the results of a run of stestr: JSON of test to status and reason."""

import io
import json
import subprocess
import sys

import subunit
import testtools


def read(repository):
    """Read the results of the last run.

    :param repository: str, URL of a repository of stestr.
    :returns: dict of test id to a list of a status of subunit, and a str that
        says why it was skipped or failed.
    """
    results = {}

    def on_test(test):
        # Discovery reports itself as something that is no test.
        if test['id'] and test['status'] != 'exists':
            results[test['id']] = [test['status'], _reason(test['details'])]

    result = testtools.StreamToDict(on_test)
    last = subprocess.run(
        [sys.executable, '-m', 'stestr', '--repo-url', repository, 'last',
         '--subunit'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(
        io.BytesIO(last.stdout), non_subunit_name='stdout').run(result)
    result.stopTestRun()
    results.pop('stdout', None)
    return results


def _reason(details):
    if 'reason' in details:
        return details['reason'].as_text().strip()
    tracebacks = [details[name].as_text().strip() for name in sorted(details)
                  if name.startswith('traceback')]
    # The last line can be the end of a long message; the first that is not
    # indented names the exception.
    for line in '\n'.join(tracebacks).splitlines():
        if line[:1].strip() and not line.startswith('Traceback'):
            return line[:200]
    return ''


if __name__ == '__main__':
    print(json.dumps(read(sys.argv[1])))
