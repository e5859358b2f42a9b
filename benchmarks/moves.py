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


"""One move: what it asks of others, and how long it takes."""

import collections
import statistics
import time

from placement import db_api as placement_db
import sqlalchemy
from sqlalchemy import engine

from benchmarks import cases
from benchmarks import figures
from nova_coldmig.tests.functional.faults import steps

WARM_UP = 5
COUNTED = 25
#: By kind of call, the key of the result.
KINDS = {'placement': 'placement_requests', 'rpc': 'rpc_messages',
         'sql': 'sql_statements', 'neutron': 'neutron_requests'}


class Meter(steps.Recorder):
    """Counts the calls of a move, and the time that they take."""

    def _setUp(self):
        super()._setUp()
        for event, listener in (('before_cursor_execute', self._before),
                                ('after_cursor_execute', self._after)):
            sqlalchemy.event.listen(engine.Engine, event, listener)
            self.addCleanup(
                sqlalchemy.event.remove, engine.Engine, event, listener)

    def reset(self):
        self.calls = collections.Counter()
        self.seconds = collections.Counter()
        self.names = []
        self.arm()

    def _call(self, name, passed_on):
        if not self._armed:
            return passed_on()
        kind = name.partition(' ')[0]
        began = time.perf_counter()
        try:
            return passed_on()
        finally:
            self.names.append(name)
            self.calls[kind] += 1
            self.seconds[kind] += time.perf_counter() - began
            if name == 'rpc cast prep_resize':
                # What follows takes the move back.
                self.disarm()

    def _before(self, connection, cursor, statement, parameters, context,
                many):
        context.began = time.perf_counter()

    def _after(self, connection, cursor, statement, parameters, context,
               many):
        # Placement has its database in the same process here.
        if (self._armed and not self._looking() and
                connection.engine is not placement_db.get_placement_engine()):
            self.calls['sql'] += 1
            self.seconds['sql'] += time.perf_counter() - context.began


def measure(case, moves):
    """Measure both ways to migrate, in turn.

    :param case: benchmarks.cases.Case
    :param moves: int, how many of each.
    :returns: dict of the result.
    """
    stop = case.useFixture(cases.PrepResizeStop())
    ways = case.clients()
    flavor = case.small_flavor()
    server = case.boot_small(flavor)
    for _ in range(WARM_UP):
        for way in ways.values():
            case.move(stop, server, way)
    seconds = {name: [] for name in ways}
    for _ in range(moves):
        for name, way in ways.items():
            seconds[name].append(case.move(stop, server, way)[0])
    result = _count(case, stop, ways, server)
    result['latency'] = {
        name: figures.summary(found) for name, found in seconds.items()}
    result['latency_ratio'] = figures.ratio(
        *(statistics.median(seconds[name])
          for name in (cases.FORCED, cases.VANILLA)))
    return result


def _count(case, stop, ways, server):
    meter = case.useFixture(Meter())
    counts = {key: {} for key in KINDS.values()}
    spread, parts, calls = {}, {}, {}
    for name, way in ways.items():
        seen, times, totals = [], [], []
        for _ in range(COUNTED):
            meter.reset()
            total, _busy = case.move(stop, server, way, meter.acting())
            seen.append(meter.calls)
            times.append(meter.seconds)
            totals.append(total)
        calls[name] = [call for call in meter.names
                       if call.partition(' ')[0] in ('placement', 'rpc')]
        for kind, key in KINDS.items():
            found = [counter[kind] for counter in seen]
            counts[key][name] = statistics.mode(found)
            if len(set(found)) > 1:
                spread.setdefault(key, {})[name] = [min(found), max(found)]
        parts[name] = {
            kind: round(1000 * statistics.median(
                counter[kind] for counter in times), 3)
            for kind in ('placement', 'sql', 'neutron')}
        parts[name]['rest'] = round(
            1000 * statistics.median(totals) - sum(parts[name].values()), 3)
    return dict(counts, spread=spread, where_ms=parts, calls=calls)
