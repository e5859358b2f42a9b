# SPDX-License-Identifier: Apache-2.0

"""The names a deployer writes into a configuration to activate the API half.

They stand in the installation guide, in other people's api-paste.ini and in
their container images: do not change them.
"""

# The section and option of Nova's api-paste.ini, and their new value.
PASTE_SECTION = 'app:osapi_compute_app_v21'
PASTE_OPTION = 'paste.app_factory'
ROUTER_FACTORY = 'nova_coldmig.api.openstack.compute:router_factory'

# What a WSGI server loads for those who leave api-paste.ini alone.
WSGI_MODULE = 'nova_coldmig.wsgi.osapi_compute'
