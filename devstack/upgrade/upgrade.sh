#!/bin/bash
# SPDX-License-Identifier: Apache-2.0

# grenade runs this file after it upgraded and started Nova, which has been
# without the package since shutdown.sh.

set -o errexit

# What is sourced is not here, but in grenade and devstack.
# shellcheck source=/dev/null
source "$GRENADE_DIR/grenaderc"
# shellcheck source=/dev/null
source "$GRENADE_DIR/functions"
# shellcheck source=/dev/null
source "$TARGET_DEVSTACK_DIR/stackrc"
for library in tls apache nova; do
    # shellcheck source=/dev/null
    source "$TARGET_DEVSTACK_DIR/lib/$library"
done

PLUGIN=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=devstack/settings
source "$PLUGIN/settings"
# shellcheck source=devstack/plugin.sh
source "$PLUGIN/plugin.sh"

set -o xtrace

coldmig_install

# Conductors first, as in any upgrade of the package.
stop_nova_conductor
coldmig_wrap_run_process
start_nova_conductor

coldmig_activate_api
stop_process n-api
start_nova_api

ensure_services_started n-api
# 1 is a warning.
"$NOVA_BIN_DIR/nova-coldmig-status" upgrade check || [[ $? -eq 1 ]] || \
    die $LINENO "nova-coldmig is not ready"

# grenade copies the configuration of Tempest, which names the microversion of
# the old release.
TEMPEST_CONFIG=$BASE_RELEASE_DIR/tempest/etc/tempest.conf
if [[ -f "$TEMPEST_CONFIG" ]]; then
    coldmig_configure_tempest
fi
