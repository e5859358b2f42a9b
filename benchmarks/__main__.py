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


"""Compare a forced move with a targeted one that Nova schedules.

Both are measured side by side, in the same process, on Nova's and Placement's
own code with SQLite databases and messages that stay in memory. The figures
to quote are the ratios: what a millisecond is depends on the machine.
"""

import argparse
import functools
from importlib import metadata
import json
import os
import pathlib
import platform
import sys

from benchmarks import cases
from benchmarks import drain
from benchmarks import growth
from benchmarks import moves
from benchmarks import overhead
from benchmarks import startup
from nova_coldmig import series

RESULTS = pathlib.Path(__file__).parent / 'results'
PACKAGES = ('nova', 'openstack-placement', 'SQLAlchemy', 'oslo.messaging',
            'nova-coldmig')
#: By figure, the most that it may be.
TARGETS = {
    'placement_requests': 3,
    'rpc_messages': 2,
    'latency_ratio': 0.5,
    'overhead_ratio': 1.02,
    'growth_ratio': 1.1,
}


def machine():
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return {'processors': os.cpu_count(), 'architecture': platform.machine(),
            'memory_gib': round(memory / 2 ** 30), 'system': platform.system()}


def versions():
    found = {name: metadata.version(name) for name in PACKAGES}
    return dict(found, python=platform.python_version(),
                series=series.detect().name)


def measure_moves(args):
    return cases.run(functools.partial(moves.measure, moves=args.moves))


def measure_growth(args):
    found = {}
    for name, full in (('empty', False), ('full', True)):
        found[name] = cases.run(functools.partial(
            growth.measure, moves=args.moves, sizes=args.nodes, full=full))
    first, last = str(args.nodes[0]), str(args.nodes[-1])
    grown = {
        way: max(sizes[last][way]['median_ms'] / sizes[first][way]['median_ms']
                 for sizes in found.values())
        for way in (cases.VANILLA, cases.FORCED)}
    return {'nodes': found,
            'growth_ratio': round(grown[cases.FORCED], 3),
            'growth_ratio_vanilla': round(grown[cases.VANILLA], 3)}


def measure_overhead(args):
    rounds = [overhead.measure() for _ in range(args.rounds)]
    ratios = overhead.ratios(rounds)
    return {'overhead': {'ratios': ratios, 'rounds_ms': rounds},
            'overhead_ratio': max(ratios.values())}


def measure_startup(args):
    return {'startup': startup.measure(args.rounds)}


def measure_drain(args):
    return {'drain': {
        '%s, %d clients' % (way, clients): cases.run(
            functools.partial(drain.measure, servers=args.servers,
                              clients=clients, way=way),
            case_class=drain.Case)
        for clients in (1, 16) for way in (cases.VANILLA, cases.FORCED)}}


PARTS = {'moves': measure_moves, 'growth': measure_growth,
         'overhead': measure_overhead, 'startup': measure_startup,
         'drain': measure_drain}


def rows(result):
    """Make the lines of the table that is printed."""
    for key in moves.KINDS.values():
        if key in result:
            yield (key, result[key][cases.VANILLA], result[key][cases.FORCED],
                   TARGETS.get(key, ''))
    for name, figures in sorted(result.get('latency', {}).items()):
        yield 'latency %s, ms' % name, '', '%(median_ms)s (p95 %(p95_ms)s)' % (
            figures), ''
    for load, sizes in result.get('nodes', {}).items():
        for size, found in sizes.items():
            yield ('%s nodes, %s: ms' % (size, load),
                   found[cases.VANILLA]['median_ms'],
                   found[cases.FORCED]['median_ms'], '')
    for request, ratio in result.get('overhead', {}).get(
            'ratios', {}).items():
        yield 'overhead of ' + request, '', ratio, TARGETS['overhead_ratio']
    for service, found in result.get('startup', {}).items():
        yield ('start of %s, ms' % service, found['without_ms'],
               found['with_ms'], '')
    for name, found in result.get('drain', {}).items():
        yield ('moves a second, ' + name, '', found['moves_per_second'], '')
    for key in ('latency_ratio', 'overhead_ratio', 'growth_ratio'):
        if key in result:
            yield key, '', result[key], TARGETS[key]


def main():
    parser = argparse.ArgumentParser(prog='benchmarks', description=__doc__)
    parser.add_argument('parts', nargs='*', metavar='PART',
                        help='what to measure, of %s (default: all)' %
                             ', '.join(PARTS))
    parser.add_argument('--moves', type=int, default=200, metavar='N',
                        help='moves of each kind (default: %(default)s)')
    parser.add_argument('--nodes', type=int, nargs='+', metavar='N',
                        default=growth.SIZES,
                        help='numbers of compute nodes, rising (default: '
                             '10 100 1000 5000)')
    parser.add_argument('--servers', type=int, default=200, metavar='N',
                        help='servers to drain (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=5, metavar='N',
                        help='repetitions of overhead and start (default: '
                             '%(default)s)')
    parser.add_argument('--output', type=pathlib.Path, metavar='FILE',
                        help='where the result goes; what it has of other '
                             'parts stays (default: %s/SERIES.json)' %
                             RESULTS.name)
    args = parser.parse_args()
    for part in args.parts:
        if part not in PARTS:
            parser.error('there is no part %s' % part)
    about = {'versions': versions(), 'machine': machine()}
    output = args.output or RESULTS / (about['versions']['series'] + '.json')
    result = json.loads(output.read_text()) if output.exists() else {}
    for part in args.parts or PARTS:
        print('Measuring: %s' % part, file=sys.stderr, flush=True)
        result.update(PARTS[part](args), **about)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(result, indent=1, sort_keys=True) + '\n')
    lines = ['%-44s %10s %24s %8s' % row for row in [
        ('', 'vanilla', 'forced', 'at most'), *rows(result)]]
    table = ''.join(line.rstrip() + '\n' for line in lines)
    # The documentation shows it.
    output.with_suffix('.txt').write_text(table)
    print(table + 'Written to %s' % output)


if __name__ == '__main__':
    main()
