# SPDX-License-Identifier: Apache-2.0

"""Run a program on a host, in its namespaces and control groups.

Run as: enter.py FOLDER GROUP PROGRAM [ARGUMENT]... . What ends this process
ends the program.
"""

import os
import pathlib
import signal
import sys

import kernel


def main():
    folder, group, *argv = sys.argv[1:]
    holder = int(pathlib.Path(folder, 'pid').read_text())
    kernel.join_groups(group)
    kernel.enter(holder)
    os.chdir('/')
    # A process is in a namespace of processes from its birth only.
    pid = os.fork()
    if pid == 0:
        kernel.die_with_parent(signal.SIGKILL)
        os.execvp(argv[0], argv)

    def pass_on(number, _frame):
        os.kill(pid, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    _pid, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) & 0xff


if __name__ == '__main__':
    sys.exit(main())
