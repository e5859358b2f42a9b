# SPDX-License-Identifier: Apache-2.0

from nova.policies import base
from nova.policies import migrate_server
from oslo_policy import policy

FORCE = migrate_server.POLICY_ROOT % 'migrate:force'

migrate_server_policies = [
    policy.DocumentedRuleDefault(
        name=FORCE,
        check_str=base.ADMIN,
        description="""Cold migrate a server to a specified host without asking
the scheduler. Checked in addition to
``os_compute_api:os-migrate-server:migrate:host``.""",
        operations=[
            {
                'method': 'POST',
                'path': '/servers/{server_id}/action (migrate)'
            }
        ],
        scope_types=['project']),
]


def list_rules():
    return migrate_server_policies


def force_rule(_rules, _tree):
    """Return the rule that is added to those of Nova.

    :param _rules: list of oslo_policy.policy.RuleDefault, Nova's.
    :param _tree: nova_coldmig.series.Series
    :returns: oslo_policy.policy.DocumentedRuleDefault
    """
    return migrate_server_policies[0]
