# SPDX-License-Identifier: Apache-2.0

"""Look at a server again and again, whatever Nova answers meanwhile."""

import math
import time

from nova_coldmig_client import api
from nova_coldmig_client import exceptions

# From 2.84 on, events have details.
MICROVERSION = '2.84'
INTERVAL = 1
# Nova may be restarted meanwhile.
SILENCE_SECONDS = 300
REQUEST_SECONDS = 60

TASK = 'OS-EXT-STS:task_state'
# Of a server that has a task, and of one in a cell that is down.
BUSY = ('RESIZE', 'UNKNOWN')


class Period:
    """Some time from now on.

    :param seconds: number of seconds, or None for ever.
    """

    def __init__(self, seconds):
        self.seconds = seconds
        self._end = math.inf if seconds is None else (
            time.monotonic() + seconds)

    @property
    def left(self):
        """The seconds that are left, a number that may be infinite."""
        return self._end - time.monotonic()

    @property
    def over(self):
        """Whether nothing is left."""
        return self.left <= 0


def pause():
    """Wait until the next look."""
    time.sleep(INTERVAL)


class TimeOver(exceptions.RequestFailed):
    """The time that was given ended before a request was answered."""


def describe(server):
    """Return the status of a server, and its task if there is one.

    :param server: dict, the server as Nova shows it.
    :returns: str
    """
    task = server.get(TASK)
    return '%s (%s)' % (server['status'], task) if task else server['status']


class Poll:
    """What Nova says of one server.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param progress: callable that is given the status as a str, at each look.
    :param exact: bool, whether Nova has to get the microversion.
    :ivar last: dict, the server as it was seen last.
    :raises: nova_coldmig_client.exceptions.MicroversionLost,
        nova_coldmig_client.exceptions.RequestFailed
    """

    def __init__(self, client, server_id, progress, exact):
        self._client = client
        self._server_id = server_id
        self._progress = progress
        self._period = Period(None)
        self._microversion = api.negotiate(client, MICROVERSION)
        self.look(exact=exact and bool(self._microversion))

    def limit(self, seconds):
        """Set how long to look from now on.

        :param seconds: number, or None for ever.
        """
        self._period = Period(seconds)

    @property
    def over(self):
        """Whether the time to look is over."""
        return self._period.over

    def _timed(self, request, *args, **kwargs):
        left = max(INTERVAL, self._period.left)
        asked = time.monotonic()
        try:
            return request(
                self._client, *args, timeout=min(REQUEST_SECONDS, left),
                microversion=self._microversion, **kwargs)
        except exceptions.RequestFailed as exc:
            if (left < REQUEST_SECONDS and exc.status is None
                    and self._period.over):
                raise TimeOver('no answer in the %.0f s that were left' % (
                    time.monotonic() - asked))
            raise

    def get(self, path, key, kind, **kwargs):
        """Read something once, but not for longer than there is time.

        :param path: str
        :param key: str, what is wanted of the answer.
        :param kind: dict or list, what that is.
        :returns: dict or list
        :raises: nova_coldmig_client.exceptions.RequestFailed
        """
        return self._timed(api.get, path, key, kind, connect_retries=0,
                           **kwargs)

    def of_server(self, path, key, kind, **kwargs):
        """Read something below the server, as get() does."""
        return self.get('/servers/%s%s' % (self._server_id, path), key, kind,
                        **kwargs)

    def act(self, body):
        """Ask for an action of the server, as nova_coldmig_client.api.act."""
        self._timed(api.act, self._server_id, body)

    def look(self, **kwargs):
        """Look at the server once.

        :returns: dict
        :raises: nova_coldmig_client.exceptions.RequestFailed
        """
        server = self.of_server('', 'server', dict, **kwargs)
        if 'status' not in server:
            raise exceptions.RequestFailed(
                'what answered is not Nova', 200, of_nova=False)
        self.last = server
        return server

    def _seen(self):
        """Return the server, however long it takes Nova to answer."""
        silence = None
        while True:
            try:
                return self.look()
            except exceptions.RequestFailed as exc:
                if exc.missing:
                    raise exceptions.MigrationFailed(
                        'The server was deleted meanwhile.')
                if not exc.transient:
                    raise exceptions.GaveUp(
                        'The server can not be watched: %s.' % exc)
                if isinstance(exc, TimeOver) and silence is None:
                    raise exceptions.GaveUp(
                        'The %g s were over before the last request was '
                        'answered (%s). Before it, the server was %s.' % (
                            self._period.seconds, exc, describe(self.last)))
                silence = silence or Period(SILENCE_SECONDS)
                if self.over or silence.over:
                    raise exceptions.GaveUp('Nova does not answer: %s.' % exc)
            self._progress('Nova does not answer')
            pause()

    def pause(self, more=''):
        """Wait until the next look.

        :param more: str, what is to be said of the server.
        :raises: nova_coldmig_client.exceptions.GaveUp
        """
        if self.over:
            raise exceptions.GaveUp('After %g s the server is %s%s.' % (
                self._period.seconds, describe(self.last), more))
        pause()

    def settled(self):
        """Wait until the server has no task.

        :returns: dict, the server.
        :raises: nova_coldmig_client.exceptions.GaveUp,
            nova_coldmig_client.exceptions.MigrationFailed
        """
        while True:
            server = self._seen()
            self._progress(describe(server))
            if not server.get(TASK) and server['status'] not in BUSY:
                return server
            self.pause()
