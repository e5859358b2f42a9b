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
        context.set_binding(segment[api.ID], portbindings.VIF_TYPE_OVS,
                            {portbindings.CAP_PORT_FILTER: False},
                            status=constants.PORT_STATUS_ACTIVE)
