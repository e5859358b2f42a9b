# SPDX-License-Identifier: Apache-2.0

"""Wait for a cold migration, and tell what came of it."""

from nova_coldmig_client import actions
from nova_coldmig_client import confirmation
from nova_coldmig_client import exceptions
from nova_coldmig_client import polling

# The state of a server is reset before the end of the event is written, and
# an action may be seen later than the request.
REASON_SECONDS = 5

HOST = 'OS-EXT-SRV-ATTR:host'


class Watch:
    """One server on its way to a host.

    It is made before the migration is asked for, to tell what was already
    there.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str or None for any other host.
    :param progress: callable that is given the status as a str, at each look.
    :raises: nova_coldmig_client.exceptions.MicroversionLost,
        nova_coldmig_client.exceptions.RequestFailed
    """

    def __init__(self, client, server_id, host=None,
                 progress=lambda status: None):
        self._server_id = server_id
        self._host = host
        self._host_id = None
        # A host that is named is lost together with the microversion.
        self._poll = polling.Poll(client, server_id, progress, bool(host))
        self._before = self._poll.last
        self._actions = actions.Actions(self._poll.of_server)

    # Where the server is.

    def _moved(self, server):
        old, new = self._before.get(HOST), server.get(HOST)
        if old and new:
            return new != old
        return server.get('hostId') != self._before.get('hostId')

    def _arrived(self, server):
        if self._host_id:
            return server.get('hostId') == self._host_id
        if self._host and server.get(HOST):
            return server[HOST].lower() == self._host.lower()
        # Not everybody may see the name. A server does not go to a host
        # other than the named one.
        return self._moved(server)

    def _where(self, server):
        if server.get(HOST):
            return 'on ' + server[HOST]
        return 'on the %s host' % ('new' if self._arrived(server) else 'old')

    # Asking.

    def _begun(self):
        """Return the ID of a request that began a migration, or None."""
        patience = polling.Period(REASON_SECONDS)
        while True:
            request_id = self._actions.newest('migrate')
            if request_id or patience.over:
                return request_id
            polling.pause()

    def begin(self, ask, waits=True):
        """Ask for the migration, and look at the server if no answer comes.

        :param ask: callable without arguments that does it, such as
            nova_coldmig_client.migration.force with its arguments.
        :param waits: bool, whether wait() is called after it, which tells what
            became of a migration that began.
        :returns: str, what was seen of a migration whose request was not
            answered, or None.
        :raises: nova_coldmig_client.exceptions.NotKnown, and all that the
            callable raises.
        """
        try:
            ask()
        except exceptions.NotKnown as exc:
            seen = self._seen_of(exc)
            if waits:
                return seen
            raise exceptions.NotKnown(seen)

    def _seen_of(self, lost):
        """Return what is seen of a migration, or raise that it is nothing."""
        try:
            request_id = self._begun()
            server = self._poll.look()
        except exceptions.RequestFailed as exc:
            raise exceptions.NotKnown(
                '%s What the server does can not be seen either: %s.' % (
                    lost, exc))
        state = '%s %s' % (polling.describe(server), self._where(server))
        if not request_id:
            raise exceptions.NotKnown(
                '%s So far no migration of the server began; it is %s.' % (
                    lost, state))
        return ('%s A migration of the server began meanwhile, with the '
                'request %s; it is %s.' % (lost, request_id, state))

    # Waiting.

    def _reason(self, name):
        """Return the actions.Reason of the new action of a name, or None."""
        patience = polling.Period(REASON_SECONDS)
        while True:
            reason, more = self._actions.reason(name)
            if reason and not more or patience.over:
                return reason
            polling.pause()

    def _fail(self, name, server, problem=None):
        text, untouched = None, False
        if problem and server['status'] == 'VERIFY_RESIZE':
            text = str(problem)
        else:
            reason = self._reason(name)
            if reason:
                text, untouched = reason
            else:
                # Nova shows it with a server that is in error.
                text = server.get('fault', {}).get('message') or problem
        failure = (exceptions.Refused if untouched
                   and server['status'] != 'ERROR'
                   and not self._moved(server)
                   else exceptions.MigrationFailed)
        raise failure('The server is %s %s: %s' % (
            server['status'], self._where(server),
            text or 'Nova does not say why.'))

    def _failed(self, server):
        # ACTIVE on the host is what [DEFAULT]resize_confirm_window leaves.
        return server['status'] == 'ERROR' or not self._arrived(server)

    def _confirm(self):
        server, problem = confirmation.Confirmation(
            self._poll, self._actions, self._server_id).run()
        if server['status'] == 'VERIFY_RESIZE' and problem and problem.lost:
            raise exceptions.NotKnown(
                'The server is VERIFY_RESIZE %s. The answer of Nova to the '
                'request to confirm that was lost (%s), so whether it is '
                'confirmed is not known.' % (self._where(server), problem))
        if server['status'] == 'VERIFY_RESIZE' or self._failed(server):
            self._fail('confirmResize', server, problem)
        return server

    def wait(self, timeout=None, confirm=False):
        """Wait until the server is on the host.

        :param timeout: number of seconds, or None to wait for ever.
        :param confirm: bool, whether to confirm the migration.
        :returns: str, the status of the server.
        :raises: nova_coldmig_client.exceptions.Refused,
            nova_coldmig_client.exceptions.MigrationFailed,
            nova_coldmig_client.exceptions.GaveUp,
            nova_coldmig_client.exceptions.NotKnown
        """
        self._poll.limit(timeout)
        server = self._poll.settled()
        if server['status'] == 'VERIFY_RESIZE' and not self._host:
            # Wherever that is: a host that is a cluster may be the same.
            self._host_id = server.get('hostId')
        if self._failed(server):
            self._fail('migrate', server)
        if confirm and server['status'] == 'VERIFY_RESIZE':
            server = self._confirm()
        return server['status']
