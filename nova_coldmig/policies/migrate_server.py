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
