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

"""The requests to Nova, without a command around them."""

import re
import time

from nova_coldmig_client import exceptions

EXTENSION = '/extensions/os-migrate-server-force'
# From 2.84 on, events have details.
EVENTS = '2.84'
SETTLED = ('ACTIVE', 'SHUTOFF', 'ERROR')
INTERVAL = 1
# The state of a server is reset before the end of the event is written.
REASON_SECONDS = 5


def discover(client):
    """Ask Nova for the microversion of force.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :returns: str, such as 2.105
    :raises: nova_coldmig_client.exceptions.NotSupported
    """
    response = client.get(EXTENSION, microversion='2.1', raise_exc=False)
    if response.status_code == 404:
        raise exceptions.NotSupported()
    response.raise_for_status()
    found = re.search(r'microversion (\d+\.\d+)',
                      response.json()['extension']['description'])
    if not found:
        raise exceptions.NotSupported()
    return found.group(1)


def force(client, server_id, host):
    """Migrate a server past the scheduler.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str
    :returns: requests.Response, of any status.
    :raises: nova_coldmig_client.exceptions.NotSupported
    """
    return client.post('/servers/%s/action' % server_id,
                       json={'migrate': {'host': host, 'force': True}},
                       microversion=discover(client), raise_exc=False)


class Watch:
    """One server on its way to a host.

    It is made before the migration is asked for, to tell what was already
    there.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str or None for any other host.
    :param timeout: number of seconds, or None to wait for ever.
    :param progress: callable that is given the status as a str.
    """

    def __init__(self, client, server_id, host=None, timeout=None,
                 progress=lambda status: None):
        self._client = client
        self._url = '/servers/%s' % server_id
        self._host = host
        self._timeout = timeout
        self._progress = progress
        self._deadline = None
        self._source = self._server().get('OS-EXT-SRV-ATTR:host')
        self._known = {action['request_id'] for action in self._actions()}

    def _get(self, path):
        response = self._client.get(
            self._url + path, microversion=EVENTS, raise_exc=False)
        response.raise_for_status()
        return response.json()

    def _server(self):
        return self._get('')['server']

    def _actions(self):
        return self._get('/os-instance-actions')['instanceActions']

    def _reason(self, name):
        """Return what the newest action of a name failed of, or None."""
        for action in self._actions():
            # The newest is the first.
            if (action['action'] == name
                    and action['request_id'] not in self._known):
                events = self._get('/os-instance-actions/%s' % (
                    action['request_id']))['instanceAction']['events']
                for event in sorted(
                        events, key=lambda event: event['start_time']):
                    if event['result'] == 'Error':
                        return event.get('details') or (
                            'the event %s failed' % event['event'])
                return None

    def _fail(self, name, server):
        end = time.monotonic() + REASON_SECONDS
        reason = self._reason(name)
        while not reason and time.monotonic() < end:
            time.sleep(INTERVAL)
            reason = self._reason(name)
        where = server.get('OS-EXT-SRV-ATTR:host')
        raise exceptions.MigrationFailed(
            'The server is %s%s: %s' % (
                server['status'], ' on %s' % where if where else '',
                reason or 'Nova does not say why'))

    def _arrived(self, server):
        where = server.get('OS-EXT-SRV-ATTR:host')
        if self._host:
            return where == self._host
        return where != self._source

    def _settled(self, *statuses):
        """Wait until no task is left, and return the server."""
        shown = None
        while True:
            server = self._server()
            task = server.get('OS-EXT-STS:task_state')
            status = '%s (%s)' % (server['status'], task) if task else (
                server['status'])
            if status != shown:
                self._progress(status)
                shown = status
            if not task and server['status'] in statuses:
                return server
            if (self._deadline is not None
                    and time.monotonic() >= self._deadline):
                raise exceptions.TimedOut(
                    'After %g s the server is %s.' % (self._timeout, status))
            time.sleep(INTERVAL)

    def wait(self, confirm=False):
        """Wait until the server is on the host.

        :param confirm: bool, whether to confirm the migration.
        :returns: str, the status of the server.
        :raises: nova_coldmig_client.exceptions.MigrationFailed,
            nova_coldmig_client.exceptions.TimedOut
        """
        if self._timeout is not None:
            self._deadline = time.monotonic() + self._timeout
        server = self._settled('VERIFY_RESIZE', *SETTLED)
        # ACTIVE on the host is what [DEFAULT]resize_confirm_window leaves.
        if server['status'] == 'ERROR' or not self._arrived(server):
            self._fail('migrate', server)
        if confirm and server['status'] == 'VERIFY_RESIZE':
            response = self._client.post(
                self._url + '/action', json={'confirmResize': None},
                microversion=EVENTS, raise_exc=False)
            response.raise_for_status()
            server = self._settled(*SETTLED)
            if server['status'] == 'ERROR' or not self._arrived(server):
                self._fail('confirmResize', server)
        return server['status']
