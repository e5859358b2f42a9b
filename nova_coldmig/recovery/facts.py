# SPDX-License-Identifier: Apache-2.0

"""What Nova and Placement say about a server and its moves."""

import dataclasses
import typing

from nova.compute import task_states
from nova.compute import vm_states

from nova_coldmig import records


@dataclasses.dataclass(frozen=True)
class Facts:
    """One server at one time.

    :ivar instance: the nova.objects.Instance
    :ivar migrations: its nova.objects.Migration, whatever their status
    :ivar held: {consumer UUID: UUIDs of the compute nodes it holds}
    :ivar node: UUID of the compute node the server is on, or None
    :ivar strangers: UUIDs of the roots of what the server holds that are no
        compute nodes of the cell
    :ivar hold_strangers: UUIDs of the consumers that hold such, a frozenset
    :ivar has_provider: whether the node has a resource provider; true where
        the server holds it, and where the node is not known
    :ivar evacuated_nodes: UUIDs of the compute nodes that it was evacuated
        from and that have not cleaned up since
    :ivar source: UUID of the compute node that the newest move not ended, or
        one that has ended and may have a revert that has not, says that it is
        from; or None
    :ivar idle: seconds since the last change of the server, of a migration
        that has not ended, or of an action on the server
    :ivar down: hosts of migrations that have not ended or hold something, or
        that the moving server holds, whose nova-compute is down
    :ivar conductors_down: hosts whose nova-conductor is down
    :ivar reverted: whether a revert is the last that was asked of the newest
        move that may have one that failed
    :ivar touched: whether any action was taken on the server after that, but
        for the HARMLESS
    :ivar end_asked: whether a confirmation or a revert was asked after the
        newest move that was finished and not ended began, of a server that
        does not move; it may have been that of another move
    :ivar guest_runs: whether the guest runs on the host of the server: in
        resize_finish, after a revert that failed or that the source has to
        finish, or after a copy that was given up; None if it is not known or
        was not asked
    :ivar asked: whether the host was to be asked
    :ivar hosts: {UUID of a compute node that is held: its host}
    """

    instance: typing.Any
    migrations: list
    held: dict
    node: typing.Optional[str]
    idle: float
    down: frozenset
    conductors_down: frozenset
    reverted: bool = False
    touched: bool = False
    guest_runs: typing.Optional[bool] = None
    strangers: frozenset = frozenset()
    hold_strangers: frozenset = frozenset()
    has_provider: bool = True
    evacuated_nodes: frozenset = frozenset()
    source: typing.Optional[str] = None
    asked: bool = False
    end_asked: bool = False
    hosts: dict = dataclasses.field(default_factory=dict)

    def hosts_of(self, migrations):
        """The hosts whose nova-compute may work on the server.

        :param migrations: list of nova.objects.Migration, under way
        :returns: frozenset of str; with what is held, as a migration names
            its destination late.
        """
        if not migrations and self.instance.deleted:
            return frozenset()
        named = {self.instance.host} if not self.instance.deleted else set()
        for migration in migrations:
            named |= {migration.source_compute, migration.dest_compute}
        for consumer in [self.instance.uuid] + [m.uuid for m in migrations]:
            named |= {self.hosts.get(node) for node in
                      self.held[consumer] - self.evacuated_nodes}
        return frozenset(named - {None})

    @property
    def moves(self):
        """Whether Nova shows the server in a move, or busy otherwise."""
        return (self.instance.task_state is not None or
                self.instance.vm_state == vm_states.RESIZED)

    @property
    def open_migrations(self):
        return [m for m in self.migrations if m.status not in records.ENDED]

    @property
    def open_moves(self):
        """The cold migrations that have not ended."""
        return [m for m in self.migrations if records.is_open(m)]

    @property
    def left_over(self):
        """The cold migrations not ended that are not the one under way."""
        under_way = newest(self.open_moves) if self.moves else None
        return [m for m in self.open_moves if m is not under_way]

    @property
    def wrong_source(self):
        """Whether the server waits for an end that is another move's.

        nova.conductor.tasks.migrate.MigrationTask goes on with the record of
        an earlier move that never began. Then the source of the record is not
        the host that the migration holds, which has the old disk: confirming
        cleans up, and reverting ends, on the wrong one.
        """
        move = newest(self.open_moves)
        return (self.instance.vm_state == vm_states.RESIZED and
                self.instance.task_state is None and
                move is not None and move.status == 'finished' and
                self.source is not None and
                # With the source it may hold one that was evacuated.
                self.source not in self.held[move.uuid] and
                bool(self.held[move.uuid] - self.evacuated_nodes))

    def holds(self, consumer):
        """Whether a consumer holds anything, of whatever provider.

        :param consumer: str, UUID of the server or of a migration.
        :returns: bool
        """
        return bool(self.held[consumer]) or consumer in self.hold_strangers

    @property
    def holders(self):
        """The ended migrations that hold something, but for one reverted."""
        return [m for m in self.migrations
                if m.status in records.ENDED and self.holds(m.uuid) and
                m is not self.migration]

    @property
    def evacuated(self):
        """UUIDs of the nodes that the server was evacuated from.

        It holds them, by Nova's design, until they are back.
        """
        return (self.evacuated_nodes & self.held[self.instance.uuid] -
                {self.node})

    @property
    def two_hosts(self):
        """Whether the server holds two hosts and does not move."""
        return (len(self.held[self.instance.uuid] - self.evacuated) > 1 and
                not self.open_migrations)

    @property
    def holder(self):
        """The newest of the holders that holds just the server's host."""
        return newest(
            m for m in self.holders if self.held[m.uuid] == {self.node})

    @property
    def migration(self):
        """The move under way, or the one a revert has ended; or None."""
        if self.open_moves:
            return newest(self.open_moves)
        return reverting_move(self.instance, self.migrations) or (
            self.failed_revert)

    @property
    def failed_revert(self):
        """The ended move whose revert failed halfway, or None.

        What the migration holds is not left over: nova.compute.manager.
        ComputeManager.revert_resize may have removed the disk on the
        destination, so that the source has the only one. Nova leaves the
        migration in error, or reverted if the source failed before it began.
        """
        move = maybe_reverted(self.instance, self.migrations, self.holds)
        if move and move.status in records.ENDED and self.reverted:
            return move
        return None

    @property
    def consumers(self):
        """UUIDs of the server and of its migrations that hold something."""
        return [consumer for consumer in self.held if self.holds(consumer)]


def _number(migration):
    return migration.id


def newest(migrations):
    """Choose the newest of some migrations.

    :param migrations: iterable of nova.objects.Migration
    :returns: nova.objects.Migration, or None if there is none
    """
    return max(migrations, key=_number, default=None)


def reverting_move(instance, migrations):
    """The move whose revert the source has to finish.

    :param instance: nova.objects.Instance
    :param migrations: list of nova.objects.Migration, all of the server
    :returns: nova.objects.Migration or None
    """
    if instance.task_state != task_states.RESIZE_REVERTING:
        return None
    move = newest(m for m in migrations if m.migration_type in records.COLD)
    return move if move and move.status == 'reverted' else None


def maybe_reverted(instance, migrations, holds):
    """The newest move whose revert may have left the server where it is.

    There may be newer ones, that failed.

    :param instance: nova.objects.Instance
    :param migrations: list of nova.objects.Migration, all of the server
    :param holds: callable that takes the UUID of a migration and tells
        whether it holds anything.
    :returns: nova.objects.Migration or None
    """
    return newest(
        m for m in migrations if m.migration_type in records.COLD and
        (m.status == 'reverting' or
         m.status in ('error', 'reverted') and holds(m.uuid)) and
        (m.dest_compute, m.dest_node) == (instance.host, instance.node))
