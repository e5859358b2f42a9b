# SPDX-License-Identifier: Apache-2.0

"""A mechanism driver of ML2 that binds every port, on any host."""

# Without it the mapping of ports refers to a model that nobody imported, when
# no service plugin is loaded.
from neutron.db.models import port_forwarding  # noqa: F401
from neutron_lib.api.definitions import portbindings
from neutron_lib import constants
from neutron_lib.plugins.ml2 import api
from sqlalchemy import orm


class BindAllMechanismDriver(api.MechanismDriver):
    """Binds to the first segment; the port is ACTIVE at once."""

    def initialize(self):
        """Have the models know each other.

        Neutron's list of ports names an attribute that is there from the
        first query on. If it is the first request of a worker, and no plugin
        has made a query, it fails, for ever.
        """
        orm.configure_mappers()

    def bind_port(self, context):
        segment = context.segments_to_bind[0]
        kind, filters = portbindings.VIF_TYPE_OVS, False
        if context.host.startswith('libvirt'):
            # A device without a bridge: Nova refuses Linux bridges from 34 on,
            # and Open vSwitch would need its daemons.
            kind, filters = portbindings.VIF_TYPE_TAP, True
        context.set_binding(segment[api.ID], kind,
                            {portbindings.CAP_PORT_FILTER: filters},
                            status=constants.PORT_STATUS_ACTIVE)
