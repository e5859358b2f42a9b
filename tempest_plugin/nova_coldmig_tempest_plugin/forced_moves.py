# SPDX-License-Identifier: Apache-2.0

"""How many forced moves a run of Tempest has made.

A test attaches what it saw Nova record of each move that it forced. The
attachments are in the results that stestr keeps.
"""

import sys
import typing as ty

import subunit
import testtools

DETAIL = 'forced-move'
"""The name of the attachment, or how it begins"""


def count(stream: ty.BinaryIO) -> int:
    """Count the forced moves in tests that passed.

    :param stream: binary file in the format of subunit 2
    :returns: int
    """
    moves: list[str] = []

    def add(test):
        if test['status'] == 'success':
            moves.extend(name for name in test['details']
                         if name.startswith(DETAIL))

    result = testtools.StreamToDict(add)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(stream, 'stdout').run(result)
    result.stopTestRun()
    return len(moves)


def main():
    """Read "stestr last --subunit" from the standard input.

    :returns: int, 1 if no forced move was made
    """
    moves = count(sys.stdin.buffer)
    if not moves:
        print('No forced move was made: this run says nothing of '
              'nova-coldmig, whatever has passed in it.')
        return 1
    print('%d forced moves were made.' % moves)
    return 0
