#!/bin/bash
# SPDX-License-Identifier: Apache-2.0

# What devstack/plugin.sh calls of devstack when it configures Tempest, so that
# tools/cloud configures it as the gate does, with the same code. The unit tests
# of the plugin use it too. The functions for files in the format of ini do what
# those of devstack of the same name do.

# ENABLED: the services, EXTENSIONS: what Nova has, as openstack prints it.
function is_service_enabled {
    local service
    for service in "$@"; do
        if [[ " $ENABLED " == *" $service "* ]]; then
            return 0
        fi
    done
    return 1
}

function die {
    echo "die $2"
    exit 1
}

function openstack {
    echo "$EXTENSIONS"
}

# tools/cloud makes its roles when it is first started.
function get_or_create_role {
    :
}

# ini FILE SECTION OPTION get|delete|set [VALUE]: an option that is set anew is
# added to its section, which is added to the file, if it is not there.
function ini {
    awk -v section="[$2]" -v option="$3" -v action="$4" -v value="${5:-}" '
        function add() { print option " = " value; done = 1 }
        $0 ~ /^\[/ {
            if (here && !done && action == "set") { add() }
            here = ($0 == section)
            seen = seen || here
        }
        here && $0 ~ "^" option "[ \t]*=" {
            if (action == "get") { sub(/^[^=]*=[ \t]*/, ""); print }
            if (action == "set") { add() }
            next
        }
        action != "get" { print }
        END {
            if (action == "set" && !done) {
                if (!seen) { print section }
                add()
            }
        }' "$1"
}

function iniget {
    ini "$1" "$2" "$3" get
}

function write_ini {
    local action=$1
    shift
    if [[ "$1" == -sudo ]]; then
        shift
    fi
    touch "$1"
    ini "$1" "$2" "$3" "$action" "${4:-}" > "$1.new"
    cat "$1.new" > "$1"
    rm "$1.new"
}

function iniset {
    write_ini set "$@"
}

function inidelete {
    write_ini delete "$@"
}
