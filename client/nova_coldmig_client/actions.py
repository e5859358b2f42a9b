# SPDX-License-Identifier: Apache-2.0

"""The actions of a server, and what they failed of."""

import collections

from nova_coldmig_client import exceptions

# What a forced migration is refused with, of any length.
REFUSED = 'coldmig_refused'

# The text, and whether the server was left as it was.
Reason = collections.namedtuple('Reason', 'text untouched')


def _of_refusal(events, request_id):
    """Return the reason in the event that the package writes, or None."""
    for event in events:
        if event['event'] == REFUSED and event['result'] == 'Error':
            if event.get('details'):
                return Reason(event['details'], True)
            if 'details' not in event:
                return Reason(
                    'Nova refused the migration. The reason is in the event '
                    '%s of the request %s, for an administrator to read.' % (
                        REFUSED, request_id), True)


def _of_failure(events):
    """Return the reason in the events that Nova writes, or None."""
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
        return Reason(event['details'], False)
    text = 'the event %s failed' % event['event']
    if 'details' not in event:
        text += ', and its details are not shown'
    return Reason(text, False)


class Actions:
    """The actions of a server that came after this was made.

    :param read: callable that is given the end of a path below the server, a
        key and a type, and returns what Nova answers.
    :raises: nova_coldmig_client.exceptions.RequestFailed
    """

    def __init__(self, read):
        self._read = read
        self._hidden = None
        try:
            self._known = {action['request_id'] for action in self._all()}
        except exceptions.RequestFailed as exc:
            if exc.transient:
                raise
            # They are not for everybody, it seems.
            self._hidden = exc

    def _all(self):
        return self._read('/os-instance-actions', 'instanceActions', list)

    def newest(self, name):
        """Return the newest action of a name.

        :param name: str
        :returns: str, the ID of its request, or None if there is no new one.
        :raises: nova_coldmig_client.exceptions.RequestFailed
        """
        if self._hidden:
            raise self._hidden
        # The newest is the first.
        for action in self._all():
            if (action['action'] == name
                    and action['request_id'] not in self._known):
                return action['request_id']

    def events(self, request_id):
        """Return the events of an action.

        :param request_id: str
        :returns: list of dict, the newest first as Nova has them, or None if
            they are not shown.
        :raises: nova_coldmig_client.exceptions.RequestFailed
        """
        return self._read('/os-instance-actions/%s' % request_id,
                          'instanceAction', dict).get('events')

    def reason(self, name):
        """Return what the newest action of a name failed of.

        :param name: str
        :returns: tuple of the Reason, or None if there is none yet, and of
            whether there may be more to know later.
        """
        try:
            request_id = self.newest(name)
            events = self.events(request_id) if request_id else []
        except exceptions.RequestFailed as exc:
            return (Reason('the reason could not be read: %s' % exc, False),
                    exc.transient)
        events = events or []
        refusal = _of_refusal(events, request_id)
        if refusal:
            return refusal, False
        # It is not over yet, or the end of it is not written.
        unfinished = not events or unfinished_among(events)
        return _of_failure(events), unfinished


def unfinished_among(events):
    """Tell whether something that an action is made of goes on.

    :param events: list of dict
    """
    return any(event['result'] is None for event in events)
