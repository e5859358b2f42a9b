# SPDX-License-Identifier: Apache-2.0

"""Processes that outlive the program that started them.

Each is recorded by its pid and its start time, so that a pid that was given
to another process is never signalled. Each leads a session of its own, so
that what it forked is found too.
"""

import ipaddress
import json
import os
import pathlib
import signal as signals
import socket
import struct
import subprocess
import time

TICKS = os.sysconf('SC_CLK_TCK')
PAGE = os.sysconf('SC_PAGE_SIZE')


def _stat(pid):
    """Return the fields of /proc/PID/stat from the state on, or None."""
    try:
        text = pathlib.Path('/proc', str(pid), 'stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(')')[2].split()


def listeners(text):
    """Read who listens from a table of the kernel.

    :param text: what is in /proc/net/tcp or /proc/net/tcp6
    :returns: a dict of the inodes of sockets to (address, port), the address
        as of the module ipaddress
    """
    found = {}
    for line in text.splitlines()[1:]:
        fields = line.split()
        if fields[3] != '0A':
            continue
        address, port = fields[1].split(':')
        # Words in the order of the machine; ntohl is its own inverse.
        packed = b''.join(
            struct.pack('!L', socket.ntohl(int(address[start:start + 8], 16)))
            for start in range(0, len(address), 8))
        found[fields[9]] = ipaddress.ip_address(packed), int(port, 16)
    return found


class Process:
    """A recorded process.

    :param name: the name of the service
    :param record: pathlib.Path of the file to record it in
    :param log: pathlib.Path of the file for its output
    """

    def __init__(self, name, record, log):
        self.name = name
        self.record = record
        self.log = log

    def _read(self):
        try:
            return json.loads(self.record.read_text())
        except (FileNotFoundError, ValueError):
            return {}

    @property
    def pid(self):
        """The recorded pid if that process runs, else None."""
        recorded = self._read()
        stat = _stat(recorded['pid']) if recorded else None
        if not stat or stat[0] in 'ZX' or stat[19] != recorded['start_time']:
            return None
        return recorded['pid']

    @property
    def recorded(self):
        """Whether it was started and not stopped, running or not."""
        return bool(self._read())

    @property
    def state(self):
        """One of running, stopped (SIGSTOP), dead and down."""
        pid = self.pid
        if pid:
            stat = _stat(pid)
            return 'stopped' if stat and stat[0] == 'T' else 'running'
        return 'dead' if self.recorded else 'down'

    @property
    def uptime(self):
        """Seconds since it was started."""
        uptime = float(pathlib.Path('/proc/uptime').read_text().split()[0])
        return uptime - int(self._read()['start_time']) / TICKS

    def members(self):
        """Return the pids of the process and of what it forked."""
        recorded = self._read()
        if not recorded:
            return []
        found = []
        for entry in os.listdir('/proc'):
            stat = _stat(entry) if entry.isdigit() else None
            # The session of a process that is gone keeps its number as long
            # as it has members; one that is older is not ours.
            if (stat and stat[0] not in 'ZX'
                    and int(stat[3]) == recorded['pid']
                    and int(stat[19]) >= int(recorded['start_time'])):
                found.append(int(entry))
        return found

    @property
    def rss(self):
        """Bytes of memory of all members, shared pages split (PSS)."""
        total = 0
        for pid in self.members():
            try:
                text = pathlib.Path('/proc', str(pid),
                                    'smaps_rollup').read_text()
            except (OSError, ProcessLookupError):
                continue
            for line in text.splitlines():
                if line.startswith('Pss:'):
                    total += int(line.split()[1]) * 1024
        return total

    @property
    def listens(self):
        """What all members listen on: a sorted list of (address, port).

        An address is one of the module ipaddress.
        """
        inodes = set()
        for pid in self.members():
            try:
                for path in pathlib.Path('/proc', str(pid), 'fd').iterdir():
                    inodes.add(os.readlink(str(path)))
            except OSError:
                # It ended, or closed the file, meanwhile.
                continue
        known = {}
        for name in ('tcp', 'tcp6'):
            path = pathlib.Path('/proc/net', name)
            if path.exists():
                known.update(listeners(path.read_text()))
        return sorted(
            {listens for inode, listens in known.items()
             if 'socket:[%s]' % inode in inodes},
            key=lambda listens: (listens[0].version, *listens))

    def start(self, argv, env, cwd):
        """Start it, in a session of its own, its output in the log."""
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(str(self.log), 'ab') as log:
            started = subprocess.Popen(
                argv, env=env, cwd=str(cwd), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        stat = _stat(started.pid)
        # It can not be reaped before it is polled for, so it is there.
        partial = self.record.with_suffix('.new')
        partial.write_text(json.dumps(
            {'pid': started.pid, 'start_time': stat[19], 'argv': argv}))
        partial.replace(self.record)
        # Popen warns when it is collected while the process runs.
        started.returncode = 0

    def signal(self, number):
        """Send a signal to it and to all that it forked."""
        for pid in self.members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self, timeout, number=signals.SIGTERM):
        """Stop it; what is left after the timeout (seconds) is killed.

        :returns: whether it stopped by itself
        """
        pid = self.pid
        if pid:
            os.kill(pid, number)
            os.kill(pid, signals.SIGCONT)
            deadline = time.monotonic() + timeout
            while self.pid and time.monotonic() < deadline:
                time.sleep(0.1)
        graceful = self.pid is None
        self.kill()
        self.record.unlink(missing_ok=True)
        return graceful

    def kill(self):
        """End it and all that it forked at once, and wait for that."""
        while self.members():
            self.signal(signals.SIGKILL)
            time.sleep(0.05)
