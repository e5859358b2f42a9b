# SPDX-License-Identifier: Apache-2.0

"""Where a cloud has its files and ports, and its secrets."""

import copy
import json
import pathlib
import secrets
import socket

from cloud.hosts import libvirt

DRIVERS = pathlib.Path(__file__).resolve().parent / 'hosts' / 'fake'
HOSTS = ('compute1', 'compute2', 'compute3')
# The hypervisors of a cloud; those of HOSTS are always there.
FAKE, LIBVIRT = 'fake', 'libvirt'
# Roles that the policy of Nova knows beside its own: users with the one may
# force a cold migration, with the other just name its host.
FORCE_ROLE, HOST_ROLE = 'coldmig-force', 'coldmig-host'
# Offsets from the base port.
PORTS = {name: offset for offset, name in enumerate((
    'mariadb', 'rabbitmq', 'epmd', 'distribution',
    'keystone', 'glance', 'placement', 'neutron', 'nova-api',
    # Where Placement listens if its requests are delayed.
    'placement-behind'))}
# Of what services run: the source tree, or a release that was built.
TREE, RELEASE = 'tree', 'release'
# A second super conductor, and the host that it says it is on.
BESIDE = 'beside'
FIRST_PORT, PORT_STEP, PORT_BLOCKS = 23000, 20, 400


def _free(base):
    for offset in PORTS.values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', base + offset))
            except OSError:
                return False
    return True


class Layout:
    """The files, ports and secrets of one cloud.

    What is chosen when it is first made is kept in ``settings.json`` in the
    state folder.

    :param state: pathlib.Path of the state folder
    :param venvs: pathlib.Path of the virtual environments of all series
    :param series: the series, if it is not chosen yet
    """

    def __init__(self, state, venvs, series):
        self.state = state
        self.etc = state / 'etc'
        self.logs = state / 'logs'
        self.run = state / 'run'
        self._settings = state / 'settings.json'
        self.settings = {}
        if self._settings.exists():
            self.settings = json.loads(self._settings.read_text())
        self.series = self.settings.get('series', series)
        self.venv = venvs / self.series
        self.bin = self.venv / 'bin'
        # Where a release of the package is installed, instead of this tree.
        self.release = venvs / (self.series + '-release')

    def choose(self, base_port=None, coldmig=True, virt=None):
        """Choose ports and passwords, if that is not done yet.

        Hosts with libvirt may be added to a cloud that was made without.
        """
        if not self.settings:
            if base_port is None:
                base_port = next(
                    base for base in range(
                        FIRST_PORT, FIRST_PORT + PORT_STEP * PORT_BLOCKS,
                        PORT_STEP) if _free(base))
            self.settings = {
                'series': self.series, 'base_port': base_port,
                'coldmig': coldmig, 'done': [],
                'password': secrets.token_hex(8)}
            self.save()
        if virt and virt != self.virt:
            self.settings['virt'] = virt
            self.save()

    def save(self):
        self.state.mkdir(parents=True, exist_ok=True)
        self._settings.touch(mode=0o600)
        self._settings.write_text(json.dumps(self.settings, indent=1))

    def port(self, name):
        return self.settings['base_port'] + PORTS[name]

    def url(self, name, path=''):
        return 'http://127.0.0.1:%d%s' % (self.port(name), path)

    @property
    def runs(self):
        """What services run of: {name: TREE or RELEASE}, TREE if not named."""
        return self.settings.get('runs', {})

    def of(self, service):
        """Return the layout with the environment that a service runs in.

        :param service: str, its name
        """
        if self.runs.get(service) != RELEASE:
            return self
        other = copy.copy(self)
        other.venv = self.release
        other.bin = other.venv / 'bin'
        return other

    @property
    def virt(self):
        """FAKE, or LIBVIRT if there are hosts with libvirt too."""
        return self.settings.get('virt', FAKE)

    @property
    def machines(self):
        """The hosts with libvirt, a tuple of str."""
        return libvirt.NAMES if self.virt == LIBVIRT else ()

    @property
    def hosts(self):
        """The hosts with a nova-compute, a tuple of str."""
        return HOSTS + self.machines

    @property
    def storage(self):
        """How hosts with libvirt keep disks, a cloud.hosts.libvirt.Storage."""
        return libvirt.Storage(**self.settings.get('storage', {}))

    @property
    def placement_delay(self):
        """Milliseconds that each request to Placement waits; 0 for none."""
        return self.settings.get('placement_delay', 0)

    @property
    def password(self):
        """The password of all users of this cloud."""
        return self.settings['password']

    def database(self, name):
        return 'mysql+pymysql://openstack:%s@127.0.0.1:%d/%s?charset=utf8' % (
            self.password, self.port('mariadb'), name)

    def transport(self, vhost):
        return 'rabbit://openstack:%s@127.0.0.1:%d/%s' % (
            self.password, self.port('rabbitmq'), vhost)

    def data(self, name):
        path = self.state / 'data' / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def machine(self, host):
        """Return the folder of a host with libvirt.

        :param host: str, one of cloud.hosts.libvirt.NAMES
        """
        return self.state / 'hosts' / host

    def compute(self, host):
        path = self.state / 'computes' / host
        path.mkdir(parents=True, exist_ok=True)
        return path
