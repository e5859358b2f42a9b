# SPDX-License-Identifier: Apache-2.0

# Before any other module of Nova: it selects the threading model of the
# series. In 2025.2 the package leaves that to nova.test.
import nova.tests.functional  # noqa: F401
import nova.test  # noqa: F401,H306
