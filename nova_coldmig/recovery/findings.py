# SPDX-License-Identifier: Apache-2.0

"""What can be wrong with a server after a move, as a table."""

import dataclasses
import time
import typing

from nova.compute import task_states
from nova.compute import vm_states

from nova_coldmig import records

CERTAIN = 'certain'
LIKELY = 'likely'

WAIT = 5
"""Seconds between the two reads. Nova makes the changes of one step within
less."""


@dataclasses.dataclass(frozen=True)  # pragma: no mutate
class Rule:
    """One inconsistency.

    :ivar name: how the finding is called in the output
    :ivar what: what is wrong
    :ivar sure: CERTAIN, or LIKELY if slow work looks the same
    :ivar seen: takes Facts, says whether it is there
    """

    name: str
    what: str
    sure: str
    seen: typing.Callable


def _task(state):
    return lambda facts: facts.instance.task_state == state


def _confirming(facts):
    return any(m.status == 'confirming' for m in facts.open_migrations)


def _reverting(facts):
    return (facts.instance.task_state == task_states.RESIZE_REVERTING or
            any(m.status == 'reverting' for m in facts.open_migrations) or
            facts.failed_revert is not None)


def _left_over(facts):
    # The others have rules of their own.
    return any(m.status not in ('confirming', 'reverting')
               for m in facts.left_over)


def _homeless(facts):
    """Whether the server is on a host and holds nothing of it."""
    return (bool(facts.instance.host) and
            facts.instance.vm_state != vm_states.SHELVED_OFFLOADED and
            facts.node not in facts.held[facts.instance.uuid])


def _missing(facts):
    return (_homeless(facts) and facts.has_provider and
            not facts.held[facts.instance.uuid] and not facts.strangers)


def _no_provider(facts):
    return _homeless(facts) and not facts.has_provider


def _unknown_provider(facts):
    return (_homeless(facts) and not facts.held[facts.instance.uuid] and
            bool(facts.strangers))


def _wrong_host(facts):
    held = facts.held[facts.instance.uuid]
    return (len(held) == 1 and facts.node is not None and
            facts.node not in held and facts.has_provider and
            not facts.open_migrations and
            # Those have what the server needs.
            not facts.holders)


def _leaked(facts):
    return bool(facts.holders)


RULES = (
    Rule('stuck-resize-prep',
         'The server waits in resize_prep.', LIKELY,
         _task(task_states.RESIZE_PREP)),
    Rule('stuck-resize-migrating',
         'The source stopped in resize_migrating.', LIKELY,
         _task(task_states.RESIZE_MIGRATING)),
    Rule('stuck-resize-migrated',
         'The destination never began after resize_migrated.', LIKELY,
         _task(task_states.RESIZE_MIGRATED)),
    Rule('stuck-resize-finish',
         'The destination stopped in resize_finish.', LIKELY,
         _task(task_states.RESIZE_FINISH)),
    Rule('stuck-confirming',
         'The source stopped while it confirmed the move.', LIKELY,
         _confirming),
    Rule('stuck-reverting',
         'A host stopped or failed while it reverted the move.', LIKELY,
         _reverting),
    Rule('zombie-migration',
         'A migration has not ended, and is not that of a move under way.',
         LIKELY, _left_over),
    Rule('wrong-source',
         'The server waits for its confirmation, and its migration is not '
         'from the host that it holds.', CERTAIN,
         lambda facts: facts.wrong_source),
    Rule('missing-allocation',
         'The server is on a host and holds nothing there.', CERTAIN,
         _missing),
    Rule('no-provider',
         'The compute node of the server has no resource provider, so the '
         'server holds nothing there.', CERTAIN, _no_provider),
    Rule('unknown-provider',
         'The server holds resource providers that are no compute nodes, and '
         'nothing of its host.', CERTAIN, _unknown_provider),
    Rule('two-hosts',
         'The server holds two hosts and does not move.', CERTAIN,
         lambda facts: facts.two_hosts),
    Rule('wrong-host',
         'The server holds a host that it is not on, and does not move.',
         CERTAIN, _wrong_host),
    Rule('leaked-allocation',
         'A migration that has ended holds an allocation.', CERTAIN, _leaked),
)


DELETED = Rule(
    'deleted-server',
    'The server is deleted, and something is still held for it.', CERTAIN,
    lambda facts: bool(facts.consumers))


def names(facts, bound):
    """Apply the rules.

    :param facts: Facts of a server
    :param bound: seconds without a change, after which a server that is in
        the middle of something is looked at
    :returns: the rules seen, a list
    """
    rules: tuple[Rule, ...]
    if facts.instance.deleted:
        rules, busy = (DELETED,), True
    elif facts.wrong_source:
        # Before somebody confirms it.
        rules, busy = RULES, False
    else:
        rules = RULES
        # A record that is left over is no work.
        busy = facts.moves or any(
            not records.is_open(m) for m in facts.open_migrations)
    at_work = busy and facts.idle < bound and not facts.down
    return [] if at_work else [rule for rule in rules if rule.seen(facts)]


def find(cell, instances, bound):
    """Find what is wrong with servers.

    Nova changes its records and Placement one after the other, so a finding
    counts only if it is still there when all is read again, WAIT later.

    :param cell: the Cell of the servers
    :param instances: a list of nova.objects.Instance
    :param bound: see names
    :returns: generator of tuples of the Facts of a server as read last, and
        the rules seen twice, a list
    """
    suspects = []
    for instance in instances:
        rules = names(cell.facts(instance), bound)
        if rules:
            suspects.append((instance.uuid, rules))
    if suspects:
        time.sleep(WAIT)
    for uuid, first in suspects:
        # It may have been deleted, and even archived.
        instance = cell.instance(uuid)
        if instance is None:
            continue
        facts = cell.facts(instance)
        second = names(facts, bound)
        both = [rule for rule in first if rule in second]
        if both:
            yield facts, both
