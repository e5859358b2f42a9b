# SPDX-License-Identifier: Apache-2.0

"""The images of the guests, and the flavors that they have."""

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
# With the boards that they boot on.
IMAGES = {
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
