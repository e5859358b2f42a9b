# SPDX-License-Identifier: Apache-2.0

"""How slow this machine is, and how long a test may take on it."""

import subprocess
import sys
import time

# What an idle machine takes for the work below, one such process on each of
# its processors.
REFERENCE = 0.45
WORK = 'x = 0\nfor i in range(4000000): x ^= i * i'
# The limit of a test on such a machine, in seconds. It is several times what
# the longest takes there.
LIMIT = 300
# A machine slower than this is not waited for.
MOST = 10


def slowness(processes):
    """Measure how much slower than an idle machine this one is.

    :param processes: int, how many are going to work at the same time.
    :returns: float, 1 or more.
    """
    started = time.monotonic()
    running = [subprocess.Popen([sys.executable, '-S', '-c', WORK],
                                stdin=subprocess.DEVNULL)
               for _ in range(processes)]
    for process in running:
        process.wait()
    return max(1.0, (time.monotonic() - started) / REFERENCE)


def limit(slower):
    """Return how long a test may take.

    :param slower: float, what slowness() returned.
    :returns: int, seconds.
    """
    return int(LIMIT * min(slower, MOST))
