# SPDX-License-Identifier: Apache-2.0

"""What is read of the output of stestr."""

import re

TEST = re.compile(r'^\{\d+\} .* \.\.\. ')
IMPORT_FAILURE = re.compile(
    r'^(?:ImportError: )?Failed to import test module')
ID = re.compile(r'^[^\W\d]\w*(\.\w+){2,}\S*$')
# Tests between two lines that tell how far it is.
STEP = 50


def ids(lines):
    """Return the ids of tests that stestr lists, among what else it prints.

    :param lines: iterable of str
    :returns: list of str
    """
    return [line.strip() for line in lines if ID.match(line.strip())]


class Progress:
    """Follow a run of stestr, line by line.

    :param wanted: int, how many tests there are to run, or None.
    :param verbose: bool, whether all is shown.
    :ivar not_imported: int, modules that could not be imported.
    """

    def __init__(self, wanted=None, verbose=False):
        self._wanted = wanted
        self._verbose = verbose
        self._ran = 0
        self._shown = False
        self.not_imported = 0

    def read(self, line):
        """Take a line.

        :param line: str
        :returns: list of str, the lines to show.
        """
        said = []
        if TEST.match(line):
            self._ran += 1
            self._shown = line.endswith(' FAILED')
            if not self._ran % STEP:
                said.append('%d%s tests done' % (
                    self._ran,
                    ' of %d' % self._wanted if self._wanted else ''))
        elif line == 'Captured pythonlogging:':
            # It can be long, and is in the log.
            self._shown = False
        elif line.startswith('===='):
            # stestr goes on to discovery failures or the totals.
            self._shown = not self._ran
        self.not_imported += bool(IMPORT_FAILURE.match(line))
        if self._shown or self._verbose:
            said.append(line)
        return said
