# SPDX-License-Identifier: Apache-2.0

"""Activate nova-coldmig in a process that runs Nova's tests.

The module imports nothing of Nova: the tests select the threading model.
"""

import json
import os
from pathlib import Path
import re

import testtools

from nova_coldmig import seams
from nova_coldmig import series

#: By test, the hosts to choose from, where not all of the cell will do.
HOSTS = {
    # Those of the aggregate of the server's project.
    'nova.tests.functional.test_aggregates.'
    'AggregateMultiTenancyIsolationColdMigrateTest.test_cold_migrate_server':
        ('host2', 'host3'),
    # The other one in a segment of the server's network.
    'nova.tests.functional.test_routed_networks.RoutedNetworkTests.'
    'test_migrate': ('host4',),
}

_ACTION = re.compile(r'/servers/([^/]+)/action$')


def activate(moves=None, force=False):
    """Install both halves for good, and follow the migrate actions.

    :param moves: str, the directory to write the migrate actions of each
        functional test to; None for unit tests, which have no client.
    :param force: bool, whether each migrate action is forced.
    """
    seams.install(seams.API)
    seams.install(seams.CONDUCTOR)
    if moves is None:
        return

    from nova.scheduler.client import query
    from nova.tests.functional.api import client

    follower = Follower(Path(moves), force)
    testtools.TestCase.setUp = _set_up(testtools.TestCase.setUp, follower)
    client.TestOpenStackClient.request = _request(
        client.TestOpenStackClient.request, follower, series.detect())
    # The class, as a service keeps the methods it found when it started.
    query.SchedulerQueryClient.select_destinations = _select_destinations(
        query.SchedulerQueryClient.select_destinations, follower)


class Follower:
    """Knows the migrate actions of the test that runs in this process.

    Of each it knows the server, the host that was asked for, whether it was
    forced, the status of the answer, and how often the scheduler was asked
    about the server because of it.

    :param directory: pathlib.Path to write to.
    :param force: bool, see activate.
    """

    def __init__(self, directory, force):
        self._path = directory / ('%d.jsonl' % os.getpid())
        self._force = force
        self._test = None
        self._moves = []
        # By server, the move that its last action started.
        self._last = {}

    def start(self, test):
        """Take note that a test starts."""
        self._test = test
        self._moves = []
        self._last = {}

    def finish(self):
        """Write the moves of the test.

        :raises: AssertionError if the scheduler was asked about a forced one.
        """
        if not self._moves:
            return
        with self._path.open('a') as f:
            f.write(json.dumps({'test': self._test, 'moves': self._moves}))
            f.write('\n')
        asked = [move for move in self._moves
                 if move['forced'] and move['scheduled']]
        if asked:
            raise AssertionError(
                'The scheduler was asked about forced moves: %s' % asked)

    def action(self, server, body):
        """Take note of an action, before the request is sent.

        :param server: str, its UUID.
        :param body: dict
        :returns: tuple of the body to send, and the move or None if the
            action is another one.
        """
        self._last.pop(server, None)
        if list(body) != ['migrate']:
            return body, None
        host = (body['migrate'] or {}).get('host')
        if self._force:
            host = host or _pick_host(server, HOSTS.get(self._test))
            body = {'migrate': {'host': host, 'force': True}}
        move = {'server': server, 'host': host, 'forced': self._force,
                'status': None, 'scheduled': 0}
        self._moves.append(move)
        self._last[server] = move
        return body, move

    def scheduling(self, servers):
        """Take note that the scheduler is asked.

        :param servers: list of str, UUIDs of the servers.
        """
        for server in servers or ():
            if server in self._last:
                self._last[server]['scheduled'] += 1


def _pick_host(server, choices=None):
    """Find the host that a test expects a server to go to.

    That is the other one of its cell. If there are several, the scheduler
    would go by what is up and enabled and spread servers: so does this.

    :param server: str, its UUID.
    :param choices: tuple of str, hosts to choose from; None for all.
    :returns: str
    :raises: AssertionError if there is none.
    """
    from nova import context
    from nova import objects
    from nova import servicegroup

    admin = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(admin, server)
    with context.target_cell(admin, mapping.cell_mapping) as cell:
        servers = {instance.uuid: instance.host for instance in
                   objects.InstanceList.get_by_filters(
                       cell, {'deleted': False})}
        services = objects.ServiceList.get_by_binary(
            cell, 'nova-compute', include_disabled=True)
    is_up = servicegroup.API().service_is_up
    others = [
        (not is_up(service), service.disabled,
         list(servers.values()).count(service.host), service.host)
        for service in services if service.host != servers[server] and
        (choices is None or service.host in choices)]
    if not others:
        raise AssertionError('There is no other host to force the server to')
    return min(others)[-1]


def _set_up(upstream, follower):

    def setUp(self):
        upstream(self)
        follower.start(self.id())
        # The first of the cleanups, and so the last one to run.
        self.addCleanup(follower.finish)

    return setUp


def _request(upstream, follower, tree):

    def request(self, url, method='GET', body=None, headers=None):
        headers = dict(headers or {})
        # The latest that the test can know.
        if headers.get('OpenStack-API-Version') == 'compute latest':
            headers.update(_version(tree.max_microversion))
        found = _ACTION.search(url)
        move = None
        if method == 'POST' and found and body:
            decoded, move = follower.action(found.group(1), json.loads(body))
            if move and move['forced']:
                body = json.dumps(decoded)
                headers.update(_version(tree.microversion))
        response = upstream(self, url, method, body, headers)
        if move:
            move['status'] = response.status_code
        return response

    return request


def _version(microversion):
    return {'X-OpenStack-Nova-API-Version': microversion,
            'OpenStack-API-Version': 'compute ' + microversion}


def _select_destinations(upstream, follower):

    def select_destinations(self, context, spec_obj, instance_uuids,
                            *args, **kwargs):
        follower.scheduling(instance_uuids)
        return upstream(
            self, context, spec_obj, instance_uuids, *args, **kwargs)

    return select_destinations
