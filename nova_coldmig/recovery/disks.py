# SPDX-License-Identifier: Apache-2.0

"""What to do by hand about the disk of a move that was given up in its copy.

nova.virt.libvirt.driver.LibvirtDriver.migrate_disk_and_power_off renames the
directory of the server on the source, UUID to UUID_resize, before it copies,
and so does a shared directory to itself. What is where after a death was seen
with disks that are files of each host. Where the disks are is known to the
hosts alone: without the word of a person nothing is said of renaming.
"""

import typing as ty

LOCAL, SHARED, REMOTE = 'local', 'shared', 'remote'
#: The answers, and what each says.
ANSWERS = {
    LOCAL: 'files of each host',
    SHARED: 'files in a directory that the hosts share',
    REMOTE: 'in Ceph or in volumes',
}

_QUESTION = (
    'If the guest does not run, where its disk is decides what to do. To find '
    'out, make a file in the directory of instances '
    '([DEFAULT]instances_path) on %(source)s and look for it on '
    '%(destination)s: if it is there, the directory is shared. Then run check '
    'again with --disks, which has help.')

_FIRST = (
    'If the guest does not run: see that no process of the move is left '
    "('pgrep -fa %(uuid)s' on both hosts). ")
_LAST = "Then 'openstack server reboot --hard %(uuid)s'."

_TEXTS = {
    LOCAL: (
        'In the directory of instances, in this order. On %(source)s, if '
        'there is %(uuid)s_resize and no disk in %(uuid)s, as a hard reboot '
        'leaves it: set such a %(uuid)s aside, then mv %(uuid)s_resize '
        '%(uuid)s. If both have a disk, change nothing there: see which was '
        'written last. On %(destination)s, if there is %(uuid)s, which is a '
        'part of the disk: mv %(uuid)s %(uuid)s.part. '),
    SHARED: (
        'Remove nothing: there is one directory, and a disk that is gone '
        'there is gone. On %(source)s, if there is %(uuid)s_resize, and '
        '%(uuid)s has no disk or a smaller one, which is a part then: mv '
        '%(uuid)s %(uuid)s.part, and then mv %(uuid)s_resize %(uuid)s. If '
        'the disk of %(uuid)s is not smaller, change nothing: see which was '
        'written last. '),
    REMOTE: (
        'Remove nothing. There is one disk, which is not in the directory of '
        'instances. On %(source)s, if there is %(uuid)s_resize and no '
        '%(uuid)s: mv %(uuid)s_resize %(uuid)s. '),
}


def tell(uuid: str, source: str, destination: ty.Optional[str],
         answer: ty.Optional[str]) -> str:
    """Say what a person has to do about the disk.

    :param uuid: str, of the server
    :param source: str, the host that it was to be moved from
    :param destination: str, the host that it was to be moved to, or None
    :param answer: str, one of ANSWERS, or None
    :returns: str; without an answer it names no command that changes anything
        but makes an empty file
    """
    names = {'uuid': uuid, 'source': source,
             'destination': destination or 'the destination'}
    if answer is None:
        return _QUESTION % names
    return (_FIRST + _TEXTS[answer] + _LAST) % names
