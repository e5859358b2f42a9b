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


"""Wait for a cold migration, and tell what came of it."""

import time

from nova_coldmig_client import exceptions
from nova_coldmig_client import migration

# From 2.84 on, events have details.
MICROVERSION = '2.84'
INTERVAL = 1
# The state of a server is reset before the end of the event is written, and
# before what confirms it at the same time is done.
REASON_SECONDS = 5
# Nova may be restarted meanwhile.
SILENCE_SECONDS = 300
REQUEST_SECONDS = 60

HOST = 'OS-EXT-SRV-ATTR:host'
TASK = 'OS-EXT-STS:task_state'
# Of a server that has a task, and of one in a cell that is down.
BUSY = ('RESIZE', 'UNKNOWN')


def _cause(events):
    """Return what the events of an action failed of, or None.

    :param events: list of dict, the newest first as Nova has them.
    """
    failed = [event for event in events if event['result'] == 'Error']
    if not failed:
        return None

    def telling(event):
        details = event.get('details') or ''
        # Of an error that is not Nova's own there is only the class.
        return bool(details) + (' ' in details)

    # The first of several: what follows are consequences.
    event = max(reversed(failed), key=telling)
    if event.get('details'):
        return event['details']
    reason = 'the event %s failed' % event['event']
    if 'details' not in event:
        reason += ', and its details are not shown'
    return reason


class Watch:
    """One server on its way to a host.

    It is made before the migration is asked for, to tell what was already
    there.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str or None for any other host.
    :param progress: callable that is given the status as a str, at each look.
    :raises: nova_coldmig_client.exceptions.RequestFailed
    """

    def __init__(self, client, server_id, host=None,
                 progress=lambda status: None):
        self._client = client
        self._url = '/servers/%s' % server_id
        self._host = host
        self._host_id = None
        self._progress = progress
        self._timeout = None
        self._deadline = None
        self._microversion = migration.negotiate(client, MICROVERSION)
        self._before = self._get('')['server']
        self._known = {action['request_id'] for action in self._actions()}

    def _send(self, method, path, **kwargs):
        seconds = REQUEST_SECONDS
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            seconds = max(INTERVAL, min(seconds, left))
        return migration.send(self._client, method, self._url + path,
                              microversion=self._microversion,
                              timeout=seconds, **kwargs)

    def _get(self, path):
        return self._send('GET', path).json()

    def _actions(self):
        return self._get('/os-instance-actions')['instanceActions']

    def _over(self):
        return (self._deadline is not None
                and time.monotonic() >= self._deadline)

    def _server(self):
        """Return the server, however long it takes Nova to answer."""
        silent = None
        while True:
            try:
                return self._get('')['server']
            except exceptions.RequestFailed as exc:
                if exc.status == 404:
                    raise exceptions.MigrationFailed(
                        'The server was deleted meanwhile.')
                if not exc.transient:
                    raise exceptions.GaveUp(
                        'The server can not be watched: %s.' % exc)
                now = time.monotonic()
                silent = now if silent is None else silent
                if self._over() or now - silent >= SILENCE_SECONDS:
                    raise exceptions.GaveUp('Nova does not answer: %s.' % exc)
            self._progress('Nova does not answer')
            time.sleep(INTERVAL)

    def _settled(self, busy=(), seconds=None):
        """Wait until no task is left, and return the server.

        :param busy: statuses that will change without a task.
        :param seconds: number of seconds to wait for that, or None.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            server = self._server()
            task = server.get(TASK)
            status = '%s (%s)' % (server['status'], task) if task else (
                server['status'])
            self._progress(status)
            if not task and server['status'] not in BUSY:
                if server['status'] not in busy or (
                        end is not None and time.monotonic() >= end):
                    return server
            if self._over():
                raise exceptions.GaveUp(
                    'After %g s the server is %s.' % (self._timeout, status))
            time.sleep(INTERVAL)

    def _reason(self, name):
        """Return what the new action of a name failed of, or None."""
        try:
            for action in self._actions():
                # The newest is the first.
                if (action['action'] == name
                        and action['request_id'] not in self._known):
                    return _cause(self._get('/os-instance-actions/%s' % (
                        action['request_id']))['instanceAction'].get(
                            'events', ()))
        except exceptions.RequestFailed as exc:
            return 'the reason could not be read: %s' % exc

    def _fail(self, name, server, reason=None):
        end = time.monotonic() + REASON_SECONDS
        reason = reason or self._reason(name)
        while not reason and time.monotonic() < end:
            time.sleep(INTERVAL)
            reason = self._reason(name)
        if not reason:
            # Nova shows it with a server that is in error.
            reason = server.get('fault', {}).get('message')
        where = server.get(HOST)
        if where:
            where = 'on ' + where
        elif self._arrived(server):
            where = 'on the new host'
        else:
            where = 'on the old host'
        raise exceptions.MigrationFailed('The server is %s %s: %s' % (
            server['status'], where, reason or 'Nova does not say why.'))

    def _arrived(self, server):
        if self._host_id:
            return server.get('hostId') == self._host_id
        old, new = self._before.get(HOST), server.get(HOST)
        if self._host and new:
            return new.lower() == self._host.lower()
        if old and new:
            return new != old
        # Not everybody may see the name. A server does not go to a host
        # other than the named one.
        return server.get('hostId') != self._before.get('hostId')

    def _failed(self, server):
        # ACTIVE on the host is what [DEFAULT]resize_confirm_window leaves.
        return server['status'] == 'ERROR' or not self._arrived(server)

    def _ask_to_confirm(self):
        """Return why Nova did not take the request, or None if it did."""
        try:
            self._send('POST', '/action', json={'confirmResize': None})
        except exceptions.RequestFailed as exc:
            return exc

    def _confirm(self):
        end = time.monotonic() + SILENCE_SECONDS
        unanswered = False
        while True:
            refused = self._ask_to_confirm()
            again = refused and refused.transient
            # Nova itself or another user may be confirming it; or Nova took
            # what it could not answer, and refuses to take it twice.
            taken = unanswered and refused and refused.status in (400, 409)
            patience = SILENCE_SECONDS if taken else REASON_SECONDS
            # There is no task while it is confirmed.
            server = self._settled(('VERIFY_RESIZE',), refused and patience)
            if (server['status'] != 'VERIFY_RESIZE' or not again
                    or time.monotonic() >= end):
                break
            unanswered = True
        if server['status'] == 'VERIFY_RESIZE' or self._failed(server):
            self._fail('confirmResize', server, refused and str(refused))
        return server

    def wait(self, timeout=None, confirm=False):
        """Wait until the server is on the host.

        :param timeout: number of seconds, or None to wait for ever.
        :param confirm: bool, whether to confirm the migration.
        :returns: str, the status of the server.
        :raises: nova_coldmig_client.exceptions.MigrationFailed,
            nova_coldmig_client.exceptions.GaveUp
        """
        self._timeout = timeout
        if timeout is not None:
            self._deadline = time.monotonic() + timeout
        server = self._settled()
        if server['status'] == 'VERIFY_RESIZE' and not self._host:
            # Wherever that is: a host that is a cluster may be the same.
            self._host_id = server.get('hostId')
        if self._failed(server):
            self._fail('migrate', server)
        if confirm and server['status'] == 'VERIFY_RESIZE':
            server = self._confirm()
        return server['status']
