# SPDX-License-Identifier: Apache-2.0

"""What can be seen and done on a host with libvirt."""

import os
import pathlib
import signal
import subprocess

from cloud.hosts import libvirt
from cloud.hosts.libvirt import console
from cloud.hosts.libvirt import services


class Host:
    """A host of a cloud, as somebody who is logged in there sees it.

    :param layout: cloud.layout.Layout
    :param name: str, one of cloud.hosts.libvirt.NAMES
    """

    def __init__(self, layout, name):
        self.name = name
        self._layout = layout
        self._folder = layout.machine(name)

    @property
    def instances(self):
        """The folder of disks, with what is mounted there."""
        if self.up:
            return pathlib.Path('/proc', str(self._first), 'root',
                                libvirt.INSTANCES[1:])
        if self._layout.storage.shared:
            return self._folder.parent / 'shared'
        return self._folder / 'var-lib-nova' / 'instances'

    @property
    def _first(self):
        """The pid of its first process, None if it is off."""
        return services.first(self._layout, self.name)

    @property
    def up(self):
        """Whether it is there at all."""
        return self._first is not None

    def run(self, *argv, check=True):
        """Run a program there.

        :param argv: of str
        :param check: bool, whether it has to succeed
        :returns: subprocess.CompletedProcess
        :raises: subprocess.CalledProcessError
        """
        return subprocess.run(
            services.enter(self._layout, self.name, argv),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True, check=check,
            timeout=60, env={'PATH': os.environ['PATH'],
                             'LANG': 'C.UTF-8', **services.ENVIRONMENT})

    def folders(self, uuid):
        """List the folders of a server, and how many bytes its disk has.

        :param uuid: str
        :returns: dict of the names of folders without the UUID, such as ''
            and _resize, to the bytes of the disk, None if there is none
        """
        found = {}
        for path in self.instances.glob(uuid + '*'):
            try:
                found[path.name[len(uuid):]] = (path / 'disk').stat().st_size
            except FileNotFoundError:
                found[path.name[len(uuid):]] = None
        return found

    def domain(self, uuid):
        """Return the state that libvirt tells of a server.

        :param uuid: str
        :returns: str, such as running or "shut off"; None if there is none
        """
        asked = self.run('virsh', '--quiet', 'domstate', uuid, check=False)
        if asked.returncode and 'failed to get domain' not in asked.stderr:
            raise RuntimeError(asked.stderr)
        return None if asked.returncode else asked.stdout.strip()

    def qemu(self, uuid):
        """Return the pid of the QEMU of a server.

        :param uuid: str
        :returns: int, or None; libvirt need not be there
        """
        found = self.processes(lambda argv: (
            b'qemu-system' in argv[0] and uuid.encode() in argv))
        return found[0] if found else None

    def processes(self, match):
        """Find processes of this host.

        :param match: callable that is given a list of bytes, the arguments
        :returns: list of int, pids as this machine has them
        """
        if not self.up:
            return []
        mine = _namespace(str(self._first))
        found = []
        for entry in os.listdir('/proc'):
            if not entry.isdigit():
                continue
            try:
                argv = pathlib.Path('/proc', entry, 'cmdline').read_bytes()
                if (argv and match(argv.split(b'\0'))
                        and _namespace(entry) == mine):
                    found.append(int(entry))
            except OSError:
                # It ended meanwhile.
                continue
        return found

    def copying(self, uuid):
        """Find what copies a disk of a server from here.

        :param uuid: str
        :returns: list of int, pids
        """
        return self.processes(lambda argv: (
            argv[0].rpartition(b'/')[2] in (b'scp', b'rsync', b'ssh')
            and any(uuid.encode() in argument for argument in argv)))

    def console(self, uuid, suffix=''):
        """Read what a guest said since it was started here last.

        :param uuid: str
        :param suffix: str, of the name of the folder
        :returns: cloud.hosts.libvirt.console.Boot, or None
        """
        path = self.instances / (uuid + suffix) / 'console.log'
        try:
            return console.read(path.read_text(errors='replace'))
        except FileNotFoundError:
            return None

    def compute(self):
        """Find nova-compute itself, without what it has started.

        :returns: list of int, pids
        """
        return self.processes(lambda argv: any(
            argument.endswith(b'/bin/nova-compute') for argument in argv[:2]))

    def signal(self, pids, number=signal.SIGKILL):
        """Send a signal to processes, if they are there yet.

        :param pids: list of int
        :param number: int
        """
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass


def _namespace(pid):
    return os.readlink('/proc/%s/ns/pid' % pid)
