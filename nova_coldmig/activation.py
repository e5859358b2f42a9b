#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

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
