# SPDX-License-Identifier: Apache-2.0

"""The files of a host, which are mounted over those of this machine."""

import os
import pathlib
import shutil
import subprocess

from cloud.hosts import libvirt

#: Folders of this machine that a host begins with a copy of.
COPIED = {'etc-libvirt': '/etc/libvirt', 'var-lib-libvirt': '/var/lib/libvirt',
          'etc-ssh': '/etc/ssh'}
EMPTY = ('var-log-libvirt', 'var-cache-libvirt', 'root-ssh',
         'var-lib-nova/instances', 'var-lib-nova/lock', 'sys')
QEMU = '''
# The mount over /dev/kvm can not be moved into another namespace of mounts,
# and the folders of a host are those of root.
namespaces = []
user = "root"
group = "root"
dynamic_ownership = 0
security_driver = "none"
remember_owner = 0
'''
SSHD = '''ListenAddress %s
PermitRootLogin prohibit-password
UsePAM no
'''
SSH = '''Host *
 StrictHostKeyChecking no
 UserKnownHostsFile /dev/null
 LogLevel ERROR
 BatchMode yes
'''


def write(layout, name):
    """Write the files of a host that are not there yet.

    :param layout: cloud.layout.Layout
    :param name: str, one of cloud.hosts.libvirt.NAMES
    """
    folder = layout.machine(name)
    for part in EMPTY:
        (folder / part).mkdir(parents=True, exist_ok=True)
    for part, source in COPIED.items():
        if not (folder / part).exists():
            shutil.copytree(source, str(folder / part), symlinks=True)
            _change(folder, part, name)
    key = layout.state / 'hosts' / 'id_ed25519'
    if not key.exists():
        subprocess.check_call(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '',
                               '-C', 'cloud', '-f', str(key)])
    for target, text in (
            ('root-ssh/config', SSH),
            ('root-ssh/id_ed25519', key.read_text()),
            ('root-ssh/authorized_keys',
             key.with_suffix('.pub').read_text()),
            ('hostname', name + '\n'),
            ('machine-id', libvirt.identity(name).replace('-', '') + '\n'),
            ('hosts', '127.0.0.1 localhost\n' + ''.join(
                '%s %s\n' % (libvirt.address(one), one)
                for one in libvirt.NAMES))):
        path = folder / target
        path.touch(mode=0o600)
        path.write_text(text)
    (folder / 'root-ssh').chmod(0o700)
    for readable in ('hostname', 'machine-id', 'hosts'):
        (folder / readable).chmod(0o644)
    shared = folder / 'shared'
    if layout.storage.shared:
        (layout.state / 'hosts' / 'shared').mkdir(exist_ok=True)
        shared.touch()
    else:
        shared.unlink(missing_ok=True)
    if not _usable_kvm():
        (folder / 'no-kvm').touch(mode=0o600)


def _change(folder, part, name):
    if part == 'etc-libvirt':
        with open(str(folder / part / 'libvirtd.conf'), 'a') as config:
            config.write('\nhost_uuid = "%s"\n' % libvirt.identity(name))
        with open(str(folder / part / 'qemu.conf'), 'a') as config:
            config.write(QEMU)
        # Its network would be that of each host.
        shutil.rmtree(str(folder / part / 'qemu/networks/autostart'),
                      ignore_errors=True)
    elif part == 'etc-ssh':
        for key in (folder / part).glob('ssh_host_*'):
            key.unlink()
        (folder / part / 'sshd_config.d').mkdir(exist_ok=True)
        (folder / part / 'sshd_config.d' / 'cloud.conf').write_text(
            SSHD % libvirt.address(name))
        # It looks below PREFIX/etc/ssh.
        prefix = folder / 'keys'
        (prefix / 'etc').mkdir(parents=True, exist_ok=True)
        (prefix / 'etc' / 'ssh').symlink_to(folder / part)
        subprocess.check_call(['ssh-keygen', '-A', '-f', str(prefix)],
                              stdout=subprocess.DEVNULL)


def _usable_kvm():
    """Tell whether QEMU can use KVM here: opening it is not enough."""
    try:
        descriptor = os.open('/dev/kvm', os.O_RDWR)
    except OSError:
        return False
    os.close(descriptor)
    return any(flag in pathlib.Path('/proc/cpuinfo').read_text()
               for flag in (' vmx', ' svm'))
