#!/bin/bash
# SPDX-License-Identifier: Apache-2.0

# devstack sources this file in each of its phases, with its own functions and
# variables defined.

NOVA_COLDMIG_FACTORY=nova_coldmig.api.openstack.compute:router_factory
NOVA_COLDMIG_PLAIN_FACTORY=nova.api.openstack.compute:APIRouterV21.factory
NOVA_COLDMIG_SECTION=app:osapi_compute_app_v21
# The roles of policy.yaml.
NOVA_COLDMIG_FORCE_ROLE=coldmig-force
NOVA_COLDMIG_HOST_ROLE=coldmig-host
NOVA_COLDMIG_POLICY=${NOVA_CONF_DIR:-/etc/nova}/policy.d/nova-coldmig.yaml
# The super conductor, and the only conductor where cells share one.
NOVA_COLDMIG_CONDUCTORS="n-super-cond n-cond"

function coldmig_is_needed {
    is_service_enabled n-api || is_service_enabled n-super-cond || \
        is_service_enabled n-cond
}

function coldmig_install {
    if coldmig_is_needed; then
        setup_develop "$NOVA_COLDMIG_DIR"
        setup_develop "$NOVA_COLDMIG_DIR/client"
    fi
}

# pip_uninstall takes what is in PIP_VIRTUAL_ENV, or in the Python of the
# system, and not what is in the environment that devstack installs in by
# default. It does not tell whether there was something to take.
function coldmig_uninstall {
    # shellcheck disable=SC2034
    local PIP_VIRTUAL_ENV=${PIP_VIRTUAL_ENV:-}
    if [[ "${GLOBAL_VENV:-False}" == True && -d "${DEVSTACK_VENV:-}" ]]; then
        PIP_VIRTUAL_ENV=$DEVSTACK_VENV
    fi
    pip_uninstall nova-coldmig-client
    pip_uninstall nova-coldmig
    if [[ -e "$NOVA_BIN_DIR/nova-coldmig-conductor" ]]; then
        warn $LINENO "nova-coldmig is still installed in $NOVA_BIN_DIR"
    fi
}

# Have run_process start nova-coldmig-conductor as the super conductor. The
# conductors of the cells stay what they are.
function coldmig_wrap_run_process {
    if declare -F coldmig_plain_run_process >/dev/null; then
        return
    fi
    eval "coldmig_plain_$(declare -f run_process)"
    function run_process {
        local service=$1
        local command=$2
        shift 2
        if [[ " $NOVA_COLDMIG_CONDUCTORS " == *" $service "* ]]; then
            command=${command/\/nova-conductor /\/nova-coldmig-conductor }
            if [[ "$command" != */nova-coldmig-conductor\ * ]]; then
                die $LINENO "nova-coldmig can not start $service: $command"
            fi
        fi
        coldmig_plain_run_process "$service" "$command" "$@"
    }
}

function coldmig_activate_api {
    if is_service_enabled n-api; then
        # What two roles may do, which the tests are given.
        mkdir -p "$NOVA_CONF_DIR/policy.d"
        cp "$NOVA_COLDMIG_DIR/devstack/policy.yaml" "$NOVA_COLDMIG_POLICY"
        iniset "$NOVA_API_PASTE_INI" "$NOVA_COLDMIG_SECTION" \
            paste.app_factory "$NOVA_COLDMIG_FACTORY"
    fi
}

function coldmig_deactivate_api {
    local factory
    rm -f "$NOVA_COLDMIG_POLICY"
    if [[ -f "$NOVA_API_PASTE_INI" ]]; then
        factory=$(iniget "$NOVA_API_PASTE_INI" "$NOVA_COLDMIG_SECTION" \
            paste.app_factory)
        if [[ "$factory" == "$NOVA_COLDMIG_FACTORY" ]]; then
            iniset "$NOVA_API_PASTE_INI" "$NOVA_COLDMIG_SECTION" \
                paste.app_factory "$NOVA_COLDMIG_PLAIN_FACTORY"
        fi
    fi
}

# devstack leaves the units of what it stopped: whoever starts them again gets
# Nova's conductor.
function coldmig_restore_conductor {
    local service unit command
    for service in $NOVA_COLDMIG_CONDUCTORS; do
        unit=$SYSTEMD_DIR/devstack@$service.service
        if [[ -f "$unit" ]]; then
            command=$(iniget "$unit" Service ExecStart)
            iniset -sudo "$unit" Service ExecStart \
                "${command/\/nova-coldmig-conductor /\/nova-conductor }"
            $SYSTEMCTL daemon-reload
        fi
    done
}

# Print the microversion that has force, as Nova tells, or nothing.
function coldmig_microversion {
    openstack --os-cloud devstack-admin extension list --compute \
        -f value -c Alias -c Description | \
        sed -n 's/^os-migrate-server-force .* \([0-9]*\.[0-9]*\)\.$/\1/p'
}

function coldmig_configure_tempest {
    local microversion highest
    if ! is_service_enabled tempest; then
        return
    fi
    microversion=$(coldmig_microversion)
    if [[ ! "$microversion" ]]; then
        die $LINENO "Nova does not tell of nova-coldmig: nothing to test"
    fi
    get_or_create_role "$NOVA_COLDMIG_FORCE_ROLE"
    get_or_create_role "$NOVA_COLDMIG_HOST_ROLE"
    iniset "$TEMPEST_CONFIG" nova_coldmig force True
    iniset "$TEMPEST_CONFIG" nova_coldmig force_role "$NOVA_COLDMIG_FORCE_ROLE"
    iniset "$TEMPEST_CONFIG" nova_coldmig host_role "$NOVA_COLDMIG_HOST_ROLE"
    # A stable branch of devstack names the maximum that its Nova has without
    # the package, which hides the feature from the tests.
    highest=$(iniget "$TEMPEST_CONFIG" compute max_microversion)
    if [[ "$highest" != latest ]]; then
        iniset "$TEMPEST_CONFIG" compute max_microversion "$microversion"
    fi
}

# stack.sh makes the file anew, so what it had in other sections stays.
function coldmig_unconfigure_tempest {
    if [[ -f "${TEMPEST_CONFIG:-}" ]]; then
        sed -i '/^\[nova_coldmig\]$/,/^\[/ { /^\[nova_coldmig\]$/d; /^\[/!d; }' \
            "$TEMPEST_CONFIG"
    fi
}

case "${1:-} ${2:-}" in
    "stack install")
        coldmig_install
        ;;
    "stack post-config")
        # devstack starts Nova after this phase.
        coldmig_activate_api
        coldmig_wrap_run_process
        ;;
    "stack test-config")
        coldmig_configure_tempest
        ;;
    "unstack ")
        coldmig_deactivate_api
        coldmig_restore_conductor
        coldmig_unconfigure_tempest
        ;;
    "clean ")
        # clean.sh runs unstack.sh first.
        coldmig_uninstall
        ;;
esac
