# SPDX-License-Identifier: Apache-2.0

"""What nova-coldmig refuses, in classes that every Nova knows to answer.

``MigrateServerController._migrate`` turns a fixed list of Nova's exceptions
into HTTP errors. The classes below descend from members of that list, so each
series answers them without a change.
"""

from nova import exception
from nova.i18n import _


class ForcedDestinationInvalid(exception.ComputeHostNotFound):
    """The named host can not be the destination: HTTP 400.

    :param reason: str, a sentence that says why and what to do.
    """

    msg_fmt = _("%(reason)s")


class ForcedDestinationUnavailable(exception.ComputeServiceUnavailable):
    """The named host could be the destination, but not now: HTTP 409.

    :param reason: str, a sentence that says why and what to do.
    """

    msg_fmt = _("%(reason)s")


class EarlierMoveUnfinished(exception.ComputeServiceUnavailable):
    """An earlier cold migration of the server is not done with: HTTP 409.

    :param reason: str, a sentence that says which and what to do.
    """

    msg_fmt = _("%(reason)s")


class MoveRefused(exception.MigrationPreCheckError):
    """The super conductor refuses a cold migration.

    The message, which becomes the server's fault, is what the owner of the
    server may read. It names no host and no provider.

    :param reason: str, a sentence for the operator that says why and what to
        do. It goes into the event coldmig_refused.
    """

    def __init__(self, reason):
        super().__init__(reason=_(
            "The host can not take the server; see the event "
            "coldmig_refused."))
        self.reason = reason


class ForcedServerChanged(exception.InstanceNotReady):
    """The server is not as the request found it: HTTP 409.

    :param reason: str, a sentence that says why and what to do.
    """

    msg_fmt = _("%(reason)s")
