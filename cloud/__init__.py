# SPDX-License-Identifier: Apache-2.0

"""The parts of tools/cloud.

Only the standard library may be used here, but in ``drivers``: this runs
before anything is installed. What the package itself says about its
activation is taken from it; that part needs nothing else either.
"""

import sys

import _common

sys.path.append(str(_common.ROOT))
