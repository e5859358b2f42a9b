# SPDX-License-Identifier: Apache-2.0

"""What Python before 3.12 does not have of the kernel's namespaces."""

import ctypes
import os
import pathlib
import time

NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWPID, NEWNET = (
    0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x20000000, 0x40000000)
#: The files of /proc/PID/ns, in the order to enter them. The mounts come last:
#: before, the files of this machine are there.
KINDS = ('cgroup', 'ipc', 'uts', 'net', 'pid', 'mnt')
ALL = NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWPID | NEWNET
CGROUPS = pathlib.Path('/sys/fs/cgroup')
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *arguments):
    if function(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unshare(kinds):
    """Give this process namespaces of its own.

    :param kinds: int, of NEWNS and the like
    :raises: OSError
    """
    _call(_libc.unshare, kinds)


def enter(pid, kinds=KINDS):
    """Enter the namespaces of a process.

    :param pid: int
    :param kinds: iterable of str, as of KINDS
    :raises: OSError
    """
    files = [os.open('/proc/%d/ns/%s' % (pid, kind), os.O_RDONLY)
             for kind in kinds]
    for descriptor in files:
        enter_file(descriptor)


def enter_file(descriptor):
    """Enter a namespace, and close its file.

    :param descriptor: int, of an open file of /proc/PID/ns
    :raises: OSError
    """
    _call(_libc.setns, descriptor, 0)
    os.close(descriptor)


def first(record):
    """Return the pid of the first process of a host.

    :param record: pathlib.Path of the file that has it
    :returns: int, or None if the host is off
    """
    try:
        pid = int(record.read_text())
        # One that was killed has left the file, and its number may be that
        # of another process now.
        theirs = os.readlink('/proc/%d/ns/pid' % pid)
    except (OSError, ValueError):
        return None
    return pid if theirs != os.readlink('/proc/self/ns/pid') else None


def die_with_parent(number):
    """Have the kernel send this process a signal when its parent dies.

    :param number: int, the signal
    """
    _call(_libc.prctl, _PR_SET_PDEATHSIG, number)


def controllers():
    """List the hierarchies of version 1 of the control groups.

    :returns: list of pathlib.Path
    """
    return [path for path in sorted(CGROUPS.iterdir())
            if (path / 'cgroup.procs').exists() and path.name != 'unified']


def make_groups(name):
    """Make a control group in each hierarchy.

    :param name: str
    """
    for path in controllers():
        group = path / name
        group.mkdir(exist_ok=True)
        if (group / 'cpuset.cpus').exists():
            for option in ('cpuset.cpus', 'cpuset.mems'):
                (group / option).write_text((path / option).read_text())
            (group / 'cgroup.clone_children').write_text('1')


def join_groups(name):
    """Put this process into a control group of each hierarchy.

    :param name: str
    """
    for path in controllers():
        (path / name / 'cgroup.procs').write_text(str(os.getpid()))


def remove_groups(name, timeout=10):
    """Remove the control groups of a name, and those below.

    :param name: str
    :param timeout: seconds; processes that were killed leave them in time
    :raises: OSError, if one of them has a process after that
    """
    deadline = time.monotonic() + timeout
    for path in controllers():
        for group in [*sorted((path / name).rglob('*'), reverse=True),
                      path / name]:
            while group.is_dir():
                try:
                    group.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
