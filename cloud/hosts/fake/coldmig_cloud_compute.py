# SPDX-License-Identifier: Apache-2.0

"""nova-compute, with the driver of this directory.

Nova loads drivers from below ``nova.virt`` only: the package is told to look
here too, so that nothing is written into the installed Nova.
"""

import pathlib
import sys

# It chooses the threading model: before all else of Nova.
from nova.cmd import compute

import nova.virt

if __name__ == '__main__':
    nova.virt.__path__.append(str(pathlib.Path(__file__).resolve().parent))
    sys.exit(compute.main())
