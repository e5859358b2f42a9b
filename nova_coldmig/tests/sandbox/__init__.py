# SPDX-License-Identifier: Apache-2.0

"""Nova and Placement in one process, to see and to try the feature.

``python -m nova_coldmig.tests.sandbox`` tells the story of the feature or
serves the cloud; :class:`nova_coldmig.tests.sandbox.cloud.Cloud` is the same
cloud for a test, :mod:`nova_coldmig.tests.sandbox.client` talks to it over
HTTP from any process.
"""
