# SPDX-License-Identifier: Apache-2.0

"""What the migration records of a server say about its earlier moves.

A server has one record for each move of its life. Nova takes any record with
the right status for that of the move at hand: a reschedule goes on with the
first that is ``pre-migrating`` (nova.conductor.tasks.migrate.MigrationTask.
_preallocate_migration), and a confirmation or a revert takes the first that is
``finished`` (nova.compute.api.API.confirm_resize, revert_resize). So a record
that an earlier move left behind can send a server to a host where its disk is
not. What is unfinished is decided here, for the API, the conductor and
nova-coldmig-manage.
"""

from nova.i18n import _
from nova import objects
from nova.objects import fields

from nova_coldmig import database
from nova_coldmig import exception

#: Types of the records of cold migrations.
COLD = (fields.MigrationType.MIGRATION, fields.MigrationType.RESIZE)

#: Statuses in which nobody works on a migration and nothing waits for it.
ENDED = ('cancelled', 'completed', 'confirmed', 'done', 'error', 'failed',
         'reverted')

#: Statuses of the evacuations whose old host has not cleaned up yet, as
#: nova.compute.manager.ComputeManager._destroy_evacuated_instances reads
#: them when that host starts.
EVACUATED = ('accepted', 'pre-migrating', 'done')


def read(context, instance):
    """Read all migration records of a server.

    :param context: nova.context.RequestContext, targeted at the cell of the
        instance.
    :param instance: nova.objects.Instance
    :returns: list of nova.objects.Migration, whatever their type and status.
    :raises: nova_coldmig.exception.ForcedDestinationUnavailable if they can
        not be read.
    """
    with database.reading(_("the migrations of the server"), 'migrations'):
        return list(objects.MigrationList.get_by_filters(
            context, {'instance_uuid': instance.uuid}))


def is_open(migration):
    """Tell whether a record is of a cold migration that has not ended.

    :param migration: nova.objects.Migration
    :returns: bool
    """
    return migration.migration_type in COLD and migration.status not in ENDED


def may_hold(migration):
    """Tell whether a cold migration has ended and may yet hold its source.

    One that was confirmed is not counted. nova.compute.manager.ComputeManager.
    confirm_resize deletes what it holds after the server is ACTIVE, so that it
    holds something for a moment after each confirmation; and what it leaks
    costs room, as the guest and its disk are on the destination for good.

    :param migration: nova.objects.Migration
    :returns: bool
    """
    return (migration.migration_type in COLD and migration.status in ENDED and
            migration.status != 'confirmed')


def unfinished(migrations, holds):
    """List the records of cold migrations that are not done with.

    A server in VERIFY_RESIZE, and one that moves, has one of them. Any other
    is left over.

    :param migrations: iterable of nova.objects.Migration
    :param holds: callable that takes a nova.objects.Migration and tells
        whether it holds anything in Placement. Only those that have ended are
        asked for.
    :returns: list of nova.objects.Migration
    """
    return [migration for migration in migrations
            if is_open(migration) or
            may_hold(migration) and holds(migration)]


def check(instance, migrations, holds):
    """Refuse to move a server that has an unfinished cold migration.

    For a server whose move was just asked for, so that none of its records
    can be that of this move.

    :param instance: nova.objects.Instance
    :param migrations: iterable of nova.objects.Migration, all of the server.
    :param holds: see unfinished; returns false where it is not known.
    :raises: nova_coldmig.exception.EarlierMoveUnfinished
    """
    left = unfinished(migrations, holds)
    if not left:
        return
    numbers = ', '.join(
        _('%(id)d from host %(source)s (%(status)s)') % {
            'id': migration.id, 'source': migration.source_compute,
            'status': migration.status}
        for migration in sorted(left, key=lambda one: one.id))
    raise exception.EarlierMoveUnfinished(reason=_(
        "An earlier cold migration of the server has not ended or still holds "
        "a host: %(numbers)s. A move on top of it could end where the disk of "
        "the server is not. 'nova-coldmig-manage migration repair --server "
        "%(uuid)s' says what to do about it; then migrate again.") % {
            'numbers': numbers, 'uuid': instance.uuid})


def evacuations(migrations):
    """List the evacuations whose old host has not cleaned up yet.

    Until it has, the server holds that host by design, and nova-compute there
    deletes the guest and its disk when it starts, wherever the server is
    then.

    :param migrations: iterable of nova.objects.Migration
    :returns: list of nova.objects.Migration
    """
    return [migration for migration in migrations
            if migration.migration_type == fields.MigrationType.EVACUATION and
            migration.status in EVACUATED]


def evacuated_nodes(migrations):
    """Name the compute nodes that an evacuated server holds by design.

    :param migrations: iterable of nova.objects.Migration
    :returns: set of tuples of str, host and node.
    """
    return {(migration.source_compute, migration.source_node)
            for migration in evacuations(migrations)}


def check_not_evacuated_from(migrations, host):
    """Refuse a host that would delete the server when it starts.

    :param migrations: iterable of nova.objects.Migration, all of the server.
    :param host: str, name of the destination's compute service's host.
    :raises: nova_coldmig.exception.ForcedDestinationUnavailable
    """
    for migration in evacuations(migrations):
        if migration.source_compute == host:
            raise exception.ForcedDestinationUnavailable(reason=_(
                "The server was evacuated from host %(host)s, whose "
                "nova-compute was not restarted since: when it starts it "
                "deletes what it has of the server. Restart it, see that "
                "evacuation %(id)d is completed, then migrate again.") % {
                    'host': host, 'id': migration.id})
