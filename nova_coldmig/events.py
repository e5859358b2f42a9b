# SPDX-License-Identifier: Apache-2.0

"""Events of nova-coldmig on the instance actions of Nova.

Their details are for operators: Nova shows them to whom the policy
``os_compute_api:os-instance-actions:events:details`` allows, admins by
default, and stores them whole.
"""

from nova import objects
from oslo_utils import timeutils

#: A forced move was asked of the destination, and what that bypassed.
FORCED = 'coldmig_force'
#: A move was refused, and why.
REFUSED = 'coldmig_refused'
#: A server was repaired, and how. Also the action, where Nova has none.
REPAIRED = 'coldmig_repair'


def record(context, instance, event, host, details, result='Success'):
    """Add an event to the action of the request.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance; its request is that of the action.
    :param instance: nova.objects.Instance
    :param event: str, one of the above.
    :param host: str, on which host it happened. Without one the API does not
        show the event.
    :param details: str, of any length.
    :param result: str, ``Success`` or ``Error``.
    :raises: nova.exception.InstanceActionNotFound if there is no such action.
    """
    now = timeutils.utcnow()
    objects.InstanceActionEvent(
        context=context, event=event, host=host, start_time=now,
        finish_time=now, result=result, details=details,
    ).create(instance.uuid, context.request_id)
