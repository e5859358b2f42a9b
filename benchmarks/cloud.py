# SPDX-License-Identifier: Apache-2.0

"""A move in a cloud of real processes, which tools/cloud has started."""

from concurrent import futures
import datetime
import json
import pathlib
import re
import time

from keystoneauth1 import adapter
from keystoneauth1.identity import v3
from keystoneauth1 import session

from benchmarks import cases
from benchmarks import moves as compared

#: A line of placement.log: when, for which request to nova-api, and what.
REQUEST = re.compile(
    r'(\S+ \S+) \d+ INFO placement\.requestlog \[(req-\S+) .*'
    r'"(GET|PUT|POST|DELETE) (\S+)" status:')
HOSTS = ('compute1', 'compute2')
WARM_UP = 2
ALIAS = 'os-migrate-server-force'
#: Seconds until a step of a server must be done.
PATIENCE = 300


class Cloud:
    """A client of the cloud, and a reader of its logs.

    :param state: pathlib.Path, the state folder of tools/cloud.
    """

    def __init__(self, state):
        clouds = json.loads((state / 'clouds.yaml').read_text())['clouds']
        auth = session.Session(v3.Password(**clouds['admin']['auth']))
        self._images = adapter.Adapter(auth, service_type='image')
        self._placement = adapter.Adapter(
            auth, service_type='placement', default_microversion='1.28')
        self._api = adapter.Adapter(auth, service_type='compute')
        self._project = auth.get_project_id()
        described = self._api.get('/extensions/%s' % ALIAS).json()
        self._api.default_microversion = re.search(
            r'microversion (2\.\d+)',
            described['extension']['description']).group(1)
        self._log = state / 'logs' / 'placement.log'

    def boot(self, count=1):
        """Create servers on the first host.

        :param count: int
        :returns: list of str, their UUIDs.
        """
        self._api.put('/os-quota-sets/%s' % self._project, json={
            'quota_set': {'instances': -1, 'cores': -1, 'ram': -1}})
        image, = self._images.get('/v2/images?name=tiny').json()['images']
        flavor, = [flavor['id'] for flavor
                   in self._api.get('/flavors').json()['flavors']
                   if flavor['name'] == 'm1.tiny']
        reservation = self._api.post('/servers', json={'server': {
            'name': 'benchmark', 'imageRef': image['id'],
            'flavorRef': flavor, 'networks': 'none', 'host': HOSTS[0],
            'min_count': count, 'return_reservation_id': True,
        }}).json()['reservation_id']
        uuids = [server['id'] for server in self._api.get(
            '/servers?reservation_id=%s' % reservation).json()['servers']]
        for uuid in uuids:
            self._wait(uuid, 'ACTIVE')
        return uuids

    def delete(self, uuid):
        self._api.delete('/servers/%s' % uuid)

    def _migrate(self, uuid, destination, way):
        body = {'host': destination}
        version = '2.56'
        if way == cases.FORCED:
            body['force'] = True
            version = self._api.default_microversion
        return self._api.post('/servers/%s/action' % uuid,
                              json={'migrate': body}, microversion=version)

    def _confirm(self, uuid):
        self._api.post('/servers/%s/action' % uuid,
                       json={'confirmResize': None})
        self._wait(uuid, 'ACTIVE')

    def move(self, uuid, destination, way):
        """Migrate a server, and confirm that.

        :param uuid: str
        :param destination: str, a host.
        :param way: str, cases.VANILLA or cases.FORCED.
        :returns: tuple of benchmarks.cases.Move, as far as the destination
            asks Placement, which is the first that is logged of it; and of
            list of str, the requests to Placement before.
        """
        offset = self._log.stat().st_size
        began = time.time()
        answer = self._migrate(uuid, destination, way)
        self._wait(uuid, 'VERIFY_RESIZE')
        requests = self._requests(
            offset, answer.headers['x-openstack-request-id'])
        # The destination only reads until it has claimed. What was written
        # before was the claim in Placement.
        last = max(number for number, (_at, name) in enumerate(requests)
                   if not name.startswith('GET'))
        self._confirm(uuid)
        return (cases.Move(requests[last + 1][0] - began, 0),
                [name for _at, name in requests[:last + 1]])

    def drain(self, uuids, source, destination, way, clients):
        """Migrate servers with requests at once, and confirm that.

        A server that did not move is asked to again, as who drains a host
        does.

        :param uuids: list of str, the servers, all on the source.
        :param source: str, a host.
        :param destination: str, a host.
        :param way: str, cases.VANILLA or cases.FORCED.
        :param clients: int, how many requests at once.
        :returns: dict of the result.
        :raises: RuntimeError if an allocation is not what it should be, or
            more moves failed than there are servers.
        """
        began = time.perf_counter()
        failed, left = 0, uuids
        with futures.ThreadPoolExecutor(clients) as pool:
            while left:
                list(pool.map(
                    lambda uuid: self._migrate(uuid, destination, way), left))
                left = self._wait_for_moves(uuids)
                failed += len(left)
                if failed > len(uuids):
                    raise RuntimeError('Too many moves fail: %d.' % failed)
            seconds = time.perf_counter() - began
            self._check_allocations(
                {uuid: {source, destination} for uuid in uuids})
            list(pool.map(self._confirm, uuids))
        self._check_allocations({uuid: {destination} for uuid in uuids})
        return {'servers': len(uuids), 'seconds': round(seconds, 1),
                'moves_per_second': round(len(uuids) / seconds, 2),
                'failed_moves': failed, 'allocations': 'exact'}

    def _wait_for_moves(self, uuids):
        """Wait until no server is on its way any more.

        :param uuids: list of str
        :returns: list of str, those that did not move.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            servers = [
                server for server in self._api.get(
                    '/servers/detail').json()['servers']
                if server['id'] in uuids]
            if any(server['status'] == 'ERROR' for server in servers):
                raise RuntimeError('A server is in ERROR.')
            if not any(server['OS-EXT-STS:task_state'] for server in servers):
                return [server['id'] for server in servers
                        if server['status'] != 'VERIFY_RESIZE']
            time.sleep(1)
        raise RuntimeError('The servers are still on their way.')

    def _check_allocations(self, expected):
        """Compare what servers and their migrations hold.

        :param expected: dict of UUID of a server to set of str, the hosts
            that have to be held, by the server or by its migration.
        :raises: RuntimeError if another one is.
        """
        hosts = {provider['uuid']: provider['name'] for provider in
                 self._placement.get('/resource_providers').json()[
                     'resource_providers']}
        migrations = {
            migration['instance_uuid']: migration['uuid'] for migration in
            self._api.get('/os-migrations?status=finished').json()[
                'migrations']}
        for uuid, expected_hosts in expected.items():
            held = [hosts[provider]
                    for consumer in (uuid, migrations.get(uuid)) if consumer
                    for provider in self._placement.get(
                        '/allocations/%s' % consumer).json()['allocations']]
            if sorted(held) != sorted(expected_hosts):
                raise RuntimeError('Server %s holds %s, not %s.' % (
                    uuid, held, expected_hosts))

    def _requests(self, offset, request_id):
        with self._log.open() as stream:
            stream.seek(offset)
            matches = [REQUEST.match(line) for line in stream]
        return [(datetime.datetime.fromisoformat(match[1]).timestamp(),
                 '%s %s' % (match[3], match[4].partition('?')[0]))
                for match in matches if match and match[2] == request_id]

    def _wait(self, uuid, status):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            server = self._api.get('/servers/%s' % uuid).json()['server']
            if server['status'] == 'ERROR':
                raise RuntimeError('Server %s is in ERROR.' % uuid)
            if (server['status'] == status and
                    server['OS-EXT-STS:task_state'] is None):
                return
            time.sleep(0.5)
        raise RuntimeError('Server %s is not %s.' % (uuid, status))


def measure_drain(state, servers):
    """Empty a host in both ways, with requests one by one and at once.

    :param state: str, the state folder of a cloud which is up.
    :param servers: int, how many.
    :returns: dict of the result.
    """
    cloud = Cloud(pathlib.Path(state))
    uuids = cloud.boot(servers)
    found = {}
    hosts = HOSTS
    for clients in (1, 16):
        for way in (cases.VANILLA, cases.FORCED):
            found['%s, %d clients' % (way, clients)] = cloud.drain(
                uuids, *hosts, way, clients)
            hosts = hosts[::-1]
    for uuid in uuids:
        cloud.delete(uuid)
    return found


def measure(state, moves):
    """Measure both ways to migrate, in turn.

    :param state: str, the state folder of a cloud which is up.
    :param moves: int, how many of each.
    :returns: dict of the result.
    """
    cloud = Cloud(pathlib.Path(state))
    server, = cloud.boot()
    found = {way: [] for way in (cases.VANILLA, cases.FORCED)}
    calls = {}
    at = 0
    for number in range(WARM_UP + moves):
        # Each way goes in both directions.
        for way in (list(found) if number % 2 else reversed(list(found))):
            at = 1 - at
            move, calls[way] = cloud.move(server, HOSTS[at], way)
            if number >= WARM_UP:
                found[way].append(move)
    cloud.delete(server)
    result = compared.compare(found, ('latency',))
    return dict(
        result, placement_requests={
            way: len(names) for way, names in calls.items()})
