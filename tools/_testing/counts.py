# SPDX-License-Identifier: Apache-2.0

"""Counts of tests."""


class Counts:
    """How many tests came out how.

    :param passed: int
    :param failed: int
    :param skipped: int
    :param slow: int, how many of those that failed did so by their limit.
    """

    def __init__(self, passed=0, failed=0, skipped=0, slow=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped
        self.slow = slow

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed,
                      self.skipped + other.skipped, self.slow + other.slow)

    @property
    def ran(self):
        """How many there are."""
        return self.passed + self.failed + self.skipped

    def __str__(self):
        text = '%d passed, %d failed' % (self.passed, self.failed)
        if self.skipped:
            text += ', %d skipped' % self.skipped
        return text
