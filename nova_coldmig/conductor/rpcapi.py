# SPDX-License-Identifier: Apache-2.0

"""Ask a conductor whether it knows force.

The namespace is nova-coldmig's own: the RPC interfaces of Nova are as they
were.
"""

from importlib import metadata

from nova.conductor import rpcapi
from nova import rpc
import oslo_messaging as messaging

#: How long, in seconds, a conductor has to answer.
TIMEOUT = 10

TARGET = messaging.Target(namespace='coldmig', version='1.0')


class ConductorEndpoint:
    """What nova-coldmig-conductor answers beside Nova's interfaces."""

    target = TARGET

    def version(self, context):
        """Tell that this conductor runs forced cold migrations.

        :param context: nova.context.RequestContext
        :returns: str, the version of nova-coldmig.
        """
        return metadata.version('nova-coldmig')


class ConductorAPI:
    """Client of ConductorEndpoint."""

    def __init__(self):
        self._client = rpc.get_client(messaging.Target(
            topic=rpcapi.RPC_TOPIC, namespace=TARGET.namespace,
            version=TARGET.version))

    def version(self, context, host=None):
        """Ask a conductor.

        :param context: nova.context.RequestContext
        :param host: str, host of a nova-conductor service; None for any.
        :returns: str, the version of nova-coldmig that it runs, or None if it
            is one without.
        :raises: oslo_messaging.MessagingTimeout if it does not answer.
        """
        try:
            return self._client.prepare(
                server=host, timeout=TIMEOUT).call(context, 'version')
        except (messaging.UnsupportedVersion, messaging.RemoteError):
            return None
