# SPDX-License-Identifier: Apache-2.0

"""nova-coldmig-manage: find and mend what broken cold migrations left."""

# First of all: it selects the threading model of the series.
from nova.cmd import manage  # noqa: F401

import json
import sys

from nova import config
from nova import context as nova_context
from nova import objects
from oslo_config import cfg
from oslo_log import log as logging

import nova_coldmig.conf
from nova_coldmig.recovery import attached
from nova_coldmig.recovery import cells
from nova_coldmig.recovery import consent
from nova_coldmig.recovery import disks
from nova_coldmig.recovery import findings
from nova_coldmig.recovery import plan
from nova_coldmig.recovery import repair as repairs
from nova_coldmig import seams
from nova_coldmig import series

CONF = nova_coldmig.conf.CONF
LOG = logging.getLogger(__name__)

CLEAN = 0
WRONG = 2
FOUND = 3
NOT_REPAIRED = 4
FAILED = 255

#: What is left to a person.
BY_HAND = 'by-hand'


class NothingToRead(Exception):
    """What is asked for is not there, so nothing can be said about it."""


def _found(host, server, bound):
    """Yield cell, facts and rules of each server that has a finding."""
    known = False
    for cell in cells.cells(nova_context.get_admin_context()):
        known |= cell.knows(host) if host else not server
        count = 0
        for batch in cell.batches(host, server):
            for seen, rules in findings.find(cell, batch, bound):
                yield cell, seen, rules
            count += len(batch)
            if len(batch) == cells.BATCH:
                print('%d servers of cell %s checked' % (count, cell.name),
                      file=sys.stderr)
        known |= bool(count)
    if not known:
        # A slip of the pen must not look like good news.
        raise NothingToRead(_nothing(host, server))


def _nothing(host, server):
    if server:
        return ('no cell has a server with the UUID %s. If its records were '
                "archived, 'nova-manage placement audit' finds what is held "
                'for it.' % server)
    if host:
        return ('no cell has a compute node, or a server, on a host with the '
                "name %s. 'openstack compute service list' has the names." %
                host)
    return ('no cell is mapped, but cell0. Run this with the configuration '
            'of the super conductor.')


def _text(cell, seen, chosen, answer):
    """Say what is to be done, and by hand about what is attached."""
    move = chosen.copied_by
    told = [chosen.text]
    if move is not None:
        told.append(disks.tell(
            seen.instance.uuid, move.source_compute, move.dest_compute,
            answer))
    told.append(attached.tell(cell.context, seen.instance, chosen))
    return ' '.join(filter(None, told))


def check(host=None, server=None, bound=3600, answer=None):
    """Yield what is wrong, one dict a finding. Changes nothing.

    :param host: the host whose servers are looked at, or None
    :param server: the UUID of the one server to look at, or None
    :param bound: seconds without a change, after which a server that is in
        the middle of something is looked at
    :param answer: where the disks are, one of disks.ANSWERS, or None
    :raises: NothingToRead if no cell knows the host or the server
    """
    for cell, seen, rules in _found(host, server, bound):
        chosen = plan.make(seen)
        asks = chosen.repair and consent.missing(
            seen, chosen, bound, consent.Word())
        text = _text(cell, seen, chosen, answer)
        for rule in rules:
            yield {'server': seen.instance.uuid, 'host': seen.instance.host,
                   'finding': rule.name, 'what': rule.what,
                   'sure': rule.sure, 'plan': chosen.repair or BY_HAND,
                   'repair': text, 'asks': asks}


def repair(host=None, server=None, bound=3600, yes=False,
           word=consent.Word(), answer=None):
    """Yield what is done about each server that has a finding, one dict each.

    :param host: the host whose servers are looked at, or None
    :param server: the UUID of the one server to look at, or None
    :param bound: seconds without a change, after which a server that is in
        the middle of something is looked at
    :param yes: whether to act
    :param word: consent.Word, what the operator has seen to
    :param answer: where the disks are, one of disks.ANSWERS, or None
    :raises: NothingToRead if no cell knows the host or the server
    """
    for cell, before, rules in _found(host, server, bound):
        # All of it anew: the repair writes what it has read, and a service
        # may have died or come back since the cell was read.
        cell.read()
        instance = cell.instance(before.instance.uuid)
        if instance is None:
            continue
        # A host that is asked leaves a fault on the server if its guest does
        # not run.
        seen = cell.facts(instance, ask=yes)
        chosen = plan.make(seen)
        outcome, reason = _act(cell, seen, chosen, bound, yes, word)
        yield {'server': instance.uuid, 'host': instance.host,
               'findings': [rule.name for rule in rules],
               'repair': chosen.repair,
               'what': _text(cell, seen, chosen, answer),
               'outcome': outcome, 'reason': reason}


def _act(cell, seen, chosen, bound, yes, word):
    if chosen.repair is None:
        return BY_HAND, None
    reason = consent.missing(seen, chosen, bound, word)
    if reason:
        return 'refused', reason
    if not yes:
        return 'would-repair', None
    try:
        repairs.run(cell.context, seen, chosen.repair, word)
    except Exception as e:
        LOG.exception('The repair was cut short.', instance=seen.instance)
        return 'failed', str(e)
    return 'repaired', None


def _add_parsers(subparsers):
    migration = subparsers.add_parser(
        'migration', help='cold migrations that broke').add_subparsers(
            dest='action', required=True)
    for action, text in (
            ('check', 'tell what is wrong, and change nothing'),
            ('repair', 'tell what would be done about it, and do it with '
                       '--yes')):
        parser = migration.add_parser(action, help=text, description=text)
        scope = parser.add_mutually_exclusive_group(required=True)
        # oslo.config keeps names of options of Nova, such as host, to itself.
        scope.add_argument('--host', dest='of_host', metavar='HOST',
                           help='look at the servers of this host')
        scope.add_argument('--server', dest='of_server', metavar='UUID',
                           help='look at this server')
        scope.add_argument('--all', action='store_true',
                           help='look at all servers')
        parser.add_argument('--json', action='store_true',
                            help='print one JSON object a line')
        parser.add_argument(
            '--idle', type=int, default=3600, metavar='SECONDS',
            help='how long a server in the middle of a move has to be '
                 'unchanged before it is looked at (default: %(default)s)')
        parser.add_argument(
            '--disks', choices=tuple(disks.ANSWERS),
            help='where the disks are, for what is to be done about them by '
                 'hand: %s' % '; '.join('%s, %s' % answer for answer
                                        in disks.ANSWERS.items()))
    act = parser.add_mutually_exclusive_group()
    act.add_argument('--dry-run', action='store_true',
                     help='change nothing, which is the default')
    act.add_argument('--yes', action='store_true', help='act')
    parser.add_argument(
        '--fenced', action='append', default=[], metavar='HOST',
        help='it is down and can not come back by itself')
    parser.add_argument(
        '--restarted', action='append', default=[], metavar='HOST',
        help='nova-compute there was restarted since the server changed; the '
             'old process has ended, and no copy that it began is left')
    parser.add_argument(
        '--ended', action='store_true',
        help='nobody works on the moves of the server, and no message for '
             'them is queued; needs --server')
    parser.add_argument(
        '--no-guest-on', action='append', default=[], metavar='HOST',
        help='no guest of the server is there, running, paused or off, and '
             'it was not used there since the move; needs --server')


def _check(args):
    try:
        seams.check(seams.RECOVERY)
    except series.UnsupportedNova as e:
        print('What the check says of the state of a server was not tested '
              'with this Nova, and nothing is repaired: %s' % e,
              file=sys.stderr)
    code = CLEAN
    for finding in check(
            args.of_host, args.of_server, args.idle, args.disks):
        code = FOUND
        if args.json:
            print(json.dumps(finding))
        else:
            print('%(server)s on %(host)s: %(finding)s (%(sure)s). '
                  '%(what)s Repair: %(plan)s. %(repair)s' % finding,
                  *([finding['asks']] if finding['asks'] else []))
    return code


def _repair(args):
    # Whatever [coldmig]on_unknown_tree says: what a broken move leaves may be
    # something else there.
    seams.check(seams.RECOVERY)
    code = CLEAN
    for option, given in (('--ended', args.ended),
                          ('--no-guest-on', args.no_guest_on)):
        if given and not args.of_server:
            print('%s needs --server: it is a word about one server.' %
                  option, file=sys.stderr)
            return WRONG
    word = consent.Word(
        frozenset(args.fenced), frozenset(args.restarted), args.ended,
        frozenset(args.no_guest_on))
    for done in repair(
            args.of_host, args.of_server, args.idle, args.yes, word,
            args.disks):
        if done['outcome'] == 'failed':
            code = NOT_REPAIRED
        elif done['outcome'] != 'repaired':
            code = max(code, FOUND)
        if args.json:
            print(json.dumps(done))
        else:
            print('%s on %s: %s: %s. %s %s' % (
                done['server'], done['host'], ', '.join(done['findings']),
                done['outcome'], done['what'], done['reason'] or ''))
    return code


def main():
    """Run the command.

    :returns: CLEAN, FOUND, NOT_REPAIRED or FAILED
    """
    CONF.register_cli_opt(
        cfg.SubCommandOpt('category', handler=_add_parsers))
    config.parse_args(sys.argv)
    objects.register_all()
    args = CONF.category
    try:
        return {'check': _check, 'repair': _repair}[args.action](args)
    except Exception as e:
        print('The %s could not be completed: %s' % (args.action, e),
              file=sys.stderr)
        return FAILED
