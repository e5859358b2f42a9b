# SPDX-License-Identifier: Apache-2.0

"""Confirm a migration, which others may be doing as well."""

from nova_coldmig_client import actions
from nova_coldmig_client import exceptions
from nova_coldmig_client import polling

# What another request did is not to be seen at once.
SECONDS = 5
COLD = ('migration', 'resize')


class Confirmation:
    """The confirmation of the migration of one server.

    :param poll: nova_coldmig_client.polling.Poll of the server.
    :param acts: nova_coldmig_client.actions.Actions of the server.
    :param server_id: str
    """

    def __init__(self, poll, acts, server_id):
        self._poll = poll
        self._actions = acts
        self._migrations = '/os-migrations?instance_uuid=%s' % server_id

    def _recorded(self):
        """Tell whether the record of the migration says that it goes on."""
        records = sorted(
            (record for record in self._poll.get(
                self._migrations, 'migrations', list)
             # Before 2.23 it is not told.
             if record.get('migration_type', COLD[0]) in COLD),
            key=lambda record: record['created_at'])
        # The newest is the one that is confirmed.
        return bool(records) and records[-1]['status'] == 'confirming'

    def _acting(self):
        """Tell whether the action goes on, or None if there is none."""
        request_id = self._actions.newest('confirmResize')
        events = request_id and self._actions.events(request_id)
        if events is None:
            return None
        # Nothing is written before nova-compute begins.
        return not events or actions.unfinished_among(events)

    def _goes_on(self):
        """Tell whether the migration is being confirmed, by whomever.

        There is no task then. The record of the migration tells, which only
        administrators see, or the action, which others see too.

        :returns: bool, or None if nothing is seen of it.
        """
        try:
            if self._recorded():
                return True
        except exceptions.RequestFailed:
            pass
        try:
            return self._acting()
        except exceptions.RequestFailed:
            return None

    def _ask(self):
        """Return why Nova did not take the request, or None if it did."""
        try:
            self._poll.act({'confirmResize': None})
        except exceptions.RequestFailed as exc:
            return exc

    def _end(self, problem):
        """Wait as long as the migration is being confirmed.

        :param problem: what _ask returned.
        :returns: dict, the server.
        """
        patience = None
        while True:
            server = self._poll.settled()
            if server['status'] != 'VERIFY_RESIZE':
                return server
            goes_on = self._goes_on()
            if goes_on is None:
                # What Nova took, it is doing.
                goes_on = not problem
            if goes_on:
                patience = None
            elif patience is None:
                patience = polling.Period(SECONDS)
            elif patience.over:
                return server
            if not goes_on and problem and problem.lost and self._poll.over:
                return server
            self._poll.pause(' and being confirmed' if goes_on else '')

    def run(self):
        """Confirm, and wait for the end of it.

        :returns: tuple of the server as a dict, and of why Nova did not take
            the last request, a nova_coldmig_client.exceptions.RequestFailed,
            or None if it did.
        :raises: nova_coldmig_client.exceptions.GaveUp,
            nova_coldmig_client.exceptions.MigrationFailed
        """
        trying = polling.Period(polling.SILENCE_SECONDS)
        while True:
            problem = self._ask()
            server = self._end(problem)
            if (server['status'] != 'VERIFY_RESIZE' or not problem
                    or not problem.transient or trying.over
                    or self._poll.over):
                return server, problem
