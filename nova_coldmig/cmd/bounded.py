# SPDX-License-Identifier: Apache-2.0

"""Wait for what may never end, but not for ever."""

import dataclasses
import threading
import time
import typing as ty


class NotInTime(Exception):
    """A call did not end in time."""


@dataclasses.dataclass
class Outcome:
    """What came of a call.

    :ivar value: what it returned.
    :ivar error: the exception that it ended with, NotInTime if it did not
        end, or None.
    """

    value: object = None
    error: ty.Optional[Exception] = None

    def result(self) -> object:
        """Return what the call returned, or raise what it raised."""
        if self.error is not None:
            raise self.error
        return self.value


def run(functions: ty.Sequence[ty.Callable[[], object]],
        seconds: float) -> list[Outcome]:
    """Call functions, all at the same time.

    What has not ended in time is left alone, in a thread that does not keep
    the process from ending.

    :param functions: list of callables without arguments.
    :param seconds: float, how long to wait for all of them together.
    :returns: list of Outcome, in the order of the functions.
    """
    outcomes = [Outcome(error=NotInTime()) for _ in functions]
    threads = []
    for index, function in enumerate(functions):
        threads.append(threading.Thread(
            target=_call, args=(outcomes, index, function), daemon=True))
        threads[-1].start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    # A copy: a late one does not change what was seen.
    return list(outcomes)


def _call(outcomes: list[Outcome], index: int,
          function: ty.Callable[[], object]) -> None:
    try:
        outcomes[index] = Outcome(value=function())
    except Exception as e:
        outcomes[index] = Outcome(error=e)
