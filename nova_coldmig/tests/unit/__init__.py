# SPDX-License-Identifier: Apache-2.0

import os

from nova_coldmig import series

# Nova reads it when its tests are imported.
os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING',
                      str(series.detect().threaded_tests))

# It selects the threading model, as for Nova's own unit tests.
import nova.tests.unit  # noqa: E402,F401
