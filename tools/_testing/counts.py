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
