# SPDX-License-Identifier: Apache-2.0

"""The services of hosts with libvirt, as a table in the order to start them.

The stages are between those of Nova and of its computes.
"""

import pathlib

from cloud.hosts import libvirt
from cloud.hosts.libvirt import kernel
from cloud.processes import process

HERE = pathlib.Path(libvirt.__file__).resolve().parent
DAEMONS = {
    'sshd': ['/usr/sbin/sshd', '-D', '-e'],
    'virtlogd': ['/usr/sbin/virtlogd'],
    'libvirtd': ['/usr/sbin/libvirtd'],
}
SOCKETS = {'virtlogd': 'run/libvirt/virtlogd-sock',
           'libvirtd': 'run/libvirt/libvirt-sock'}
SSH_PORT = 22
NAMES = libvirt.NAMES
#: Of root, as sshd, ssh and libvirt look there.
ENVIRONMENT = {'HOME': '/root'}
#: The names of all services of the hosts.
ALL = (*(name + libvirt.HOLDER for name in NAMES), libvirt.WIRES,
       *('%s-%s' % (name, daemon) for name in NAMES for daemon in DAEMONS),
       *NAMES)


def group(layout, name):
    """Return the name of the control groups of a host.

    :param layout: cloud.layout.Layout
    :param name: str
    :returns: str; it tells apart the hosts of clouds beside each other.
    """
    return '%s%d-%s' % (libvirt.GROUP, layout.settings['base_port'], name)


def first(layout, name):
    """Return the pid of the first process of a host.

    :param layout: cloud.layout.Layout
    :param name: str
    :returns: int, or None if the host is off
    """
    return kernel.first(layout.machine(name) / libvirt.RECORD)


def _listens(pid):
    """Return the ports that somebody listens on, in a host."""
    found = set()
    for kind in ('tcp', 'tcp6'):
        try:
            text = pathlib.Path('/proc', str(pid), 'net', kind).read_text()
        except OSError:
            continue
        found |= {port for _address, port in process.listeners(text).values()}
    return found


def enter(layout, name, argv):
    """Return the command that runs a program on a host.

    :param layout: cloud.layout.Layout
    :param name: str, of the host
    :param argv: list of str
    :returns: list of str
    """
    return [str(arg) for arg in (
        layout.bin / 'python', HERE / 'enter.py', layout.machine(name),
        group(layout, name), *argv)]


def _ready_host(layout, name):
    # One that was killed has left the file.
    return (first(layout, name) is not None and
            (layout.machine(name) / 'ready').exists())


def _ready_daemon(layout, name, daemon):
    pid = first(layout, name)
    if pid is None:
        return False
    if daemon == 'sshd':
        return SSH_PORT in _listens(pid)
    return pathlib.Path('/proc', str(pid), 'root', SOCKETS[daemon]).exists()


def table(layout, service, stages):
    """Return the services of the hosts, but for nova-compute.

    :param layout: cloud.layout.Layout
    :param service: class, cloud.services.services.Service
    :param stages: tuple of three stages: of the hosts, of what joins them, and
        of their daemons
    :returns: list of Service
    """
    machines, wires, daemons = stages
    python = layout.bin / 'python'
    ports = sorted(layout.port(name) for name in (
        'rabbitmq', 'keystone', 'glance', 'placement', 'neutron'))
    found = [service(
        name + libvirt.HOLDER,
        [str(arg) for arg in (python, HERE / 'holder.py',
                              layout.machine(name), name,
                              group(layout, name))],
        {}, None, None, machines, 10,
        lambda name=name: _ready_host(layout, name))
        for name in libvirt.NAMES]
    found.append(service(
        libvirt.WIRES,
        [str(arg) for arg in (
            python, HERE / 'wires.py', ','.join(map(str, ports)),
            *('%s/%d=%s' % (libvirt.address(name), libvirt.NETWORK.prefixlen,
                            layout.machine(name) / libvirt.RECORD)
              for name in libvirt.NAMES))],
        {}, None, None, wires, 5,
        lambda: all(set(ports) <= _listens(first(layout, name))
                    for name in libvirt.NAMES)))
    return found + [
        service('%s-%s' % (name, daemon), enter(layout, name, argv),
                ENVIRONMENT, None, None, daemons, 10,
                lambda name=name, daemon=daemon: _ready_daemon(
                    layout, name, daemon))
        for name in libvirt.NAMES for daemon, argv in DAEMONS.items()]


def tidy(layout):
    """Remove what the hosts leave when they have ended.

    :param layout: cloud.layout.Layout
    """
    for name in libvirt.NAMES:
        if first(layout, name) is None:
            kernel.remove_groups(group(layout, name))
