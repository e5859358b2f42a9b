# SPDX-License-Identifier: Apache-2.0

"""Hold the namespaces of a host, until it is told to end or killed.

Run as: holder.py FOLDER NAME GROUP. The pid of what is process 1 in them is in
the file ``pid`` of the folder while they are there.
"""

import os
import pathlib
import signal
import sys

import kernel

INIT = pathlib.Path(__file__).resolve().with_name('init.sh')


def main():
    folder, name, group = pathlib.Path(sys.argv[1]), *sys.argv[2:]
    record = folder / 'pid'
    record.unlink(missing_ok=True)
    (folder / 'ready').unlink(missing_ok=True)
    kernel.make_groups(group)
    kernel.join_groups(group)
    kernel.unshare(kernel.ALL)
    first = os.fork()
    if first == 0:
        # With the first process all of its namespace dies.
        kernel.die_with_parent(signal.SIGKILL)
        os.execv('/bin/bash', ['bash', str(INIT), str(folder), name, group])
    record.write_text(str(first))

    def end(_number, _frame):
        os.kill(first, signal.SIGKILL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    _pid, status = os.waitpid(first, 0)
    record.unlink(missing_ok=True)
    return 0 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if __name__ == '__main__':
    sys.exit(main())
