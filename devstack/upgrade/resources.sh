#!/bin/bash
# SPDX-License-Identifier: Apache-2.0

# grenade runs this file before, between and after the steps of an upgrade.
# The package keeps nothing, so there is nothing to create: what has to be
# there before and after is the feature.

set -o errexit

# What is sourced is not here, but in grenade and devstack.
# shellcheck source=/dev/null
source "$GRENADE_DIR/grenaderc"
# shellcheck source=/dev/null
source "$GRENADE_DIR/functions"
# shellcheck source=/dev/null
source "$TOP_DIR/openrc" admin admin

set -o xtrace

case "$1" in
    verify)
        openstack extension list --compute -f value -c Alias | \
            grep -qx os-migrate-server-force || \
            die $LINENO "Nova does not tell of nova-coldmig"
        ;;
    early_create|create|verify_noapi|destroy|force_destroy)
        ;;
    *)
        die $LINENO "unknown phase: $1"
        ;;
esac
