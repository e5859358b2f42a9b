#!/bin/bash
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

# grenade runs this file before it stops Nova of the old release. Nova of the
# new one starts without the package, which is upgraded after Nova: a package
# leaves a Nova that it does not know as it is.

set -o errexit

# What is sourced is not here, but in grenade and devstack.
# shellcheck source=/dev/null
source "$GRENADE_DIR/grenaderc"
# shellcheck source=/dev/null
source "$GRENADE_DIR/functions"
# shellcheck source=/dev/null
source "$BASE_DEVSTACK_DIR/stackrc"
# shellcheck source=/dev/null
source "$BASE_DEVSTACK_DIR/lib/nova"

PLUGIN=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=devstack/settings
source "$PLUGIN/settings"
# shellcheck source=devstack/plugin.sh
source "$PLUGIN/plugin.sh"

set -o xtrace

coldmig_deactivate_api
coldmig_restore_conductor
