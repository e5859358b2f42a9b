# SPDX-License-Identifier: Apache-2.0

"""What a machine has to be and have for hosts with libvirt."""

import os
import pathlib
import platform
import subprocess

import _common
from cloud.hosts.libvirt import kernel

#: As cloud.services.install.PACKAGES.
PACKAGES = {
    '/usr/sbin/libvirtd': 'libvirt-daemon',
    '/etc/libvirt/qemu.conf': 'libvirt-daemon-system',
    '/usr/bin/virsh': 'libvirt-clients',
    '/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/'
    'libvirt_driver_qemu.so': 'libvirt-daemon-driver-qemu',
    '/usr/bin/qemu-system-x86_64': 'qemu-system-x86',
    '/usr/bin/qemu-img': 'qemu-utils',
    '/usr/share/seabios/bios-256k.bin': 'seabios',
    '/usr/sbin/sshd': 'openssh-server',
    '/usr/bin/ssh': 'openssh-client',
    '/usr/bin/rsync': 'rsync',
    '/usr/bin/tini': 'tini',
    '/usr/bin/ip': 'iproute2',
    # For config drives.
    '/usr/bin/genisoimage': 'genisoimage',
    # To build libvirt-python.
    '/usr/bin/gcc': 'gcc',
    '/usr/include/x86_64-linux-gnu/sys/types.h': 'libc6-dev',
    '/usr/bin/pkg-config': 'pkg-config',
    '/usr/include/libvirt/libvirt.h': 'libvirt-dev',
    # To build the image of the guest.
    '/bin/busybox': 'busybox-static',
    '/usr/bin/syslinux': 'syslinux',
    '/usr/lib/syslinux/mbr/mbr.bin': 'syslinux-common',
    '/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi': 'syslinux-efi',
    '/usr/bin/mcopy': 'mtools',
    '/usr/sbin/mkfs.vfat': 'dosfstools',
    '/usr/sbin/mkfs.ext4': 'e2fsprogs',
    '/usr/sbin/sfdisk': 'fdisk',
    '/usr/bin/cpio': 'cpio',
    '/usr/bin/xz': 'xz-utils',
    # The firmware of guests with UEFI.
    '/usr/share/OVMF/OVMF_CODE.fd': 'ovmf',
}


def check():
    """See that hosts can be made here, before anything is installed.

    :raises: _common.CannotRun with what is in the way
    """
    if platform.machine() != 'x86_64':
        raise _common.CannotRun(
            'Hosts with libvirt were made on x86_64 only, and this is %s.'
            % platform.machine())
    if os.getuid() != 0:
        raise _common.CannotRun(
            'Hosts with libvirt need root: they have namespaces of the '
            'kernel.')
    if not pathlib.Path('/dev/net/tun').exists():
        raise _common.CannotRun('There is no /dev/net/tun for the networks '
                                'of guests.')
    if not kernel.CGROUPS.is_dir() or not kernel.controllers():
        raise _common.CannotRun(
            'This machine has no control groups of version 1 in %s, and '
            'hosts with libvirt were made with those only.' % kernel.CGROUPS)
    made = subprocess.run(
        ['unshare', '-m', '-u', '-i', '-p', '-f', '-n', '-C', 'true'],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, universal_newlines=True, check=False)
    if made.returncode:
        raise _common.CannotRun('No namespaces can be made here: %s.'
                                % made.stderr.strip())


def version():
    """Return the version of libvirt that is installed.

    :returns: str, such as 9.0.0
    """
    told = subprocess.run(
        ['/usr/sbin/libvirtd', '--version'], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, universal_newlines=True, check=True)
    return told.stdout.split()[-1]
