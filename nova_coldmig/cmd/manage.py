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
from nova_coldmig.recovery import facts
from nova_coldmig.recovery import findings
from nova_coldmig.recovery import plan
from nova_coldmig.recovery import repair as repairs

CONF = nova_coldmig.conf.CONF
LOG = logging.getLogger(__name__)

CLEAN = 0
WRONG = 2
FOUND = 3
NOT_REPAIRED = 4
FAILED = 255


class NothingToRead(Exception):
    """What is asked for is not there, so nothing can be said about it."""


def _found(host, server, bound):
    """Yield cell, instance and rules of each server that has a finding."""
    known = False
    for cell in facts.cells(nova_context.get_admin_context()):
        known |= cell.knows(host) if host else not server
        count = 0
        for batch in cell.batches(host, server):
            for instance, rules in findings.find(cell, batch, bound):
                yield cell, instance, rules
            count += len(batch)
            if len(batch) == facts.BATCH:
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


def check(host=None, server=None, bound=3600):
    """Yield what is wrong, one dict a finding. Changes nothing.

    :param host: the host whose servers are looked at, or None
    :param server: the UUID of the one server to look at, or None
    :param bound: seconds without a change, after which a server that is in
        the middle of something is looked at
    :raises: NothingToRead if no cell knows the host or the server
    """
    for _cell, instance, rules in _found(host, server, bound):
        for rule in rules:
            yield {'server': instance.uuid, 'host': instance.host,
                   'finding': rule.name, 'what': rule.what,
                   'sure': rule.sure, 'repair': rule.repair}


def repair(host=None, server=None, bound=3600, fenced=(), yes=False,
           ended=False):
    """Yield what is done about each server that has a finding, one dict each.

    :param host: the host whose servers are looked at, or None
    :param server: the UUID of the one server to look at, or None
    :param bound: seconds without a change, after which services that are up
        are taken to be done with a server
    :param fenced: hosts that can not come back by themselves
    :param yes: whether to act
    :param ended: the operator's word that nobody works on the moves of the
        server that are left over, and that no message for them is queued
    :raises: NothingToRead if no cell knows the host or the server
    """
    for cell, instance, rules in _found(host, server, bound):
        # All of it anew: the repair writes what it has read.
        instance = cell.instance(instance.uuid)
        if instance is None:
            continue
        seen = cell.facts(instance, ask=True)
        chosen = plan.make(seen)
        outcome, reason = _act(
            cell, seen, chosen, bound, fenced, yes, ended)
        yield {'server': instance.uuid, 'host': instance.host,
               'findings': [rule.name for rule in rules],
               'repair': chosen.repair, 'what': chosen.text,
               'outcome': outcome, 'reason': reason}


def _act(cell, seen, chosen, bound, fenced, yes, ended):
    if chosen.repair is None:
        return 'by-hand', None
    reason = plan.attended(seen, chosen, bound, frozenset(fenced), ended)
    if reason:
        return 'refused', reason
    if not yes:
        return 'would-repair', None
    try:
        repairs.run(cell.context, seen, chosen.repair)
    except Exception as e:
        LOG.exception('The repair was cut short.', instance=seen.instance)
        return 'failed', str(e)
    return 'repaired', None


def _add_parsers(subparsers):
    migration = subparsers.add_parser('migration').add_subparsers(
        dest='action', required=True)
    for action in ('check', 'repair'):
        parser = migration.add_parser(action)
        scope = parser.add_mutually_exclusive_group(required=True)
        # oslo.config keeps names of options of Nova, such as host, to itself.
        scope.add_argument('--host', dest='of_host')
        scope.add_argument('--server', dest='of_server')
        scope.add_argument('--all', action='store_true')
        parser.add_argument('--json', action='store_true')
        parser.add_argument('--idle', type=int, default=3600,
                            metavar='SECONDS')
    act = parser.add_mutually_exclusive_group()
    act.add_argument('--dry-run', action='store_true')
    act.add_argument('--yes', action='store_true')
    parser.add_argument('--fenced', action='append', default=[],
                        metavar='HOST')
    parser.add_argument(
        '--ended', action='store_true',
        help='you have seen that nobody works on the moves of the server '
             'that are left over, and that no message for them is queued; '
             'needs --server')


def _check(args):
    code = CLEAN
    for finding in check(args.of_host, args.of_server, args.idle):
        code = FOUND
        if args.json:
            print(json.dumps(finding))
        else:
            print('%(server)s on %(host)s: %(finding)s (%(sure)s). '
                  '%(what)s Repair: %(repair)s' % finding)
    return code


def _repair(args):
    code = CLEAN
    if args.ended and not args.of_server:
        print('--ended needs --server: it is a word about one server.',
              file=sys.stderr)
        return WRONG
    for done in repair(args.of_host, args.of_server, args.idle, args.fenced,
                       args.yes, args.ended):
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
