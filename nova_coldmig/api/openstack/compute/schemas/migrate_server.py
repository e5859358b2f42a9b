# SPDX-License-Identifier: Apache-2.0

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
