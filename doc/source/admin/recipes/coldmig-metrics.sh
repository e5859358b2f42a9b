#!/bin/bash
# Write what the check finds as metrics for the textfile collector of
# node_exporter. Run it by a timer where the super conductor runs, as its user.
#
#   coldmig-metrics.sh /var/lib/node_exporter/textfile_collector
set -u
directory=$1
out=$(mktemp "$directory/.coldmig.XXXXXX") || exit
trap 'rm -f "$out"' EXIT

found=$(nova-coldmig-manage migration check --all --json 2>/dev/null)
status=$?
# 0: nothing was found; 3: something was. All else is a check that did not end,
# and without jq nothing is known of what it found.
completed=0
if findings=$(jq -rs 'group_by([.finding, .sure, .plan])[] | "nova_coldmig_findings{finding=\"\(.[0].finding)\",sure=\"\(.[0].sure)\",plan=\"\(.[0].plan)\"} \(length)"' <<<"$found") &&
    [[ $status -eq 0 || $status -eq 3 ]]; then
    completed=1
fi
{
    echo '# HELP nova_coldmig_check_completed Whether the last check ended.'
    echo '# TYPE nova_coldmig_check_completed gauge'
    echo "nova_coldmig_check_completed $completed"
    echo '# HELP nova_coldmig_check_timestamp_seconds When it was made.'
    echo '# TYPE nova_coldmig_check_timestamp_seconds gauge'
    echo "nova_coldmig_check_timestamp_seconds $(date +%s)"
    # What was found by a check that did not end is not all there is.
    if [[ $completed -eq 1 ]]; then
        echo '# HELP nova_coldmig_findings Findings by name and certainty.'
        echo '# TYPE nova_coldmig_findings gauge'
        [[ ! $findings ]] || echo "$findings"
    fi
} >"$out"
chmod 644 "$out"
mv "$out" "$directory/nova_coldmig.prom"
trap - EXIT
