# SPDX-License-Identifier: Apache-2.0

"""What a person has to say before a repair acts.

Nova does not tell whether a nova-compute still works on a server: one that is
slow, one that is stopping and goes on with what it has, and one that is dead
leave the same records, and a copy of a disk outlives the nova-compute that
began it. That time passes without a change is a reason to look, and no
evidence. So a repair that starts a guest, destroys a disk or gives an
allocation away waits for the word of a person about each host that could be at
work.
"""

import dataclasses
import typing as ty

if ty.TYPE_CHECKING:  # pragma: no mutate
    from nova_coldmig.recovery import facts as facts_of
    from nova_coldmig.recovery import plan


@dataclasses.dataclass(frozen=True)  # pragma: no mutate
class Word:
    """What the operator says to have seen to.

    :ivar fenced: hosts that are down and can not come back by themselves
    :ivar restarted: hosts whose nova-compute was restarted since the server
        last changed, with nothing left of the one before
    :ivar ended: whether nobody works on the moves of the server, and no
        message for them is queued
    :ivar no_guest_on: hosts on which there is no guest of the server, and on
        which it was not used
    """

    fenced: frozenset[str] = frozenset()
    restarted: frozenset[str] = frozenset()
    ended: bool = False
    no_guest_on: frozenset[str] = frozenset()


def missing(facts: 'facts_of.Facts', chosen: 'plan.Plan', bound: int,
            word: Word) -> ty.Optional[str]:
    """Tell what has to be seen to before a repair.

    :param facts: nova_coldmig.recovery.facts.Facts of the server
    :param chosen: nova_coldmig.recovery.plan.Plan, what is to be done
    :param bound: int, seconds without a change before a server that is in the
        middle of something is looked at
    :param word: Word
    :returns: str, or None if nothing is missing
    """
    waiting = (facts.down | facts.conductors_down) - word.fenced
    if waiting:
        return ('%s is down and may come back to it. Start it, or name it '
                'with --fenced.' % _names(waiting))
    if facts.idle < bound:
        return ('It changed %d seconds ago. Wait, or say with --idle after '
                'how many it is looked at.' % facts.idle)
    at_work = chosen.hosts - word.fenced - word.restarted
    if at_work:
        return ('nova-compute on %s is up and may still work on the server, '
                'which no record and no time without a change tells. Restart '
                'it, see that the old process has ended and that no scp, '
                'rsync or qemu-img of it is left, then name it with '
                '--restarted.' % _names(at_work))
    if word.ended:
        queued = None
    elif chosen.needs_word:
        queued = sorted(chosen.hosts) or ['each host it may have been sent to']
    else:
        # One that was restarted has taken what was queued for it.
        queued = sorted(chosen.hosts & word.fenced)
    if queued:
        return ('No record tells whether a conductor or nova-compute still '
                'works on the move, or whether a message for it is queued: '
                'delivered late, it moves a server that is in order. See the '
                'log of each, and that the queues compute.HOST and, from '
                'Nova 34, compute-alt.HOST have none, of %s. A queue that is '
                'purged loses the messages for other servers too. Then say so '
                'with --server %s --ended.' % (
                    ', '.join(queued), facts.instance.uuid))
    if chosen.no_guest_on and chosen.no_guest_on not in word.no_guest_on:
        return ('It destroys the disk on host %(host)s. Nova does not tell a '
                'guest there that is paused or off from none. See that none '
                'is there, and that it was not used there since the move '
                '(virsh list --all, and when its disk was last written). Then '
                'say so with --server %(uuid)s --no-guest-on %(host)s.' % {
                    'host': chosen.no_guest_on, 'uuid': facts.instance.uuid})
    return None


def _names(hosts: ty.Iterable[str]) -> str:
    return ', '.join(sorted(hosts))
