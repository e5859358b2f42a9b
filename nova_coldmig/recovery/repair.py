# SPDX-License-Identifier: Apache-2.0

"""The repairs, each a row of steps.

A step changes one thing and does nothing if that is done already. After each
of them the server still shows what is wrong, so that a run that was cut short
is taken up by the next one.
"""

import contextlib
import sys

from nova import availability_zones
from nova.cmd import manage
from nova.compute import api
from nova.compute import instance_actions
from nova.compute import rpcapi
from nova.compute import task_states
from nova.compute import vm_states
import nova.conf
from nova import exception
from nova.i18n import _
from nova import objects
from nova.scheduler.client import report
from oslo_log import log as logging
from oslo_utils import timeutils

from nova_coldmig import events
from nova_coldmig.recovery import plan

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class RepairFailed(exception.NovaException):
    msg_fmt = _('The repair could not be completed: %(reason)s')


def _move(context, holder, receiver):
    if not report.report_client_singleton().move_allocations(
            context, holder.uuid, receiver.uuid):
        raise RepairFailed(reason=_('Placement did not move the allocation.'))


def _source_back(context, facts, migration):
    # A rollback that was cut short has ended the migration already.
    migration = migration or facts.holder
    if migration and facts.held[migration.uuid]:
        _move(context, migration, facts.instance)


def _drop_context(context, facts, migration):
    """As nova.compute.resource_tracker does for a claim that is aborted."""
    if facts.instance.migration_context:
        facts.instance.drop_migration_context()


def _to_error(context, facts, migration):
    if migration:
        migration.status = 'error'
        migration.save()


def _clear_task(context, facts, migration):
    instance = facts.instance
    before = instance.task_state
    if before is None:
        return
    instance.task_state = None
    if before == task_states.RESIZE_MIGRATING:
        # Its guest may be off: let it be evacuated or rebooted hard.
        instance.vm_state = vm_states.ERROR
    instance.save(expected_task_state=[before])


def _set_reverting(context, facts, migration):
    """Mirror what nova.compute.api.API.revert_resize writes.

    It is not called: it wants the migration to be finished, and a
    [DEFAULT]resize_confirm_window could then confirm the move instead.
    """
    instance = facts.instance
    before = instance.task_state
    instance.availability_zone = (
        availability_zones.get_host_availability_zone(
            context, migration.source_compute))
    instance.vm_state = vm_states.RESIZED
    instance.task_state = task_states.RESIZE_REVERTING
    instance.save(expected_task_state=[before])
    if migration.status != 'reverted':
        migration.status = 'reverting'
        migration.save()


def _request_spec(context, instance):
    """Read the request spec with what ports ask for, as API.revert_resize."""
    spec = objects.RequestSpec.get_by_instance_uuid(context, instance.uuid)
    if instance.get_network_info().has_port_with_allocation():
        (spec.requested_resources, spec.request_level_params) = (
            api.API().network_api.get_requested_resource_for_instance(
                context, instance.uuid))
    return spec


def _cast_revert(context, facts, migration):
    rpcapi.ComputeAPI().revert_resize(
        context, facts.instance, migration, migration.dest_compute,
        _request_spec(context, facts.instance))


def _source_to_migration(context, facts, migration):
    """Let nova-compute of the source take its allocation back once more.

    nova.compute.manager.ComputeManager._finish_revert_resize reads from it
    what ports are bound to, and fails for them if it was taken back already.
    """
    if not facts.held[migration.uuid] and (
            facts.held[facts.instance.uuid] == {facts.node} and
            facts.instance.host == migration.source_compute):
        _move(context, facts.instance, migration)


def _end(context, facts, migration):
    for left_over in plan.ended(facts):
        LOG.info('Migration %(id)d (%(status)s) ends as an error.',
                 {'id': left_over.id, 'status': left_over.status},
                 instance=facts.instance)
        context_of = facts.instance.migration_context
        if context_of and context_of.migration_id == left_over.id:
            facts.instance.drop_migration_context()
        _to_error(context, facts, left_over)


def _reopen(context, facts, migration):
    instance = facts.instance
    instance.vm_state = vm_states.RESIZED
    instance.save(expected_task_state=[None])


def _finished(context, facts, migration):
    migration.status = 'finished'
    migration.save()


def _resized(context, facts, migration):
    """Mirror the end of nova.compute.manager.ComputeManager._finish_resize."""
    instance = facts.instance
    instance.vm_state = vm_states.RESIZED
    instance.task_state = None
    instance.launched_at = timeutils.utcnow()
    instance.save(expected_task_state=[task_states.RESIZE_FINISH])


def _cast_finish_revert(context, facts, migration):
    rpcapi.ComputeAPI().finish_revert_resize(
        context, facts.instance, migration, migration.source_compute,
        _request_spec(context, facts.instance))


def _confirm(context, facts, migration):
    api.API().confirm_resize(
        context, facts.instance, migration=migration)


def _take_over(context, facts, migration):
    holder = facts.holder
    _move(context, holder, facts.instance)
    facts.held[holder.uuid] = set()


def _release(context, facts, migration):
    for holder in facts.holders:
        report.report_client_singleton().delete_allocation_for_instance(
            context, holder.uuid, consumer_type='migration')


def _release_all(context, facts, migration):
    for consumer in facts.consumers:
        report.report_client_singleton().delete_allocation_for_instance(
            context, consumer)


def _heal(context, facts, migration):
    with contextlib.redirect_stdout(sys.stderr):
        code = manage.PlacementCommands().heal_allocations(
            instance_uuid=facts.instance.uuid)
    if code:
        raise RepairFailed(reason=_(
            'heal_allocations of nova-manage ended with %d.') % code)


STEPS = {
    plan.GIVE_BACK: (_source_back, _drop_context, _to_error, _clear_task),
    plan.REVERT: (_set_reverting, _cast_revert),
    plan.FINISH: (_finished, _resized),
    plan.FINISH_REVERT: (
        _set_reverting, _source_to_migration, _cast_finish_revert),
    plan.CONFIRM: (_finished, _confirm),
    plan.TAKE_OVER: (_take_over, _release),
    plan.RELEASE: (_release,),
    # First: room that a migration holds on the host is then free.
    plan.HEAL: (_release, _heal),
    plan.RELEASE_DELETED: (_release_all,),
    plan.END: (_end,),
    plan.REOPEN: (_finished, _reopen),
}


def _told(word):
    """Say what the operator said, for the record."""
    said = [' '.join([option, *sorted(hosts)]) for option, hosts in (
        ('--fenced', word.fenced), ('--restarted', word.restarted),
        ('--no-guest-on', word.no_guest_on)) if hosts]
    if word.ended:
        said.append('--ended')
    return ' By the word of the operator: %s.' % ', '.join(said) if (
        said) else ''


def run(context, facts, repair, word):
    """Repair a server.

    :param context: a nova.context.RequestContext targeted at its cell
    :param facts: Facts of the server, just read
    :param repair: the name of the repair
    :param word: nova_coldmig.recovery.consent.Word, which is recorded with it
    :raises: whatever Nova and Placement raise; run it again then
    """
    instance = facts.instance
    # Nova's own for what Nova then does: a revert that fails is told from a
    # move that failed by it.
    action = (instance_actions.REVERT_RESIZE
              if repair in (plan.REVERT, plan.FINISH_REVERT)
              else events.REPAIRED)
    objects.InstanceAction.action_start(
        context, instance.uuid, action, want_result=False)
    details = plan.TEXTS[repair] + _told(word)
    LOG.info('Repair after a broken move: %s', details, instance=instance)
    # Once: when its status is changed, it is not the one under way any more.
    migration = facts.migration
    for step in STEPS[repair]:
        step(context, facts, migration)
    events.record(context, instance, events.REPAIRED, CONF.host, details)
    LOG.info('The repair is done.', instance=instance)
