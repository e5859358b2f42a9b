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

"""What can be wrong with a server after a move, as a table."""

import dataclasses
import time
import typing

from nova.compute import task_states
from nova.compute import vm_states

CERTAIN = 'certain'
LIKELY = 'likely'

WAIT = 5
"""Seconds between the two reads. Nova makes the changes of one step within
less."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """One inconsistency.

    :ivar name: how the finding is called in the output
    :ivar what: what is wrong
    :ivar sure: CERTAIN, or LIKELY if slow work looks the same
    :ivar repair: what repairs it
    :ivar seen: takes Facts, says whether it is there
    """

    name: str
    what: str
    sure: str
    repair: str
    seen: typing.Callable


def _task(state):
    return lambda facts: facts.instance.task_state == state


def _confirming(facts):
    return any(m.status == 'confirming' for m in facts.open_migrations)


def _reverting(facts):
    return (facts.instance.task_state == task_states.RESIZE_REVERTING or
            any(m.status == 'reverting' for m in facts.open_migrations) or
            facts.failed_revert is not None)


def _zombie(facts):
    return (facts.instance.vm_state in (
                vm_states.ACTIVE, vm_states.STOPPED, vm_states.ERROR)
            and facts.instance.task_state is None
            and any(m.migration_type in ('migration', 'resize') and
                    m.status in ('pre-migrating', 'migrating',
                                 'post-migrating')
                    for m in facts.open_migrations))


def _missing(facts):
    return (bool(facts.instance.host) and
            facts.instance.vm_state != vm_states.SHELVED_OFFLOADED and
            not facts.held[facts.instance.uuid])


def _two_hosts(facts):
    # An evacuated server holds its old host until that host is back.
    evacuated = any(m.migration_type == 'evacuation' and m.status == 'done'
                    for m in facts.migrations)
    return (len(facts.held[facts.instance.uuid]) > 1 and
            not facts.open_migrations and not evacuated)


def _wrong_host(facts):
    held = facts.held[facts.instance.uuid]
    return (len(held) == 1 and facts.node is not None and
            facts.node not in held and not facts.open_migrations and
            # Those have what the server needs.
            not facts.holders)


def _leaked(facts):
    return bool(facts.holders)


RULES = (
    Rule('stuck-resize-prep',
         'The server waits in resize_prep.', LIKELY,
         'Give the source allocation back to the server, set the migration '
         'to error and clear the task state.',
         _task(task_states.RESIZE_PREP)),
    Rule('stuck-resize-migrating',
         'The source stopped in resize_migrating.', LIKELY,
         'If the migration has ended, clear the task state. If not, restart '
         'nova-compute on the source: Nova takes the guest back when it '
         'starts. Then check again.',
         _task(task_states.RESIZE_MIGRATING)),
    Rule('stuck-resize-migrated',
         'The destination never began after resize_migrated.', LIKELY,
         "Revert the move, which Nova's computes do.",
         _task(task_states.RESIZE_MIGRATED)),
    Rule('stuck-resize-finish',
         'The destination stopped in resize_finish.', LIKELY,
         "Finish the move if the guest runs there. If not, revert it, which "
         "Nova's computes do.",
         _task(task_states.RESIZE_FINISH)),
    Rule('stuck-confirming',
         'The source stopped while it confirmed the move.', LIKELY,
         'Set the migration back to finished and confirm again.',
         _confirming),
    Rule('stuck-reverting',
         'A host stopped or failed while it reverted the move.', LIKELY,
         'Send the revert to that host again.', _reverting),
    Rule('zombie-migration',
         'A migration is under way for a server that does not move.', LIKELY,
         'Make the allocations those of the host of the server and set the '
         'migration to error.', _zombie),
    Rule('missing-allocation',
         'The server is on a host and holds nothing there.', CERTAIN,
         'Move what an ended migration holds there to the server, or run '
         'nova-manage placement heal_allocations.', _missing),
    Rule('two-hosts',
         'The server holds two hosts and does not move.', CERTAIN,
         'By hand: see on which host the guest runs, and remove what the '
         'server holds on the other.', _two_hosts),
    Rule('wrong-host',
         'The server holds a host that it is not on, and does not move.',
         CERTAIN,
         'By hand: run nova-manage placement heal_allocations --force for the '
         'server.', _wrong_host),
    Rule('leaked-allocation',
         'A migration that has ended holds an allocation.', CERTAIN,
         'Move it to the server if the server holds nothing, delete it '
         'otherwise.', _leaked),
)


DELETED = Rule(
    'deleted-server',
    'The server is deleted, and something is still held for it.', CERTAIN,
    'Delete what the server and its migrations hold.',
    lambda facts: bool(facts.consumers))


def names(facts, bound):
    """Apply the rules.

    :param facts: Facts of a server
    :param bound: seconds without a change, after which a server that is in
        the middle of something is looked at
    :returns: the rules seen, a list
    """
    if facts.instance.deleted:
        rules, busy = (DELETED,), True
    else:
        rules = RULES
        busy = facts.instance.task_state is not None or facts.open_migrations
    at_work = busy and facts.idle < bound and not facts.down
    return [] if at_work else [rule for rule in rules if rule.seen(facts)]


def find(cell, instances, bound):
    """Find what is wrong with servers.

    Nova changes its records and Placement one after the other, so a finding
    counts only if it is still there when all is read again, WAIT later.

    :param cell: the Cell of the servers
    :param instances: a list of nova.objects.Instance
    :param bound: see names
    :returns: generator of tuples of a nova.objects.Instance and the rules
        seen twice, a list
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
        second = names(cell.facts(instance), bound) if instance else ()
        both = [rule for rule in first if rule in second]
        if both:
            yield instance, both
