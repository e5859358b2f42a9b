# SPDX-License-Identifier: Apache-2.0

"""Deaths on hosts with real guests, as a table, and what is asserted of each.

``deaths_libvirt.ini`` has the fields of ``deaths.ini``, and

``on.HOST``
    what is left on a host: the folders of the server, ``.`` for its own and
    ``_resize`` for the one that was set aside, each with ``whole``, ``part``
    or ``none``, which is said of the disk; then what libvirt says of it;
``storage``
    ``shared``, if the hosts share their directory of instances;
``newest``
    whose data has to be there in the end: of ``any`` host, by default, or of
    the ``source``, if a user has had the move reverted.

In the end the guest is started if it does not run, and tells what is on its
disks: all that it ever wrote and knew to be written, unless a user gave it up.
"""

import contextlib
import os
import signal
import time

from cloud.hosts import libvirt
from cloud import scene as scenes
from cloud.trials import deaths
from cloud import world as worlds

TABLE = 'deaths_libvirt.ini'
#: MiB of data that are copied, beside what a guest has anyway.
FILL = 160


class LibvirtScene(scenes.Scene):
    """As Scene, with what there is on hosts with libvirt."""

    def __init__(self, world, kind):
        super().__init__(world, kind)
        #: pids of what copies, and is held
        self._stopped = []
        #: Hosts where little room was made for a disk.
        self._small = set()
        #: Hosts whose libvirtd was killed.
        self._without = set()

    def begin(self, _ports):
        world = self.world
        self.server = world.make(
            world.source, config_drive=True, metadata={'fill': str(FILL)})
        boot = world.ready(self.server, world.source)
        self.lasting = boot.lasting()
        self.size = world.hosts[world.source].folders(self.server)['']

    def kill(self, *names):
        super().kill(*names)
        self._without.update(name.partition('-')[0] for name in names
                             if name.endswith('-libvirtd'))

    def tidy(self):
        # A nova-compute may wait for ever for a libvirtd that died.
        self.cloud.stop(list(self._without))
        for pid in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        try:
            super().tidy()
        finally:
            for name in self.world.names:
                self.enlarge(name)
            if hasattr(self, 'server'):
                self.world.clean(self.server)

    def copied(self, megabytes):
        """Hold the copy of the disk when so much of it is there."""
        source = self.world.hosts[self.world.source]
        there = self.world.hosts[self.world.destination]

        def size():
            return there.folders(self.server).get('') or 0

        self._fast('a copy of the disk', size)
        # To find them takes longer than to copy a part.
        self._stopped = source.copying(self.server)
        self._fast('a part of the copy', lambda: (
            size() >= int(megabytes) << 20), 0.001)
        source.signal(self._stopped, signal.SIGSTOP)
        if not self._stopped or size() >= self.size:
            raise worlds.Wrong('The copy was not held: %d bytes of %d' % (
                size(), self.size))

    def copy(self, what):
        """Have the held copy go on, or die."""
        source = self.world.hosts[self.world.source]
        if what == 'dies':
            source.signal(self._stopped)
        source.signal(self._stopped, signal.SIGCONT)
        self._stopped = []

    def alone(self, host):
        """Kill nova-compute, and nothing that it has started."""
        seen = self.world.hosts[host]
        pids = seen.compute()
        if not pids:
            raise worlds.Wrong('No nova-compute on %s' % host)
        seen.signal(pids)
        # What it leaves must not be taken for a part of the next one.
        worlds.until('the end of nova-compute', lambda: (
            self.cloud.service(host).pid is None), pause=0.05)
        self.cloud.service(host).record.unlink()

    def kills(self, what, host):
        """Kill QEMU or all of sshd, or cut the power of a host."""
        if what == 'qemu':
            seen = self.world.hosts[host]
            seen.signal([seen.qemu(self.server)])
        elif what == 'sshd':
            self.kill(host + '-sshd')
            seen = self.world.hosts[host]
            # Each connection has a process of its own.
            seen.signal(seen.processes(lambda argv: (
                argv[0].rpartition(b'/')[2].startswith((b'sshd', b'sftp')))))
        else:
            # The first process of a host ends when all others there have.
            super().kill(*(
                service.name for service in reversed(self.cloud.services)
                if service.name.startswith(host)
                or service.name == libvirt.WIRES))

    def full(self, host, megabytes):
        """Have little room for the disk of the server on a host."""
        self._small.add(host)
        self.world.hosts[host].run(
            'bash', '-ec', 'mkdir -p %(path)s; mount -t tmpfs -o size=%(size)s'
            'm tmpfs %(path)s' % {'path': self._path, 'size': megabytes})

    def enlarge(self, host):
        if host in self._small:
            self._small.discard(host)
            self.world.hosts[host].run('umount', self._path, check=False)
            self.world.hosts[host].run('rmdir', self._path, check=False)

    @property
    def _path(self):
        return '%s/%s' % (libvirt.INSTANCES, self.server)

    def on(self, host, *command):
        """Run a command of the recovery on a host, among its disks."""
        self.world.hosts[host].run(
            'bash', '-ec', 'cd %s; %s' % (
                libvirt.INSTANCES,
                ' '.join(command).replace('UUID', self.server)))

    def act(self, action):
        """Have Nova do something, and wait for it."""
        worlds.expect(action, 202, self.world.act(self.server, {
            'start': {'os-start': None},
            'reboot': {'reboot': {'type': 'HARD'}},
            'reset': {'os-resetState': {'state': 'active'}}}[action]))
        worlds.until('the end of it', lambda: (
            self.world.record(self.server)[2] is None))

    def _fast(self, what, done, pause=0.01):
        worlds.until(what, done, pause=pause)

    def until(self, what, *values):
        if what in ('task', 'migration', 'qemu', 'aside'):
            # What comes next is over in a second.
            self._fast(' '.join((what,) + values), lambda: getattr(
                self, '_is_' + what)(*values))
        else:
            super().until(what, *values)

    def _is_qemu(self, host):
        return self.world.hosts[host].qemu(self.server)

    def _is_aside(self, host):
        """The directory of the server was renamed, which begins the copy."""
        return '_resize' in self.world.hosts[host].folders(self.server)

    def _is_counting(self, host):
        """The guest came up there."""
        boot = self.world.hosts[host].console(self.server)
        return boot and boot.ready and boot.count > boot.began


def is_lost(counts, boot):
    """Tell whether a guest began without what another start of it had written.

    :param counts: dict of the names of starts to the last of the counter that
        each has written to a disk
    :param boot: cloud.hosts.libvirt.console.Boot, the start that is there
    :returns: bool
    """
    return any(count > boot.began for name, count in counts.items()
               if name != boot.name)


class LibvirtTrial(deaths.Trial):
    """Runs a case of the table of this module.

    :param world: cloud.trials.guests.GuestWorld
    :param case: cloud.trials.deaths.Case
    """

    def run(self):
        self.world.cloud.keep_disks(libvirt.Storage(
            shared=self.case.own.get('storage') == 'shared'))
        return super().run()

    def make_scene(self):
        return LibvirtScene(self.world, self.case.kind)

    def _elsewhere(self, host):
        first, second = self.world.names
        return second if host == first else first

    def disks(self):
        """Tell what each host has of the server.

        :returns: dict of str
        """
        found = {}
        for name, host in self.world.hosts.items():
            if not host.up:
                found[name] = 'off'
                continue
            parts = []
            for suffix, size in sorted(host.folders(self.server).items()):
                parts.append('%s %s' % (
                    suffix or '.', 'none' if size is None else
                    'whole' if size >= self.scene.size else 'part'))
            try:
                state = host.domain(self.server)
            except RuntimeError:
                state = 'libvirt is dead'
            parts.append(state or '-')
            found[name] = ', '.join(parts)
        return found

    def _left(self):
        #: {start of a guest: the last of the counter that it wrote to a disk}
        self.counts = {}
        self._listen()
        try:
            super()._left()
        finally:
            self.seen.update({'on.' + host: disks for host, disks
                              in self.disks().items()})
            self._listen()
        for host in self.world.names:
            worlds.expect('what is on %s' % host,
                          self.case.own.get('on.' + host),
                          self.seen['on.' + host])

    def _listen(self):
        """Remember what guests wrote to a disk, before it is gone."""
        hosts = self.world.hosts
        names = ([self.world.source]
                 if self.case.own.get('newest') == 'source' else list(hosts))
        for name in names:
            for suffix in ('', '_resize'):
                boot = hosts[name].console(self.server, suffix)
                if boot and boot.name and boot.count is not None:
                    self.counts[boot.name] = max(
                        boot.count, self.counts.get(boot.name, 0))

    def _usable(self):
        """The guest is there once, with the newest of its data."""
        case, world, server = self.case, self.world, self.server
        self._then()
        host, status = case.ends
        if status == 'VERIFY_RESIZE':
            self._listen()
            worlds.expect('confirm', 204, world.act(
                server, scenes.ACTIONS['confirm']))
            worlds.until('the confirmation', lambda: (
                world.states(server)[0] in ('ACTIVE', 'SHUTOFF')))
        self._listen()
        worlds.until('no task', lambda: world.record(server)[2] is None)
        if world.record(server)[1] == 'stopped':
            self.scene.act('start')
        elif not world.guests(server).get(host):
            self.scene.act('reboot')
        self.scene.until('counting', host)
        boot = world.hosts[host].console(server)
        self.seen['data'] = 'counted %s; the guest that is there from %d' % (
            ', '.join(map(str, self.counts.values())), boot.began)
        worlds.expect('what is on the disks', self.scene.lasting,
                      boot.lasting())
        if is_lost(self.counts, boot):
            raise worlds.Wrong('The newest data is gone: ' + self.seen['data'])
        worlds.until('in order', lambda: world.check_in_order(
            server, host, [self._elsewhere(host)]), 60)
        worlds.expect('check', (0, []), world.manage(
            'check', '--all', '--idle', '0'))
        world.check_capacity()
        self.seen['in the end'] = str(self.disks())
        world.delete(server)
        worlds.expect('held in the end', {}, {
            host: held for host, held in world.held().items() if held})

    def _tell(self):
        """Of a case that is not known yet, only look."""
        time.sleep(deaths.IDLE)
        for told, *arguments in (('check',), ('repair', *self._words())):
            self.seen['%s would' % told] = [
                (one.get('findings', one.get('finding')), one['repair'],
                 one.get('outcome'), one.get('reason'))
                for one in self.world.manage(
                    told, *self._idle(*arguments))[1]]
