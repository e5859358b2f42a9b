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

from nova.api.openstack.compute.schemas import migrate_server
from nova.api.validation import parameter_types

# Nova has no boolean that may be null.
_force = dict(
    parameter_types.boolean,
    type=parameter_types.boolean['type'] + ['null'],
    enum=parameter_types.boolean['enum'] + [None],
)

migrate = {
    'type': 'object',
    'properties': {
        'migrate': {
            # null means what it means since 2.56: no host. SDKs send it.
            'type': ['object', 'null'],
            'properties': {
                'host': migrate_server.host,
                'force': _force,
            },
            'required': ['host'],
            'additionalProperties': False,
        },
    },
    'required': ['migrate'],
    'additionalProperties': False,
}
