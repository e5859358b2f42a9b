# SPDX-License-Identifier: Apache-2.0

"""Compute hosts with libvirt and QEMU, in namespaces of this machine.

Each has its own network, mounts, host name, processes and control groups, and
in them an sshd, a virtlogd, a libvirtd and a stock nova-compute.
"""

import collections
import ipaddress
import uuid

NAMES = ('libvirt1', 'libvirt2')
#: What the hosts reach each other by. Nothing else is in it.
NETWORK = ipaddress.ip_network('10.77.0.0/24')
#: Prefix of the control groups.
GROUP = 'coldmig-cloud-'
HOLDER, WIRES = '-host', 'wires'
#: Where Nova keeps disks, as a host sees it.
INSTANCES = '/var/lib/nova/instances'
#: images: str, [libvirt]images_type; transport: str,
#: [libvirt]remote_filesystem_transport; shared: bool, whether INSTANCES is the
#: same folder on all hosts
Storage = collections.namedtuple(
    'Storage', 'images transport shared', defaults=('qcow2', 'ssh', False))
#: Has the pid of the first process of a host, in its folder.
RECORD = 'pid'


def address(name):
    """Return the address of a host.

    :param name: str, one of NAMES
    :returns: str
    """
    return str(NETWORK[11 + NAMES.index(name)])


def identity(name):
    """Return the UUID that libvirt says a host has.

    All are one machine, whose own UUID it would tell of each.

    :param name: str, one of NAMES
    :returns: str
    """
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name + '.coldmig.invalid'))
