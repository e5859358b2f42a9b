# SPDX-License-Identifier: Apache-2.0

"""What a guest says of itself, on its console; see guest-init.sh."""

import re

#: The lines that are one for each boot, and their names here.
_LINES = {
    'DISK': 'marker', 'FILL': 'fill', 'EPHEMERAL': 'ephemeral',
    'SWAP': 'swap', 'CONFIG': 'config', 'NVRAM': 'nvram', 'PORT': 'port',
}
#: Of what is written once and has to be the same for ever. Of swap that is its
#: size, which Nova makes anew.
LASTING = ('marker', 'fill', 'ephemeral', 'swap', 'config', 'nvram', 'port')


class Boot:
    """What a guest said since it was started last.

    :ivar marker: str, a checksum of random data on its disk, as fill and
        ephemeral are; None if it did not say so
    :ivar boots: int, how often it was started, from its disk
    :ivar began: int, the counter on its disk when it started
    :ivar count: int, the last of the counter that it wrote to its disk
    :ivar ended: bool, whether it was shut down, with all that it wrote
    :ivar ready: bool, whether it came up, with a disk
    :ivar name: str, which start this is; None before it is ready
    """

    def __init__(self, text):
        lines = re.findall(r'^GUEST-([A-Z]+) ?(.*?)\s*$', text, re.M)
        for name in _LINES.values():
            setattr(self, name, None)
        self.boots = self.began = self.count = self.name = None
        self.ended = self.ready = False
        for kind, rest in lines:
            if kind in _LINES:
                setattr(self, _LINES[kind], rest.split(' ')[0])
            if kind == 'DISK':
                self.boots, self.began = (
                    int(number) for number in
                    re.search(r'boots=(\d+) count=(\d+)', rest).groups())
                self.count = self.began
            elif kind == 'TICK':
                self.count = int(rest)
            elif kind == 'END':
                self.ended = True
                self.count = int(rest.partition('=')[2])
            elif kind == 'READY':
                self.ready = self.boots is not None
                self.name = rest

    def lasting(self):
        """Return what never changes of a guest.

        :returns: dict of str
        """
        return {name: getattr(self, name) for name in LASTING}


def read(text):
    """Read the console of a guest.

    :param text: str, of one host: it may have several boots
    :returns: Boot, the last; None if there is none
    """
    # The kernel says nothing, so this is the first of each.
    parts = re.split(r'^GUEST-BOOT\s*$', text, flags=re.M)
    return Boot(parts[-1]) if len(parts) > 1 else None
