#!/bin/bash
# SPDX-License-Identifier: Apache-2.0

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
