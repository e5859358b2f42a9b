# SPDX-License-Identifier: Apache-2.0

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
from benchmarks import cloud
from benchmarks import drain
from benchmarks import growth
from benchmarks import moves
from benchmarks import overhead
from benchmarks import startup
from benchmarks import where
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


def measure_profile(args):
    return cases.run(functools.partial(where.measure, moves=args.moves))


def measure_growth(args):
    found = {
        name: cases.run(functools.partial(
            growth.measure, moves=args.growth_moves, rounds=args.rounds,
            sizes=args.nodes, full=full))
        for name, full in (('empty', False), ('full', True))}

    def grown(key, way):
        medians = [[sizes[str(size)][key][way]['median_ms']
                    for size in (args.nodes[0], args.nodes[-1])]
                   for sizes in found.values()]
        return round(max(last / first for first, last in medians), 3)

    return {'nodes': found,
            'growth_ratio': grown('latency', cases.FORCED),
            'growth_ratio_busy': grown('busy', cases.FORCED),
            'growth_ratio_vanilla': grown('latency', cases.VANILLA)}


def measure_overhead(args):
    found = cases.run(functools.partial(
        overhead.measure, rounds=args.blocks), halves=())
    return {'overhead': found,
            'overhead_ratio': max(one['ratio'] for one in found.values())}


def measure_startup(args):
    return {'startup': startup.measure(args.starts)}


def measure_drain(args):
    return {'drain': {
        '%s, %d clients' % (way, clients): cases.run(
            functools.partial(drain.measure, servers=args.servers,
                              clients=clients, way=way),
            case_class=drain.Case)
        for clients in (1, 16) for way in (cases.VANILLA, cases.FORCED)}}


def measure_cloud(args):
    return {'cloud': cloud.measure(args.cloud, args.cloud_moves)}


def measure_cloud_drain(args):
    return {'cloud_drain': cloud.measure_drain(
        args.cloud, args.cloud_servers)}


PARTS = {'moves': measure_moves, 'profile': measure_profile,
         'growth': measure_growth, 'overhead': measure_overhead,
         'startup': measure_startup, 'drain': measure_drain,
         'cloud': measure_cloud, 'cloud-drain': measure_cloud_drain}
#: Those that need a cloud of processes.
CLOUD_PARTS = ('cloud', 'cloud-drain')


def _latency(found):
    return ['%(median_ms)s (p95 %(p95_ms)s)' % found['latency'][way]
            for way in (cases.VANILLA, cases.FORCED)]


def _drained(prefix, drained):
    for clients in dict.fromkeys(name.partition(', ')[2] for name in drained):
        found = [drained['%s, %s' % (way, clients)]
                 for way in (cases.VANILLA, cases.FORCED)]
        yield ('%sdrain of %s, %s: moves a second' % (
            prefix, found[0]['servers'], clients),
            *(one['moves_per_second'] for one in found), '')
        if any(one.get('failed_moves') for one in found):
            yield ('  moves that failed, and were asked for again',
                   *(one['failed_moves'] for one in found), '')


def rows(result):
    """Make the lines of the table that is printed.

    :param result: dict, what the parts returned.
    :returns: generator of tuples of what it is, the figure of vanilla Nova,
        that of a forced move or of the package, and the target.
    """
    ways = (cases.VANILLA, cases.FORCED)
    for key in moves.KINDS.values():
        if key in result:
            yield (key, *(result[key][way] for way in ways),
                   TARGETS.get(key, ''))
    if 'latency' in result:
        yield ('latency, ms', *_latency(result), '')
        yield ('processor time, ms', *(
            result['busy'][way]['median_ms'] for way in ways), '')
    profile = result.get('profile_ms', {way: {} for way in ways})
    for part in dict.fromkeys(part for way in ways for part in profile[way]):
        yield ('of that: ' + part, *(profile[way].get(part, 0)
                                     for way in ways), '')
    for load, sizes in result.get('nodes', {}).items():
        for size, found in sizes.items():
            yield ('%s nodes, %s: ms' % (size, load), *_latency(found), '')
            yield ('  processor time', *(
                found['busy'][way]['median_ms'] for way in ways), '')
            yield ('  of that: statements of Nova, Placement', '',
                   '%(nova)s, %(placement)s' % found['sql_ms'], '')
    for request, found in result.get('overhead', {}).items():
        yield (request + ', ms', found['without'], '%(with)s (x %(ratio)s)' %
               found, TARGETS['overhead_ratio'])
    for service, found in result.get('startup', {}).items():
        yield ('start of %s, ms' % service, found['without_ms'],
               '%(with_ms)s (+ %(added_ms)s)' % found, '')
    if 'cloud' in result:
        found = result['cloud']
        yield ('cloud: placement_requests', *(
            found['placement_requests'][way] for way in ways),
            TARGETS['placement_requests'])
        yield ('cloud: latency, ms', *_latency(found), '')
        yield 'cloud: latency_ratio', '', found['latency_ratio'], ''
    yield from _drained('cloud: ', result.get('cloud_drain', {}))
    yield from _drained('', result.get('drain', {}))
    for key in ('latency_ratio', 'busy_ratio', 'busy_ratio_floor',
                'overhead_ratio', 'growth_ratio', 'growth_ratio_busy'):
        if key in result:
            yield key, '', result[key], TARGETS.get(key, '')


def table(result):
    """Make the table that is printed, as text."""
    lines = ['%-44s %24s %24s %8s' % row for row in [
        ('', 'vanilla', 'forced', 'at most'), *rows(result)]]
    return ''.join(line.rstrip() + '\n' for line in lines)


def main():
    parser = argparse.ArgumentParser(prog='benchmarks', description=__doc__)
    parser.add_argument('parts', nargs='*', metavar='PART',
                        help='what to measure, of %s (default: all)' %
                             ', '.join(PARTS))
    parser.add_argument('--moves', type=int, default=200, metavar='N',
                        help='moves of each kind (default: %(default)s)')
    parser.add_argument('--nodes', type=int, nargs='+', metavar='N',
                        default=growth.SIZES,
                        help='numbers of compute nodes (default: '
                             '10 100 1000 5000)')
    parser.add_argument('--cloud', metavar='DIR',
                        help='the state folder of a cloud that tools/cloud '
                             'has started, for the parts cloud and '
                             'cloud-drain; without it, they are left out')
    parser.add_argument('--cloud-moves', type=int, default=50, metavar='N',
                        help='moves of each kind there (default: '
                             '%(default)s)')
    parser.add_argument('--cloud-servers', type=int, default=40, metavar='N',
                        help='servers to drain there (default: '
                             '%(default)s)')
    parser.add_argument('--servers', type=int, default=200, metavar='N',
                        help='servers to drain (default: %(default)s)')
    parser.add_argument('--growth-moves', type=int, default=10, metavar='N',
                        help='moves of each kind, at each number of nodes, in '
                             'each round (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=5, metavar='N',
                        help='rounds of growth (default: %(default)s)')
    parser.add_argument('--blocks', type=int, default=40, metavar='N',
                        help='blocks of requests with and without the '
                             'package (default: %(default)s)')
    parser.add_argument('--starts', type=int, default=7, metavar='N',
                        help='starts of each service with and without the '
                             'package (default: %(default)s)')
    parser.add_argument('--output', type=pathlib.Path, metavar='FILE',
                        help='where the result goes; what it has of other '
                             'parts stays (default: %s/SERIES.json)' %
                             RESULTS.name)
    args = parser.parse_args()
    for part in args.parts:
        if part not in PARTS:
            parser.error('there is no part %s' % part)
    if not args.cloud and set(CLOUD_PARTS) & set(args.parts):
        parser.error('name the cloud: --cloud DIR')
    about = {'versions': versions(), 'machine': machine()}
    output = args.output or RESULTS / (about['versions']['series'] + '.json')
    result = json.loads(output.read_text()) if output.exists() else {}
    for part in args.parts or [
            part for part in PARTS
            if args.cloud or part not in CLOUD_PARTS]:
        print('Measuring: %s' % part, file=sys.stderr, flush=True)
        result.update(PARTS[part](args), **about)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(result, indent=1, sort_keys=True) + '\n')
    text = table(result)
    # The documentation shows it.
    output.with_suffix('.txt').write_text(text)
    print(text + 'Written to %s' % output)


if __name__ == '__main__':
    main()
