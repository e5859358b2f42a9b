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

"""The API half: what api-paste.ini names in place of Nova's router."""

from nova_coldmig import seams
from nova_coldmig import start


def router_factory(global_config, **local_config):
    """Install the API half and build Nova's router: a paste.app_factory.

    nova-api has parsed its configuration when it reads api-paste.ini. Where
    the half is not installed, the router is the one that Nova makes alone.

    :param global_config: dict, of paste.
    :param local_config: options of the section in api-paste.ini.
    :returns: nova.api.openstack.compute.APIRouterV21
    :raises: nova_coldmig.series.UnsupportedNova if the tree is not known and
        [coldmig]on_unknown_tree refuses it.
    """
    start.install(seams.API)
    from nova.api.openstack import compute
    return compute.APIRouterV21.factory(global_config, **local_config)
