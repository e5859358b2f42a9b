# SPDX-License-Identifier: Apache-2.0

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
