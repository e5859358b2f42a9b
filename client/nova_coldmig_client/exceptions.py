# SPDX-License-Identifier: Apache-2.0

"""What goes wrong in the client, each in a sentence for a person.

There is one class for each outcome, and each outcome has an exit status.
"""

import textwrap


class ClientError(Exception):
    """Something that the user of a command is told.

    :cvar exit_status: int, what a command ends with.
    :cvar meaning: str, what that says.
    """

    exit_status = 1
    meaning = ('The migration was not asked for: no such server, no login, no '
               'answer to what comes before.')


class Refused(ClientError):
    """Nova refused the migration, or the client did before it asked."""

    exit_status = 3
    meaning = 'It was refused. The server is where and as it was.'


class NotSupported(Refused):
    """The cloud does not have the package."""

    def __init__(self, message='This cloud can not force a cold migration: '
                 'its Nova does not have the package nova-coldmig.'):
        super().__init__(message)


class MicroversionLost(Refused):
    """A request does not reach Nova at the microversion it was sent with.

    :param sent: str, such as 2.105
    :param taken: str, such as 2.1, or None if the answer does not tell.
    """

    def __init__(self, sent, taken):
        if taken:
            seen = 'Nova took it at %s' % taken
        else:
            seen = 'the answer does not say at which one Nova took it'
        super().__init__(
            'A request was sent at microversion %s, and %s. Below 2.56 Nova '
            'ignores the host and moves a server anywhere, so the migration '
            'was not asked for. Have whatever is between here and Nova pass '
            'on the headers OpenStack-API-Version and '
            'X-OpenStack-Nova-API-Version, of requests and of answers, or use '
            'an endpoint that ends in /v2.1 instead of /v2.' % (sent, seen))


class MigrationFailed(ClientError):
    """A migration ended, and the server is not where it should be."""

    exit_status = 4
    meaning = ('It failed: the server is not on the host, is in ERROR, is '
               'deleted, or could not be confirmed.')


class GaveUp(ClientError):
    """A migration goes on, but nobody waits for it any longer."""

    exit_status = 5
    meaning = ('The waiting ended, because the time was over or Nova could '
               'not be asked. The migration goes on.')


class NotKnown(ClientError):
    """Whether Nova took a request is not known."""

    exit_status = 6
    meaning = ('The answer of Nova was lost, so whether it took the request '
               'to migrate, or to confirm, is not known. Look before you try '
               'again.')


class Misdirected(ClientError):
    """Nova took the request, and chose the host itself."""

    exit_status = 7
    meaning = ('Nova ignored the host and chose one itself, because the '
               'microversion was lost on the way. The migration to that host '
               'goes on.')

    @classmethod
    def at(cls, sent, taken):
        """Say what the microversions tell.

        :param sent: str, the microversion of the request.
        :param taken: str, the one that Nova took it at.
        """
        return cls(
            'The server moves, but to a host that Nova chooses: Nova took the '
            'request at microversion %s and not at %s, as the header '
            'OpenStack-API-Version was lost on the way. Below 2.56 Nova '
            'ignores the host that is named, and force. It accepted the '
            'migration, which goes on.' % (taken, sent))


class RequestFailed(ClientError):
    """One request was refused, or what came is no answer of Nova.

    :param message: str
    :param status: int of HTTP, or None if there was no answer.
    :param of_nova: bool, whether the answer has the form of those of Nova.
    """

    def __init__(self, message, status=None, of_nova=True):
        super().__init__(message)
        self.status = status
        self._of_nova = of_nova

    @classmethod
    def from_response(cls, response):
        """Take the message out of what was answered.

        :param response: requests.Response that is not the one wanted.
        """
        if response.status_code < 400:
            return cls('what answered is not Nova (HTTP %d)' % (
                response.status_code), response.status_code, of_nova=False)
        of_nova = True
        try:
            # {"conflictingRequest": {"code": 409, "message": ...}}
            (error,) = response.json().values()
            message = error['message']
        except (ValueError, AttributeError, TypeError, KeyError):
            # Of something between here and Nova.
            message = response.reason or 'Error'
            of_nova = False
        message = '%s (HTTP %d)' % (message, response.status_code)
        request_id = response.headers.get('x-openstack-request-id')
        if request_id:
            message += ' (Request-ID: %s)' % request_id
        return cls(message, response.status_code, of_nova)

    @property
    def lost(self):
        """Whether Nova may have done what it was asked to."""
        return (self.status is None or self.status >= 500
                or self.status == 408 or self.status < 400)

    @property
    def missing(self):
        """Whether Nova says that there is no such thing."""
        return self.status == 404 and self._of_nova

    @property
    def transient(self):
        """Whether the same request may be answered later."""
        return (self.lost or self.status == 429
                or self.status == 404 and not self._of_nova)


OUTCOMES = (ClientError, Refused, MigrationFailed, GaveUp, NotKnown,
            Misdirected)


def exit_statuses():
    """Return the table of exit statuses, for the help of a command.

    :returns: str, a list in reStructuredText.
    """
    rows = [(0, 'Nova took the request. If the command waited: the server is '
                'on the host.')]
    rows += [(outcome.exit_status, outcome.meaning) for outcome in OUTCOMES]
    rows += [(2, 'The command was used wrongly.'),
             (130, 'Ctrl-C. A migration that began goes on.')]
    return '\n'.join(
        textwrap.fill('* %d: %s' % row, 78, subsequent_indent='  ')
        for row in sorted(rows))
