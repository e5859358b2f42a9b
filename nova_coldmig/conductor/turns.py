# SPDX-License-Identifier: Apache-2.0

"""The order in which claims of one process go to Placement.

A claim changes the providers of both hosts of a move, so that claims of one
host collide in Placement, which repeats each until it gets through. Where many
servers leave a host at once, most of its writes are repeated ones.

So they go one after the other. Nothing depends on it but the number of writes:
a claim that does not get its turn in time is made all the same, and what
another process claims is not waited for.
"""

import contextlib
import threading
import typing as ty

from oslo_log import log as logging

LOG = logging.getLogger(__name__)


class _Ticket(ty.NamedTuple):
    """One claim that has its turn or waits for it.

    :ivar providers: frozenset of str, UUIDs of those it changes.
    :ivar turn: threading.Event, set when it is its turn.
    """

    providers: frozenset[str]
    turn: threading.Event


class Turns:
    """Gives claims that share a provider their turn, first come first served.

    A claim waits for those that came before it and share a provider with it,
    whether they have their turn or wait too. All its providers are asked for
    in one step, so that no two claims can wait for each other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # In the order in which they came.
        self._tickets: list[_Ticket] = []

    @contextlib.contextmanager
    def turn(self, providers: ty.Iterable[str], timeout: float,
             most: int) -> ty.Iterator[bool]:
        """Wait for the turn of a claim, and have it until the context ends.

        :param providers: iterable of str, UUIDs of the resource providers
            that the claim changes.
        :param timeout: float, how long to wait, in seconds. Then the claim
            goes on without its turn.
        :param most: int, how many may wait at once. One more goes on without
            its turn, so that the threads of the conductor are not all taken
            by claims that wait.
        :returns: a context manager, whose value is a bool: whether it is the
            turn of the claim.
        """
        ticket = _Ticket(frozenset(providers), threading.Event())
        if not self._enter(ticket, most):
            LOG.info('%d claims wait for their turn; one more does not.', most)
            yield False
            return
        try:
            had = ticket.turn.wait(timeout)
            if not had:
                # It does not wait any more, and those behind it wait on.
                ticket.turn.set()
                LOG.info('A claim did not get its turn in %s seconds, and '
                         'goes on without it.', timeout)
            yield had
        finally:
            self._leave(ticket)

    def _enter(self, ticket: _Ticket, most: int) -> bool:
        with self._lock:
            if self._is_blocked(ticket):
                waiting = sum(not other.turn.is_set()
                              for other in self._tickets)
                if waiting >= most:
                    return False
            else:
                ticket.turn.set()
            self._tickets.append(ticket)
            return True

    def _leave(self, ticket: _Ticket) -> None:
        with self._lock:
            # By identity: two claims of the same providers are not one.
            self._tickets = [other for other in self._tickets
                             if other is not ticket]
            for other in self._tickets:
                if not other.turn.is_set() and not self._is_blocked(other):
                    other.turn.set()

    def _is_blocked(self, ticket: _Ticket) -> bool:
        """Tell whether one that came before shares a provider."""
        for other in self._tickets:
            if other is ticket:
                return False
            if other.providers & ticket.providers:
                return True
        return False
