# SPDX-License-Identifier: Apache-2.0

"""What Nova itself gets wrong in a history, as a table.

A step that is not listed must leave a server in order that was. Those that
are listed without WRONG do so too, and make worse what is wrong already.
"""

import collections

#: A function of Nova, and what it does to a server.
#:
#: step: str, a step of a history; in the middle of a step, how the service
#: died.
#: function: str, its name.
#: wrong: what may be wrong with a server after it that was in order before,
#: a frozenset.
#: why: str, what it does not look at.
Row = collections.namedtuple('Row', 'step function wrong why')

MANAGER = 'nova.compute.manager.ComputeManager.'
TASK = 'nova.conductor.tasks.migrate.MigrationTask.'
NOTHING = frozenset()
CUT_SHORT = frozenset((
    'stuck', 'record-open', 'record-wrong', 'held-missing', 'held-elsewhere',
    'held-by-ended', 'guest-off', 'guest-on', 'disk-left', 'disk-missing',
    'disk-old', 'backup-missing'))

TABLE = (
    Row('reset',
        'nova.api.openstack.compute.admin_actions.AdminActionsController.'
        '_reset_state',
        frozenset(('record-open', 'disk-left', 'guest-off', 'guest-on')),
        'It changes the state of a server in the middle of a move and leaves '
        'the migration and what it holds; a server that is off it calls '
        'active.'),
    Row('checked', TASK + '_preallocate_migration', NOTHING,
        'It takes a migration that is pre-migrating, whatever its source.'),
    Row('resize', TASK + '_preallocate_migration', NOTHING,
        'As for a cold migration.'),
    Row('confirm', 'nova.compute.api.API.confirm_resize', NOTHING,
        'It takes any migration of the server that is finished.'),
    Row('revert', 'nova.compute.api.API.revert_resize', NOTHING,
        'It takes any migration of the server that is finished.'),
    Row('live', 'nova.conductor.tasks.live_migrate.LiveMigrationTask.'
        '_execute', NOTHING,
        'It does not look at migrations that have not ended, nor at what is '
        'held.'),
    Row('evacuate', 'nova.compute.api.API.evacuate', NOTHING,
        'It does not look at migrations that have not ended.'),
    Row('delete', 'nova.compute.api.API._delete', NOTHING,
        'It confirms a move that is finished in VERIFY_RESIZE only, and '
        'deletes what the server holds and not what its migrations hold.'),
    Row('stop', MANAGER + 'stop_instance', NOTHING,
        'It stops the guest on the host of the server alone.'),
    Row('start', MANAGER + 'start_instance', NOTHING,
        'It starts the guest on any disk that is there.'),
    Row('reboot', MANAGER + 'reboot_instance', NOTHING,
        'It starts the guest on any disk that is there.'),
    Row('back', MANAGER + '_destroy_evacuated_instances',
        frozenset(('held-not-by-move',)),
        'It takes from the server what it holds of the host that is back, and '
        'not from the migration that was given it.'),
    Row('fence', MANAGER + 'init_host', NOTHING,
        'A host without power changes no record.'),
    Row('renew',
        'nova.api.openstack.compute.services.ServiceController.delete',
        frozenset(('held-missing', 'held-unknown')),
        'It deletes the compute node of a host whose resource provider it '
        'can not delete, and a new one can not be made under its name.'),
    Row('mend',
        'nova.api.openstack.compute.services.ServiceController.delete',
        frozenset(('held-missing', 'held-by-other', 'held-not-by-move')),
        'What was held of the old resource provider is lost with it.'),
    # Which starts the nova-compute of a host of this one.
    Row('a step of another server',
        'nova.compute.resource_tracker.ResourceTracker.'
        '_update_usage_from_migrations', NOTHING,
        'It sets a migration to error that is not that of the migration '
        'context of its server, and leaves what it holds.'),
    # A message waits for a host that is down.
    Row('waits', 'nova.compute.rpcapi.ComputeAPI', CUT_SHORT,
        'It sends to a host whose service is down: only confirming asks '
        'whether it is up.'),
    Row('before the claim', TASK + '_execute', CUT_SHORT,
        'A server whose conductor died stays in resize_prep.'),
    Row('after the record', TASK + '_execute', CUT_SHORT,
        'The migration stays pre-migrating.'),
    Row('between claim and cast', TASK + '_execute', CUT_SHORT,
        'Nobody gives back what the migration holds.'),
    Row('in prep_resize', MANAGER + '_prep_resize', CUT_SHORT,
        'Nobody takes up the move when the destination is back.'),
    Row('in resize_instance', MANAGER + '_init_instance', CUT_SHORT,
        'It takes the guest back, and leaves the migration and what is '
        'held.'),
    Row('before finish_resize', MANAGER + '_resize_instance', CUT_SHORT,
        'Nobody finishes the move.'),
    Row('in finish_resize', MANAGER + '_finish_resize', CUT_SHORT,
        'Nobody finishes the move when the destination is back.'),
    Row('in confirm_resize', MANAGER + '_confirm_resize', CUT_SHORT,
        'Nobody goes on when the source is back.'),
    Row('in revert_resize', MANAGER + 'revert_resize', CUT_SHORT,
        'Nobody goes on when the destination is back.'),
    Row('before finish_revert_resize', MANAGER + 'revert_resize', CUT_SHORT,
        'The destination has no disk any more, and the source is not told.'),
    Row('in finish_revert_resize', MANAGER + '_finish_revert_resize',
        CUT_SHORT, 'The server is on the source by its record, and the disk '
        'is still set aside.'),
)
_BY_STEP = {row.step: row for row in TABLE}


def function(step, new, earlier):
    """Name the function of Nova that made a server worse.

    :param step: str, a step or how a service died.
    :param new: set of str, what is wrong and was not before.
    :param earlier: str, the function that was wrong first, or None if the
        server was in order.
    :returns: str, or None if it is not listed.
    """
    row = _BY_STEP.get(step)
    if row is None or (earlier is None and new - row.wrong):
        return None
    return row.function
