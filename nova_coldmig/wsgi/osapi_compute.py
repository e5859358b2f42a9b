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

"""WSGI entry point of nova-api with the API half of nova-coldmig.

For deployments that keep api-paste.ini as Nova ships it: it takes the place
of nova.wsgi.osapi_compute (nova-api-wsgi up to 2025.2).
"""

from nova_coldmig import series

NAME = 'osapi_compute'

tree = series.detect(allow_untested=True)
if tree.wsgi_backend:
    from nova import monkey_patch
    monkey_patch.patch(backend=tree.wsgi_backend)

from nova.api.openstack import wsgi_app  # noqa: E402

from nova_coldmig import seams  # noqa: E402

# Nova's does this as well, and it is done once. Here it comes first, as the
# options have to be known before Nova is changed.
wsgi_app.init_global_data(wsgi_app._get_config_files(), NAME, *tree.wsgi_args)
seams.install(seams.API)
application = wsgi_app.init_application(NAME, *tree.wsgi_args)
