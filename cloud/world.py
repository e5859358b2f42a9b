# SPDX-License-Identifier: Apache-2.0

"""What a cloud of many processes says of a server, and of all it holds."""

import contextlib
import json
import os
import subprocess
import time

from cloud import cloud as clouds
from cloud import layout as layouts
from cloud.services import rest
from cloud.services import services

SOURCE, DESTINATION, OTHER = layouts.HOSTS
FLAVOR = 'm1.tiny'
RUNNING = 1
"""nova.compute.power_state.RUNNING"""

ENDED = ('cancelled', 'completed', 'confirmed', 'done', 'error', 'failed',
         'reverted')


class Wrong(Exception):
    """Something is not as it has to be; the message says what."""


def expect(what, want, is_so):
    """Compare.

    :param what: str, what is compared
    :raises Wrong: if the two are not equal
    """
    if want != is_so:
        raise Wrong('%s: want %s, is %s' % (what, want, is_so))


def until(what, done, timeout=240, pause=0.5):
    """Wait until something holds. A service that is away is asked again.

    :param what: str, what is waited for
    :param done: callable
    :param timeout: seconds; a busy machine may take its time
    :returns: what it returned that is true
    :raises Wrong: if it does not come to hold in time
    """
    deadline = time.monotonic() + timeout
    while True:
        told = None
        try:
            result = done()
            if result:
                return result
        except (rest.Error, Wrong) as error:
            told = error
        if time.monotonic() > deadline:
            raise Wrong('%s: not after %d s (%s)' % (
                what, timeout, told or 'it does not hold'))
        time.sleep(pause)


def client_of_mariadb(layout):
    """Return the command that talks with MariaDB; see its manual."""
    return ['/usr/bin/mariadb', '--no-defaults', '--unbuffered', '--batch',
            '--skip-column-names', '--host=127.0.0.1', '--user=openstack',
            '--port=%d' % layout.port('mariadb')]


def empty(cloud, make=None):
    """Look at a cloud that has no server, as a trial needs it.

    :param cloud: cloud.cloud.Cloud, which is up
    :param make: class, World or one of it
    :returns: what it makes
    :raises clouds.Failed: if there is no such cloud, or it has servers
    """
    if not cloud.layout.settings:
        raise clouds.Failed('There is no cloud in %s' % cloud.layout.state)
    there = (make or World)(cloud)
    if there.nova('GET', '/servers?all_tenants=1')['servers']:
        raise clouds.Failed(
            'The cloud has servers: give it back without them.')
    return there


class World:
    """The cloud, as one that moves servers in it sees it.

    :param cloud: cloud.cloud.Cloud, which is up
    """

    #: The hosts that servers are moved between, and those of a move. A third
    #: has no part in it; None if there is none.
    names = layouts.HOSTS
    source, destination, other = layouts.HOSTS

    def __init__(self, cloud):
        self.cloud = cloud
        self.client = cloud.client()
        self.microversion = self._read(
            'nova-api', '/v2.1/extensions/os-migrate-server-force'
        )['extension']['description'].rpartition(' ')[2].rstrip('.')
        flavor = [flavor for flavor in self._read(
            'nova-api', '/v2.1/flavors/detail')['flavors']
            if flavor['name'] == FLAVOR][0]
        self.flavor = flavor['id']
        self.resources = {'VCPU': flavor['vcpus'], 'MEMORY_MB': flavor['ram'],
                          'DISK_GB': flavor['disk']}
        self.image = self._read(
            'glance', '/v2/images?name=tiny')['images'][0]['id']
        self.network = self._read(
            'neutron', '/v2.0/networks?name=fixed')['networks'][0]['id']
        project, = self._read(
            'keystone', '/v3/projects?name=admin')['projects']
        self.nova('PUT', '/os-quota-sets/' + project['id'], {
            'quota_set': {'instances': -1, 'cores': -1, 'ram': -1}})

    def _read(self, service, path, **headers):
        """Send a GET, again if there is no answer: services are restarted.

        :raises rest.Error: if there is none after some time, or a refusal
        """
        deadline = time.monotonic() + 180
        while True:
            try:
                return self.client.request('GET', service, path, **headers)
            except rest.Error as error:
                away = error.code is None or error.code >= 500
                if not away or time.monotonic() > deadline:
                    raise
            time.sleep(1)

    def nova(self, method, path, body=None, version=None):
        """Send a request to nova-api.

        :param version: str, the microversion; the newest by default
        :returns: the decoded answer
        :raises rest.Error: if it is not answered with 2xx
        """
        version = 'compute ' + (version or self.microversion)
        if method == 'GET':
            return self._read('nova-api', '/v2.1' + path,
                              OpenStack_API_Version=version)
        return self.client.request(method, 'nova-api', '/v2.1' + path, body,
                                   OpenStack_API_Version=version)

    def boot(self, host=SOURCE, ports=True, name='trial', **fields):
        """Create a server on a host and wait for it.

        :param fields: of the request, beside or in place of those here
        :returns: str, its UUID
        """
        networks = [{'uuid': self.network}] if ports else 'none'
        # An API that was just started may not answer in time.
        uuid = until('a new server', lambda: self.nova('POST', '/servers', {
            'server': {'name': name, 'flavorRef': self.flavor,
                       'imageRef': self.image, 'networks': networks,
                       'host': host, **fields}}, '2.74'), 180)['server']['id']

        def active():
            # Where it is before it is in a cell, the record is not.
            rows = self.sql('SELECT vm_state FROM nova_cell1.instances '
                            "WHERE uuid = '%s'" % uuid)
            if rows == [['error']]:
                raise Wrong(str(self.server(uuid).get('fault')))
            return rows == [['active']]

        until('the new server %s' % uuid, active, 120)
        return uuid

    def act(self, uuid, body, version=None):
        """Send an action.

        :returns: int, the status of the answer, or None if there was none
        """
        try:
            self.nova('POST', '/servers/%s/action' % uuid, body, version)
        except rest.Error as error:
            return error.code
        return 204 if 'confirmResize' in body else 202

    def migrate(self, uuid, host, kind='forced'):
        """Ask for a migration.

        :param kind: str, forced, checked (with a host) or plain (without)
        :returns: as act
        """
        if kind == 'plain':
            return self.act(uuid, {'migrate': None})
        return self.act(uuid, {'migrate': {
            'host': host, 'force': kind == 'forced'}})

    def set_status(self, host, status):
        """Enable or disable a nova-compute.

        :param host: str
        :param status: str, enabled or disabled
        """
        service, = self.nova(
            'GET', '/os-services?binary=nova-compute&host=' + host)['services']
        body = {'status': status}
        if status == 'disabled':
            body['disabled_reason'] = 'a trial'
        self.nova('PUT', '/os-services/' + service['id'], body)

    def server(self, uuid):
        return self.nova('GET', '/servers/' + uuid)['server']

    def states(self, uuid):
        """Return the status of a server, and its task or None."""
        server = self.server(uuid)
        return server['status'], server['OS-EXT-STS:task_state']

    def sql(self, query):
        """Read from MariaDB: that costs a hundredth of what an API does.

        :param query: str
        :returns: list of lists of str or None, the rows
        :raises Wrong: if it does not answer
        """
        ran = subprocess.run(
            client_of_mariadb(self.cloud.layout) + ['--execute', query],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, check=False,
            env=dict(os.environ, MYSQL_PWD=self.cloud.layout.password))
        if ran.returncode:
            raise Wrong(ran.stderr.strip())
        return [[None if value == 'NULL' else value
                 for value in line.split('\t')]
                for line in ran.stdout.splitlines()]

    def record(self, uuid):
        """Read host, state and task of a server from its cell."""
        row, = self.sql(
            'SELECT host, vm_state, task_state FROM nova_cell1.instances '
            "WHERE uuid = '%s'" % uuid)
        return tuple(row)

    def migrations(self, uuid):
        """Read the migrations of a server, the newest first: dicts."""
        names = ('id', 'uuid', 'status', 'source_compute', 'dest_compute',
                 'updated_at')
        return [dict(zip(names, row)) for row in self.sql(
            "SELECT %s FROM nova_cell1.migrations WHERE instance_uuid = '%s' "
            'ORDER BY id DESC' % (', '.join(names), uuid))]

    def held(self):
        """Read who holds what: {provider: {consumer: {class: amount}}}."""
        held = {host: {} for host in self.cloud.layout.hosts}
        for provider, consumer, name, used in self.sql(
                'SELECT p.name, a.consumer_id, c.name, a.used FROM '
                'placement.allocations a JOIN placement.resource_providers p '
                'ON p.id = a.resource_provider_id JOIN '
                'placement.resource_classes c ON c.id = a.resource_class_id'):
            held[provider].setdefault(consumer, {})[name] = int(used)
        return held

    def check_capacity(self):
        """I3: no provider is over its capacity, and no consumer is unknown.

        :raises Wrong: if one is
        """
        expect('providers over their capacity', [], self.sql(
            'SELECT i.id, SUM(a.used) AS used, '
            '(i.total - i.reserved) * i.allocation_ratio AS capacity '
            'FROM placement.inventories i JOIN placement.allocations a '
            'USING (resource_provider_id, resource_class_id) GROUP BY i.id '
            'HAVING used > capacity'))

    def guests(self, uuid):
        """Tell which hypervisors have the guest: {host: whether it runs}."""
        found = {}
        for host in layouts.HOSTS:
            path = self.cloud.layout.compute(host) / 'guests.json'
            # It is written by the first step there.
            guests = (json.loads(path.read_text())['guests']
                      if path.exists() else {})
            if uuid in guests:
                found[host] = guests[uuid][1] == RUNNING
        return found

    def words(self, uuid, fenced=()):
        """What an operator says who has looked at all there is of a server.

        True here: nobody works on it any more when a death has run its
        course, and nothing is queued.

        :param uuid: str
        :param fenced: hosts that do not come back
        :returns: list of str, options of nova-coldmig-manage
        """
        options = ['--ended']
        for host in self.names:
            options += ['--fenced' if host in fenced else '--restarted', host]
            if self.has_no_guest(uuid, host):
                options += ['--no-guest-on', host]
        return options

    def has_no_guest(self, uuid, host):
        """Tell whether there is nothing of a server on a host to be lost."""
        return not self.guests(uuid).get(host)

    def event_names(self, uuid):
        """Return the names of all events of all actions of a server."""
        actions = self.nova('GET', '/servers/%s/os-instance-actions' % uuid)
        return {event['event'] for action in actions['instanceActions']
                for event in self.nova(
                    'GET', '/servers/%s/os-instance-actions/%s' % (
                        uuid, action['request_id'])
                )['instanceAction']['events']}

    def check_in_order(self, uuid, host, left_on=(), state='active'):
        """I1 and I2: a server is on one host only, and holds that alone.

        :param left_on: hosts that may have the guest too, if it is off there
        :param state: str, active or stopped
        :returns: True
        :raises Wrong: if it is not so
        """
        runs_there = state == 'active'
        expect('host, state and task', (host, state, None),
               self.record(uuid))
        expect('guests', {host: runs_there}, {
            where: runs for where, runs in self.guests(uuid).items()
            if runs or where not in left_on})
        mine = {uuid} | {m['uuid'] for m in self.migrations(uuid)}
        expect('allocations', {host: {uuid: self.resources}}, {
            provider: {consumer: resources for consumer, resources
                       in consumers.items() if consumer in mine}
            for provider, consumers in self.held().items()
            if mine & set(consumers)})
        # What operators see.
        expect('status and task',
               ('ACTIVE' if runs_there else 'SHUTOFF', None),
               self.states(uuid))
        return True

    def manage(self, action, *arguments):
        """Run nova-coldmig-manage migration, as it is installed.

        :param action: str, check or repair
        :returns: tuple of the exit code and what it printed, decoded
        """
        layout = self.cloud.layout
        with open(str(layout.logs / 'manage.log'), 'ab') as log:
            ran = subprocess.run(
                [str(layout.bin / 'nova-coldmig-manage'), '--config-file',
                 str(layout.etc / 'nova/nova.conf'), 'migration', action,
                 '--json', *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=services.environment(layout), cwd=os.sep, check=False)
        return ran.returncode, [json.loads(line)
                                for line in ran.stdout.splitlines()]

    def delete(self, uuid):
        """Delete a server, and wait until nothing is held for it.

        :raises Wrong: if something is
        """
        mine = {uuid} | {m['uuid'] for m in self.migrations(uuid)}
        asked = float('-inf')

        def gone():
            nonlocal asked
            # The request, or the message, may be lost with a service.
            if time.monotonic() - asked > 30:
                asked = time.monotonic()
                with contextlib.suppress(rest.Error):
                    self.nova('DELETE', '/servers/' + uuid)
            try:
                self.server(uuid)
                return False
            except rest.Error as error:
                return error.code == 404

        until('the end of %s' % uuid, gone)
        until('that nothing is held for %s' % uuid, lambda: not (
            mine & {consumer for consumers in self.held().values()
                    for consumer in consumers}), 20)

    def wipe(self):
        """Take all servers away, whatever state they are in."""
        for uuid, in self.sql(
                'SELECT uuid FROM nova_cell1.instances WHERE deleted = 0 '
                # Where those are that found no host.
                'UNION SELECT uuid FROM nova_cell0.instances '
                'WHERE deleted = 0 UNION SELECT instance_uuid FROM '
                'nova_api.build_requests'):
            self.act(uuid, {'os-resetState': {'state': 'active'}})
            with contextlib.suppress(rest.Error, Wrong):
                self.delete(uuid)
        for consumers in self.held().values():
            for consumer in consumers:
                self.client.request(
                    'DELETE', 'placement', '/allocations/' + consumer)
