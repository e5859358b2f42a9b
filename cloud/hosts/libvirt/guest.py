# SPDX-License-Identifier: Apache-2.0

"""The image of the guests, and the flavors that they have."""

import hashlib
import pathlib
import subprocess

import _common

HERE = pathlib.Path(__file__).resolve().parent
IMAGE, UEFI_IMAGE = 'guest', 'guest-uefi'
# As few MiB as the guest boots with, and the GiB that its disk needs.
FLAVOR, EXTRA_FLAVOR = 'guest', 'guest-extra'
_FLAVOR = {'vcpus': 1, 'ram': 192, 'disk': 1}
FLAVORS = {
    FLAVOR: _FLAVOR,
    # With an ephemeral disk (GiB) and swap (MiB).
    EXTRA_FLAVOR: dict(_FLAVOR, **{'OS-FLV-EXT-DATA:ephemeral': 1,
                                   'swap': 64}),
}
# QEMU's default is a board that has no BIOS interface for the disks here.
_PROPERTIES = {
    IMAGE: {'hw_machine_type': 'pc'},
    UEFI_IMAGE: {'hw_machine_type': 'q35', 'hw_firmware_type': 'uefi'},
}


def build():
    """Build the image, if it was not built from the same scripts.

    :returns: pathlib.Path of a qcow2 file
    """
    digest = hashlib.sha256()
    for name in ('guest.sh', 'guest-init.sh'):
        digest.update((HERE / name).read_bytes())
    folder = _common.CACHE / 'cloud' / 'guest'
    path = folder / (digest.hexdigest()[:16] + '.qcow2')
    if not path.exists():
        print('Building the image of a guest', flush=True)
        subprocess.check_call(
            ['bash', str(HERE / 'guest.sh'), str(folder), str(path)],
            stdin=subprocess.DEVNULL)
    return path


def register(cloud):
    """Give a cloud the images and the flavors. It may be repeated.

    :param cloud: cloud.cloud.Cloud, which is up
    """
    client = cloud.client()
    content = build().read_bytes()
    for name, properties in _PROPERTIES.items():
        listed = client.get('glance', '/v2/images?name=' + name)['images']
        image = listed[0] if listed else client.post(
            'glance', '/v2/images', dict(
                properties, name=name, disk_format='qcow2',
                container_format='bare', visibility='public'))
        if image['status'] == 'queued':
            client.request(
                'PUT', 'glance', '/v2/images/%s/file' % image['id'], content,
                Content_Type='application/octet-stream')
    there = {flavor['name'] for flavor in client.get(
        'nova-api', '/v2.1/flavors')['flavors']}
    for name, flavor in FLAVORS.items():
        if name not in there:
            client.post('nova-api', '/v2.1/flavors', {
                'flavor': dict(flavor, name=name)})
