# SPDX-License-Identifier: Apache-2.0

"""What the commands of both programs do to migrate a server and to wait."""

from nova_coldmig_client import display
from nova_coldmig_client import exceptions
from nova_coldmig_client import watch


class Advice:
    """What a user is told to do next, in the words of a program.

    :param server_id: str
    :param look: tuple of str, the commands that show what a server does, to
        which the server is added.
    :param keep: str, the command that confirms a migration.
    :param undo: str, the command that reverts a migration.
    """

    def __init__(self, server_id, look, keep, undo):
        self._id = server_id
        self._look, self._keep, self._undo = look, keep, undo

    @property
    def look(self):
        """The commands to look at the server with, as a str."""
        return 'look at it with %s.' % ' and '.join(
            '"%s %s"' % (command, self._id) for command in self._look)

    def told(self, exc):
        """Return an exception that says what to do as well.

        :param exc: nova_coldmig_client.exceptions.ClientError
        :returns: nova_coldmig_client.exceptions.ClientError
        """
        if isinstance(exc, exceptions.GaveUp):
            more = 'The migration goes on; ' + self.look
        elif isinstance(exc, exceptions.NotKnown):
            more = 'Before you try again, ' + self.look
        elif isinstance(exc, exceptions.Misdirected):
            more = (
                'To see where it goes, %s When it is VERIFY_RESIZE, "%s %s" '
                'takes it back, and "%s %s" leaves it there.' % (
                    self.look, self._undo, self._id, self._keep, self._id))
        else:
            return exc
        return type(exc)('%s %s' % (exc, more))


def migrate(client, server_id, host, ask, advice, stdout, stderr,
            wait=False, confirm=False, timeout=None):
    """Migrate a server.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str or None for any.
    :param ask: callable without arguments that asks Nova for it.
    :param advice: Advice
    :param stdout: text stream for the status.
    :param stderr: text stream for what else is to be said.
    :param wait: bool, whether to wait for the end.
    :param confirm: bool, whether to wait and to confirm.
    :param timeout: number of seconds to wait, or None to wait for ever.
    :raises: nova_coldmig_client.exceptions.ClientError
    """
    waits = wait or confirm
    progress = display.Display(stdout)
    begun = False
    try:
        try:
            watched = watch.Watch(client, server_id, host, progress.show)
            seen = watched.begin(ask, waits)
            begun = True
            if seen:
                stderr.write(seen + '\n')
            if waits:
                watched.wait(timeout, confirm)
        finally:
            progress.close()
    except exceptions.ClientError as exc:
        raise advice.told(exc)
    except KeyboardInterrupt:
        stderr.write('\nThe migration %s; %s\n' % (
            'goes on' if begun else 'may have begun', advice.look))
        raise
