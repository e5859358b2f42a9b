# SPDX-License-Identifier: Apache-2.0

"""One move: what it asks of others, and how long it takes."""

import collections
import statistics

from placement import db_api as placement_db
import sqlalchemy
from sqlalchemy import engine

from benchmarks import cases
from benchmarks import figures
from nova_coldmig.tests.functional.faults import steps

COUNTED = 25
#: By kind of call, the key of the result.
KINDS = {'placement': 'placement_requests', 'rpc': 'rpc_messages',
         'sql': 'sql_statements', 'transaction': 'sql_transactions',
         'neutron': 'neutron_requests'}


class Meter(steps.Recorder):
    """Counts the calls of a move."""

    def _setUp(self):
        super()._setUp()
        arguments = engine.Engine, 'after_cursor_execute', self._after
        sqlalchemy.event.listen(*arguments)
        self.addCleanup(sqlalchemy.event.remove, *arguments)

    def reset(self):
        self.calls = collections.Counter()
        self.names = []
        self.arm()

    def _call(self, name, passed_on):
        if not self._armed:
            return passed_on()
        try:
            return passed_on()
        finally:
            self.names.append(name)
            self.calls[name.partition(' ')[0]] += 1
            if name == 'rpc cast prep_resize':
                # What follows takes the move back.
                self.disarm()

    def _after(self, connection, cursor, statement, parameters, context,
               many):
        # Placement has its database in the same process here.
        if (self._armed and not self._looking() and
                connection.engine is not placement_db.get_placement_engine()):
            # SQLite is told of each transaction in a statement.
            self.calls['transaction' if statement.startswith('BEGIN')
                       else 'sql'] += 1


def measure(case, moves):
    """Measure both ways to migrate, in turn.

    :param case: benchmarks.cases.Case
    :param moves: int, how many of each.
    :returns: dict of the result.
    """
    stop, ways, server = case.warmed_up()
    found = {name: [] for name in ways}
    for _ in range(moves):
        for name, way in ways.items():
            found[name].append(case.move(stop, server, way))
    return dict(_count(case, stop, ways, server), **compare(found))


def compare(found, fields=cases.Move._fields):
    """Compare the moves of both ways.

    :param found: dict of way to list of benchmarks.cases.Move.
    :param fields: iterable of str, what of them.
    :returns: dict of the result.
    """
    result = {}
    for name in fields:
        seconds = {way: [getattr(move, name) for move in moves]
                   for way, moves in found.items()}
        result[name] = {way: figures.summary(measured)
                        for way, measured in seconds.items()}
        result[name + '_ratio'] = figures.ratio(*(
            statistics.median(seconds[way])
            for way in (cases.FORCED, cases.VANILLA)))
    return result


def _count(case, stop, ways, server):
    meter = case.useFixture(Meter())
    counts = {key: {} for key in KINDS.values()}
    spread, calls = {}, {}
    for name, way in ways.items():
        seen = []
        for _ in range(COUNTED):
            meter.reset()
            case.move(stop, server, way, meter.acting())
            seen.append(meter.calls)
        calls[name] = [call for call in meter.names
                       if call.partition(' ')[0] in ('placement', 'rpc')]
        for kind, key in KINDS.items():
            found = [counter[kind] for counter in seen]
            counts[key][name] = statistics.mode(found)
            if len(set(found)) > 1:
                spread.setdefault(key, {})[name] = [min(found), max(found)]
    return dict(counts, spread=spread, calls=calls)
