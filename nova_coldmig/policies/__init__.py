# SPDX-License-Identifier: Apache-2.0

"""Policy rules of nova-coldmig, enforced by Nova's own enforcer."""

import itertools

from nova_coldmig.policies import migrate_server


def list_rules():
    """List the rules for oslopolicy-sample-generator and its like.

    :returns: iterable of oslo_policy.policy.DocumentedRuleDefault
    """
    return itertools.chain(
        migrate_server.list_rules(),
    )


def register(enforcer, _tree):
    """Add the rules to the enforcer of Nova, if there is one already.

    One that nova.policy.init makes later takes them from nova.policies.

    :param enforcer: oslo_policy.policy.Enforcer or None
    :param _tree: nova_coldmig.series.Series
    :returns: callable that takes the rules out again.
    """
    added: list[str] = []

    def take_out():
        for name in added:
            enforcer.registered_rules.pop(name, None)
            enforcer.rules.pop(name, None)

    if enforcer is not None:
        try:
            for rule in list_rules():
                if rule.name not in enforcer.registered_rules:
                    enforcer.register_default(rule)
                    added.append(rule.name)
            # Rules of policy.yaml were read before the defaults were known.
            enforcer.load_rules(force_reload=bool(added))
        except Exception:
            take_out()
            raise
    return take_out
