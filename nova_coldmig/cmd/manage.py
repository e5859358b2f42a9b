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

"""nova-coldmig-manage: find what a broken cold migration left behind."""

# First of all: it selects the threading model of the series.
from nova.cmd import manage  # noqa: F401

import json
import sys

from nova import config
from nova import context as nova_context
from nova import objects
from oslo_config import cfg

import nova_coldmig.conf
from nova_coldmig.recovery import facts
from nova_coldmig.recovery import findings

CONF = nova_coldmig.conf.CONF

CLEAN = 0
FOUND = 3
FAILED = 255


def check(host=None, server=None, bound=3600):
    """Yield what is wrong, one dict a finding. Changes nothing.

    :param host: the host whose servers are looked at, or None
    :param server: the UUID of the one server to look at, or None
    :param bound: seconds without a change, after which a server that is in
        the middle of something is looked at
    """
    filters = {}
    if host:
        filters['host'] = host
    if server:
        filters['uuid'] = [server]
    for cell in facts.cells(nova_context.get_admin_context()):
        count = 0
        for count, instance in enumerate(cell.instances(filters), 1):
            for rule in findings.find(cell, instance, bound):
                yield {'server': instance.uuid, 'host': instance.host,
                       'finding': rule.name, 'what': rule.what,
                       'sure': rule.sure, 'repair': rule.repair}
            if count % facts.BATCH == 0:
                print('%d servers of a cell checked' % count,
                      file=sys.stderr)


def _add_parsers(subparsers):
    migration = subparsers.add_parser('migration').add_subparsers(
        dest='action', required=True)
    parser = migration.add_parser('check')
    scope = parser.add_mutually_exclusive_group(required=True)
    scope.add_argument('--host')
    scope.add_argument('--server')
    scope.add_argument('--all', action='store_true')
    parser.add_argument('--json', action='store_true')
    parser.add_argument('--idle', type=int, default=3600, metavar='SECONDS')


def main():
    """Run the command.

    :returns: CLEAN, FOUND or FAILED
    """
    CONF.register_cli_opt(
        cfg.SubCommandOpt('category', handler=_add_parsers))
    config.parse_args(sys.argv)
    objects.register_all()
    args = CONF.category
    found = False
    try:
        for finding in check(args.host, args.server, args.idle):
            found = True
            if args.json:
                print(json.dumps(finding))
            else:
                print('%(server)s on %(host)s: %(finding)s (%(sure)s). '
                      '%(what)s Repair: %(repair)s' % finding)
    except Exception as e:
        print('The check could not be completed: %s' % e, file=sys.stderr)
        return FAILED
    return FOUND if found else CLEAN
