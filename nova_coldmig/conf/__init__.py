# SPDX-License-Identifier: Apache-2.0

"""Options of nova-coldmig, in the configuration object that Nova uses."""

from oslo_config import cfg

from nova_coldmig.conf import coldmig

CONF = cfg.CONF

coldmig.register_opts(CONF)


def list_opts():
    """List the options for oslo-config-generator.

    :returns: list of tuples of oslo_config.cfg.OptGroup and a list of
        oslo_config.cfg.Opt
    """
    return list(coldmig.list_opts().items())
