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

# devstack sources this file in each of its phases, with its own functions and
# variables defined.

NOVA_COLDMIG_FACTORY=nova_coldmig.api.openstack.compute:router_factory
NOVA_COLDMIG_PLAIN_FACTORY=nova.api.openstack.compute:APIRouterV21.factory
NOVA_COLDMIG_SECTION=app:osapi_compute_app_v21
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

function coldmig_uninstall {
    pip_uninstall nova-coldmig-client
    pip_uninstall nova-coldmig
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
        iniset "$NOVA_API_PASTE_INI" "$NOVA_COLDMIG_SECTION" \
            paste.app_factory "$NOVA_COLDMIG_FACTORY"
    fi
}

function coldmig_deactivate_api {
    local factory
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

function coldmig_configure_tempest {
    if is_service_enabled tempest; then
        iniset "$TEMPEST_CONFIG" nova_coldmig force True
    fi
}

function coldmig_unconfigure_tempest {
    if [[ -f "${TEMPEST_CONFIG:-}" ]]; then
        inidelete "$TEMPEST_CONFIG" nova_coldmig force
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
