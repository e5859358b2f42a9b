# SPDX-License-Identifier: Apache-2.0

"""Where the processor time of a move goes: a statistical profile."""

import collections
import signal
import statistics

import fixtures

from benchmarks import cases

#: Seconds of processor time between two samples.
STEP = 0.001
PLACEMENT = 'Placement itself'
CLIENT = 'requests to Placement'
PACKAGE = 'nova-coldmig'
REST = 'messages, the client, and the rest'
#: Whose a sample is, by the beginning of the file name of the innermost frame
#: that is listed. What all use, as Nova's objects, is of who uses it.
OWNERS = (
    ('nova_coldmig/tests/', None),
    ('nova_coldmig/', PACKAGE),
    ('nova/api/', 'nova-api'),
    ('nova/compute/api.py', 'nova-api'),
    ('nova/conductor/api.py', 'nova-api'),
    ('nova/conductor/rpcapi.py', 'nova-api'),
    ('nova/conductor/manager.py', 'nova-conductor'),
    ('nova/conductor/tasks/', 'nova-conductor'),
    ('nova/scheduler/manager.py', 'nova-scheduler'),
    ('nova/scheduler/host_manager.py', 'nova-scheduler'),
)


class Sampler(fixtures.Fixture):
    """Looks at the stack of the main thread while it is told to.

    By the processor time of this process, so that what else runs on the
    machine is not seen.
    """

    def _setUp(self):
        self.samples = None
        before = signal.signal(signal.SIGPROF, self._take)
        self.addCleanup(signal.signal, signal.SIGPROF, before)
        signal.setitimer(signal.ITIMER_PROF, STEP, STEP)
        self.addCleanup(signal.setitimer, signal.ITIMER_PROF, 0)

    def _take(self, _number, frame):
        if self.samples is None:
            return
        stack = []
        while frame is not None:
            code = frame.f_code
            stack.append((_inside(code.co_filename), code.co_name))
            frame = frame.f_back
        self.samples.append(stack)


def _inside(path):
    """Cut a file name down to what is inside of the packages."""
    _before, found, rest = path.rpartition('/site-packages/')
    if found:
        return rest
    # This one is installed in place.
    _before, found, rest = path.rpartition('/nova_coldmig/')
    return 'nova_coldmig/' + rest if found else path


def measure(case, moves):
    """Measure both ways to migrate, in turn.

    :param case: benchmarks.cases.Case
    :param moves: int, how many of each.
    :returns: dict of the result.
    """
    stop, ways, server = case.warmed_up()
    sampler = case.useFixture(Sampler())
    samples = {name: [] for name in ways}
    busy = {name: [] for name in ways}
    for _ in range(moves):
        for name, way in ways.items():
            sampler.samples = samples[name]
            stop.then = lambda: setattr(sampler, 'samples', None)
            busy[name].append(case.move(stop, server, way).busy)
    owned = {way: _share(samples[way], busy[way], owner) for way in ways}
    forced, vanilla = (sum(owned[way].values())
                       for way in (cases.FORCED, cases.VANILLA))
    package = owned[cases.FORCED].get(PACKAGE, 0)
    return {
        'profile_ms': owned,
        'profile_package_ms': _share(
            [stack for stack in samples[cases.FORCED]
             if owner(stack) == PACKAGE],
            [package / 1000], function),
        # What would be left if the package took no time at all.
        'busy_ratio_floor': round((forced - package) / vanilla, 3)}


def owner(stack):
    """Tell whose a sample is.

    :param stack: list of tuples of str, file name and function, from the
        innermost frame outwards.
    :returns: str
    """
    files = [path for path, _name in stack]
    if any(path.startswith('placement/') for path in files):
        return PLACEMENT
    if 'nova/scheduler/client/report.py' in files:
        return CLIENT
    for path in files:
        for prefix, name in OWNERS:
            if path.startswith(prefix):
                if name:
                    return name
                break
    return REST


def function(stack):
    """Name the innermost function of the package."""
    return next('%s:%s' % (path.partition('/')[2], name)
                for path, name in stack
                if path.startswith('nova_coldmig/') and
                not path.startswith('nova_coldmig/tests/'))


def _share(samples, busy, key):
    """Divide the mean processor time of a move.

    :param samples: list of stacks.
    :param busy: list of float, the seconds of each move.
    :param key: callable that is given a stack.
    :returns: dict of key to milliseconds, most first.
    """
    counted = collections.Counter(key(stack) for stack in samples)
    each = 1000 * statistics.mean(busy) / max(len(samples), 1)
    return {name: round(count * each, 2)
            for name, count in counted.most_common()}
