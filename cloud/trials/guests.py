# SPDX-License-Identifier: Apache-2.0

"""Moves of real guests between hosts with libvirt, as a table.

``guests.ini`` has what is combined: each storage with each server with each
move. A server is made once for a storage, and makes its moves one after the
other. After each of them

* the guest has the random data that it wrote when it was made, on each of its
  disks, and the counter that it keeps on its disk, which it had when it was
  shut down;
* it was started again once, or not at all if the move was refused;
* it is on its host alone, and runs there if it did before;
* Placement has the allocation of one flavor on that host, and nothing else;
* the host that it left has no file of it.
"""

import collections
import configparser
import math
import pathlib
import threading
import time

from cloud.hosts import libvirt
from cloud.hosts.libvirt import console
from cloud.hosts.libvirt import guest as image_of
from cloud.hosts.libvirt import host as hosts
from cloud import scene as scenes
from cloud import world as worlds

#: name: str; flavor: str, of cloud.hosts.libvirt.guest; config_drive: bool;
#: stopped: bool
Kind = collections.namedtuple('Kind', 'name flavor config_drive stopped')
#: name: str; way: str, forced or checked; disabled: bool, whether the
#: destination is; end: str, confirm, revert or refused
Move = collections.namedtuple('Move', 'name way disabled end')
#: storage: str; kind: str; move: str; arrived, down: seconds or None, from the
#: request to VERIFY_RESIZE, and that the guest did not run; wrong: str, or
#: None
Row = collections.namedtuple('Row', 'storage kind move arrived down wrong')


class Table:
    """What guests.ini has.

    :ivar storages: dict of str to cloud.hosts.libvirt.Storage
    :ivar kinds: dict of str to Kind
    :ivar moves: dict of str to Move
    :ivar short: list of tuples of three names
    """

    def __init__(self):
        parser = configparser.ConfigParser()
        parser.optionxform = str
        path = pathlib.Path(__file__).with_name('guests.ini')
        parser.read_string(path.read_text())
        self.storages, self.kinds, self.moves = {}, {}, {}
        for name, words in parser['storages'].items():
            images, transport, *rest = words.split()
            self.storages[name] = libvirt.Storage(
                images, transport, rest == ['shared'])
        for name, words in parser['servers'].items():
            flavor, *rest = words.split()
            self.kinds[name] = Kind(name, flavor, 'config-drive' in rest,
                                    'stopped' in rest)
        for name, words in parser['moves'].items():
            way, state, end = words.split()
            self.moves[name] = Move(name, way, state == 'disabled', end)
        self.short = [tuple(part.strip() for part in row.split(';'))
                      for row in parser['short'].values()]

    def rows(self):
        """Return all combinations, as tuples of three names."""
        return [(storage, kind, move) for storage in self.storages
                for kind in self.kinds for move in self.moves]


class GuestWorld(worlds.World):
    """The cloud, as one that moves real guests in it sees it.

    :param cloud: cloud.cloud.Cloud, which is up, with hosts with libvirt
    """

    names = libvirt.NAMES
    source, destination = libvirt.NAMES
    other = None

    def __init__(self, cloud):
        super().__init__(cloud)
        self.hosts = {name: hosts.Host(cloud.layout, name)
                      for name in self.names}
        self.flavors = {
            flavor['name']: flavor for flavor in self._read(
                'nova-api', '/v2.1/flavors/detail')['flavors']}
        self.images = {image['name']: image['id'] for image in self._read(
            'glance', '/v2/images')['images']}

    def guests(self, uuid):
        """As World, by libvirt; by QEMU where that does not answer."""
        found = {}
        for name, host in self.hosts.items():
            try:
                state = host.domain(uuid) if host.up else None
            except RuntimeError:
                state = 'running' if host.qemu(uuid) else None
            if state is not None:
                found[name] = state == 'running'
        return found

    def has_no_guest(self, uuid, host):
        """As World, which is about guests that pretend.

        One that is off may have written before; one that has booted has said
        so on its console.
        """
        seen = self.hosts[host]
        return host == self.source or not seen.up or (
            host not in self.guests(uuid) and seen.console(uuid) is None)

    def make(self, host, flavor=image_of.FLAVOR, image=image_of.IMAGE,
             config_drive=False, metadata=None):
        """Make a server, and wait until its guest runs and wrote its data.

        :param host: str
        :param flavor: str, a name
        :param image: str, a name
        :param config_drive: bool
        :param metadata: dict of str
        :returns: str, its UUID
        """
        flavor = self.flavors[flavor]
        self.resources = {
            'VCPU': flavor['vcpus'], 'MEMORY_MB': flavor['ram'],
            'DISK_GB': flavor['disk'] + flavor['OS-FLV-EXT-DATA:ephemeral']
            + math.ceil(int(flavor['swap'] or 0) / 1024)}
        uuid = self.boot(
            host, name='guest', flavorRef=flavor['id'],
            imageRef=self.images[image], config_drive=config_drive,
            metadata=metadata or {})
        self.ready(uuid, host)
        return uuid

    def ready(self, uuid, host, boots=1, timeout=180):
        """Wait until a guest came up on a host, and counts.

        :param uuid: str
        :param host: str
        :param boots: int, how often it was started by then
        :param timeout: seconds
        :returns: cloud.hosts.libvirt.console.Boot
        """
        def came():
            boot = self.hosts[host].console(uuid)
            return (boot is not None and boot.ready and boot.boots == boots
                    and boot.count > boot.began and boot)

        return worlds.until('the guest %s on %s, start %d' % (
            uuid, host, boots), came, timeout, 0.1)

    def status(self, uuid, status, timeout=300):
        """Wait until a server has a status and no task.

        :param uuid: str
        :param status: str
        :param timeout: seconds
        """
        def is_so():
            now, task = self.states(uuid)
            if task is None and now == 'ERROR' != status:
                raise worlds.Wrong(str(self.server(uuid).get('fault')))
            return (now, task) == (status, None)

        worlds.until('%s is %s' % (uuid, status), is_so, timeout, 0.2)

    def start(self, uuid, host, boots):
        """Start a server, and wait for its guest; see ready."""
        worlds.expect('start', 202, self.act(uuid, {'os-start': None}))
        self.status(uuid, 'ACTIVE')
        return self.ready(uuid, host, boots)

    def stop(self, uuid, host):
        """Stop a server.

        :returns: cloud.hosts.libvirt.console.Boot, the last words
        """
        worlds.expect('stop', 202, self.act(uuid, {'os-stop': None}))
        self.status(uuid, 'SHUTOFF')
        return self.hosts[host].console(uuid)

    def clean(self, uuid):
        """Remove what a server that is gone has left on its hosts.

        :param uuid: str
        """
        for host in self.hosts.values():
            host.run('bash', '-c', 'virsh destroy %(uuid)s; '
                     'virsh undefine %(uuid)s; rm -rf %(path)s/%(uuid)s*' % {
                         'uuid': uuid, 'path': libvirt.INSTANCES}, check=False)

    def check_clean(self):
        """The operator is told that all is in order.

        :raises worlds.Wrong: if not
        """
        worlds.expect('check', (0, []), self.manage(
            'check', '--all', '--idle', '0'))


class Watch:
    """Sees when a guest spoke last on one host, and first on another.

    :param source: pathlib.Path, of where the guest is: folders of servers
    :param uuid: str
    """

    def __init__(self, source, uuid):
        self._paths = [source / (uuid + suffix) / 'console.log'
                       for suffix in ('', '_resize')]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        #: Seconds as of time.time, and the counter; or None
        self.last = self.count = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        self._done.set()
        self._thread.join()

    def _look(self):
        while not self._done.wait(0.05):
            for path in self._paths:
                try:
                    boot = console.read(path.read_text(errors='replace'))
                    if boot and boot.ended and self.last is None:
                        self.last = path.stat().st_mtime
                        self.count = boot.count
                except OSError:
                    # It is renamed meanwhile.
                    continue


class Life:
    """A server, from its making to its end.

    :param world: GuestWorld
    :param storage: str, its name
    :param kind: Kind
    """

    def __init__(self, world, storage, kind):
        self.world = world
        self.storage = storage
        self.kind = kind
        self.host, self.other = libvirt.NAMES
        self.boots = 1

    def begin(self):
        """Make the server."""
        self.uuid = self.world.make(
            self.host, self.kind.flavor,
            config_drive=self.kind.config_drive,
            metadata={'fill': '32'} if self.kind.config_drive else None)
        self.known = self.world.ready(self.uuid, self.host).lasting()
        # What it does not see in the beginning, it can not lose.
        has = {'marker', 'port'}
        if self.kind.config_drive:
            worlds.expect('the UUID in the config drive', self.uuid,
                          self.known['config'])
            has |= {'config', 'fill'}
        if self.kind.flavor == image_of.EXTRA_FLAVOR:
            has |= {'ephemeral', 'swap'}
        worlds.expect('what the guest has', has, {
            name for name, value in self.known.items() if value})
        self.state = 'active'
        if self.kind.stopped:
            self.count = self.world.stop(self.uuid, self.host).count
            self.state = 'stopped'

    def run(self, move):
        """Make a move, and look at all there is.

        :param move: Move
        :returns: Row
        """
        arrived = down = wrong = None
        try:
            self.world.set_status(
                self.other, 'disabled' if move.disabled else 'enabled')
            try:
                arrived, down = self._move(move)
            finally:
                self.world.set_status(self.other, 'enabled')
            self._look(move)
        except (worlds.Wrong, worlds.rest.Error) as error:
            wrong = str(error)
        return Row(self.storage, self.kind.name, move.name, arrived, down,
                   wrong)

    def _move(self, move):
        world, uuid = self.world, self.uuid
        source = world.hosts[self.host].instances
        with Watch(source, uuid) as watch:
            began = time.monotonic()
            worlds.expect('the answer', 202, world.migrate(
                uuid, self.other, move.way))
            if move.end == 'refused':
                return self._refused()
            world.status(uuid, 'VERIFY_RESIZE')
            arrived = time.monotonic() - began
            down = self._came_up(self.other, watch)
            if down is not None:
                down -= watch.last
        if move.end == 'revert':
            worlds.expect('revert', 202, world.act(
                uuid, scenes.ACTIONS['revert']))
            world.status(uuid, 'SHUTOFF' if self.kind.stopped else 'ACTIVE')
            # What the guest wrote on the destination is gone with it.
            self._came_up(self.host, watch)
        else:
            if not self.kind.stopped:
                self.boots += 1
            worlds.expect('confirm', 204, world.act(
                uuid, scenes.ACTIONS['confirm']))
            world.status(uuid, 'SHUTOFF' if self.kind.stopped else 'ACTIVE')
            self.host, self.other = self.other, self.host
        return arrived, down

    def _refused(self):
        """It goes on where it is, and was not disturbed."""
        self.world.status(self.uuid,
                          'SHUTOFF' if self.kind.stopped else 'ACTIVE')
        worlds.expect('where it is', self.host,
                      self.world.record(self.uuid)[0])
        statuses = [migration['status'] for migration
                    in self.world.migrations(self.uuid)]
        worlds.expect('the record', ['error'], statuses[:1])
        return None, None

    def _came_up(self, host, watch):
        """The guest came up on a host, with what it had when it was shut down.

        :returns: when, seconds as of time.time; None if it did not run before
        """
        if self.kind.stopped:
            return None
        boot = self.world.ready(self.uuid, host, self.boots + 1)
        now = time.time()
        if watch.last is None:
            raise worlds.Wrong('The guest was not shut down, but killed.')
        worlds.expect('what is on the disks', self.known, boot.lasting())
        worlds.expect('the counter', watch.count, boot.began)
        return now

    def _look(self, move):
        """All is as the move has to leave it."""
        world, uuid = self.world, self.uuid
        worlds.until('in order', lambda: world.check_in_order(
            uuid, self.host, state=self.state), 60)
        shared = world.cloud.layout.storage.shared
        for name, host in world.hosts.items():
            folders = set(host.folders(uuid))
            here = {''} if name == self.host or shared else set()
            worlds.expect('folders on %s' % name, here, folders)
        if self.kind.stopped:
            # What is on its disks can only be asked when it runs.
            self.boots += 1
            boot = world.start(uuid, self.host, self.boots)
            worlds.expect('what is on the disks', self.known, boot.lasting())
            worlds.expect('the counter', self.count, boot.began)
            self.count = world.stop(uuid, self.host).count
        else:
            if move.end == 'revert':
                self.boots += 1
            boot = world.hosts[self.host].console(uuid)
            worlds.expect('starts', self.boots, boot.boots)

    def end(self):
        """Delete the server; the hosts have nothing of it then.

        :raises worlds.Wrong: if they do
        """
        self.world.check_clean()
        self.world.delete(self.uuid)
        for name, host in self.world.hosts.items():
            worlds.until('that %s has nothing of it' % name, lambda host=host:
                         not host.folders(self.uuid)
                         and host.domain(self.uuid) is None, 60)


def run(world, table, rows, tell):
    """Run rows of the table.

    :param world: GuestWorld
    :param table: Table
    :param rows: list of tuples of three names
    :param tell: callable that is given each Row when it is known
    """
    lives = collections.OrderedDict()
    for storage, kind, move in rows:
        lives.setdefault((storage, kind), []).append(move)
    for (storage, kind), moves in lives.items():
        world.cloud.keep_disks(table.storages[storage])
        life = Life(world, storage, table.kinds[kind])
        done = 0
        try:
            life.begin()
            for move in moves:
                row = life.run(table.moves[move])
                if not row.wrong and move == moves[-1]:
                    life.end()
                tell(row)
                done += 1
                if row.wrong:
                    break
        except (worlds.Wrong, worlds.rest.Error) as error:
            tell(Row(storage, kind, moves[done], None, None, str(error)))
            done += 1
        for move in moves[done:]:
            tell(Row(storage, kind, move, None, None,
                     'not tried, as the one before it failed'))
        world.wipe()
        # Nova leaves what the source has of a server whose state was reset.
        if hasattr(life, 'uuid'):
            world.clean(life.uuid)
