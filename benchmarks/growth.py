# SPDX-License-Identifier: Apache-2.0

"""A move in a cloud of more and more compute nodes."""

import collections
import datetime
import statistics
import time

import fixtures
from nova.db.api import api as api_db
from nova.db.api import models as api_models
from nova.db.main import api as main_db
from nova.db.main import models as main_models
import os_resource_classes
from oslo_utils import uuidutils
from placement.db.sqlalchemy import models as placement_models
from placement import db_api as placement_db
import sqlalchemy
from sqlalchemy import engine as sql_engine

from benchmarks import cases
from benchmarks import moves as compared

SIZES = (10, 100, 1000, 5000)
WARM_UP = 2
#: Forced moves whose statements are timed, which are not counted otherwise.
TIMED = 3
#: How the names of nodes that are added begin.
NAME = 'crowd'
#: Of each resource class, what a node of the fake driver has.
NODE = {'VCPU': 64, 'MEMORY_MB': 262144, 'DISK_GB': 4096}
#: Rows in one statement.
BATCH = 500


class _Statements(fixtures.Fixture):
    """Sums up the processor time of statements, by database."""

    def _setUp(self):
        self.seconds = None
        for event, listener in (('before_cursor_execute', self._before),
                                ('after_cursor_execute', self._after)):
            arguments = sql_engine.Engine, event, listener
            sqlalchemy.event.listen(*arguments)
            self.addCleanup(sqlalchemy.event.remove, *arguments)

    def _before(self, connection, cursor, statement, parameters, context,
                many):
        context.began = time.process_time()

    def _after(self, connection, cursor, statement, parameters, context,
               many):
        if self.seconds is not None:
            database = ('placement' if connection.engine is
                        placement_db.get_placement_engine() else 'nova')
            self.seconds[database] += time.process_time() - context.began

    def stop(self):
        self.seconds = None


def _time_statements(case, stop, server, way):
    """Tell how long the databases take in a move, in seconds."""
    found = []
    with _Statements() as statements:
        stop.then = statements.stop
        for _ in range(TIMED):
            statements.seconds = collections.Counter()
            found.append(statements.seconds)
            case.move(stop, server, way)
        del stop.then
    return found


def measure(case, moves, rounds, sizes, full):
    """Measure both ways to migrate at each size.

    All sizes are measured in each round, as the speed of a machine drifts.

    :param case: benchmarks.cases.Case
    :param moves: int, how many of each at each size in each round.
    :param rounds: int
    :param sizes: list of int, of compute nodes.
    :param full: bool, whether the nodes which are added have no room.
    :returns: dict of size to the result.
    """
    stop = case.useFixture(cases.PrepResizeStop())
    ways = case.clients()
    flavor = case.small_flavor()
    found = {size: {name: [] for name in ways} for size in sizes}
    timed = {size: [] for size in sizes}
    for _ in range(rounds):
        # One that has no history of moves.
        server = case.boot_small(flavor)
        for size in sizes:
            add_nodes(case, size - len(case.hosts), full and server)
            for number in range(WARM_UP + moves):
                for name, way in ways.items():
                    move = case.move(stop, server, way)
                    if number >= WARM_UP:
                        found[size][name].append(move)
            timed[size] += _time_statements(
                case, stop, server, ways[cases.FORCED])
            remove_nodes(case)
    return {str(size): dict(compared.compare(of_both), sql_ms={
        database: round(1000 * statistics.median(
            seconds[database] for seconds in timed[size]), 2)
        for database in ('nova', 'placement')})
        for size, of_both in found.items()}


def add_nodes(case, count, taken_by=None):
    """Add compute nodes which nobody serves, to Nova and to Placement.

    Through the tables: the records are what counts here, and each node would
    take seconds to be made by a compute service.

    :param case: benchmarks.cases.Case
    :param count: int
    :param taken_by: dict, a server whose project owns all that the nodes
        have; None if they are to be empty.
    """
    names = [NAME + str(number) for number in range(count)]
    uuids = [uuidutils.generate_uuid() for _ in names]
    with case.cell_context() as context:
        engine = main_db.get_engine(context=context)
        _copy(engine, main_models.Service.__table__,
              {'host': cases.SOURCE, 'binary': 'nova-compute'},
              [{'host': name, 'uuid': uuidutils.generate_uuid(),
                'last_seen_up': datetime.datetime(2100, 1, 1)}
               for name in names])
        _copy(engine, main_models.ComputeNode.__table__,
              {'host': cases.SOURCE},
              [{'host': name, 'hypervisor_hostname': name, 'uuid': uuid}
               for name, uuid in zip(names, uuids)])
    _copy(api_db.get_engine(), api_models.HostMapping.__table__,
          {'host': cases.SOURCE}, [{'host': name} for name in names])
    _add_providers(names, uuids, taken_by)


def remove_nodes(case):
    """Remove the nodes which were added."""
    with case.cell_context() as context:
        engine = main_db.get_engine(context=context)
        with engine.begin() as connection:
            for model in (main_models.ComputeNode, main_models.Service):
                _remove(connection, model.__table__.c.host)
    with api_db.get_engine().begin() as connection:
        _remove(connection, api_models.HostMapping.__table__.c.host)
    providers = placement_models.ResourceProvider.__table__
    allocations = placement_models.Allocation.__table__
    consumers = placement_models.Consumer.__table__
    mine = sqlalchemy.select(providers.c.id).where(
        providers.c.name.startswith(NAME))
    with placement_db.get_placement_engine().begin() as connection:
        connection.execute(consumers.delete().where(consumers.c.uuid.in_(
            sqlalchemy.select(allocations.c.consumer_id).where(
                allocations.c.resource_provider_id.in_(mine)))))
        for table in (allocations, placement_models.Inventory.__table__):
            connection.execute(table.delete().where(
                table.c.resource_provider_id.in_(mine)))
        # They refer to themselves.
        connection.execute(providers.update().where(
            providers.c.name.startswith(NAME)).values(root_provider_id=None))
        _remove(connection, providers.c.name)


def _remove(connection, column):
    connection.execute(
        column.table.delete().where(column.startswith(NAME)))


def _copy(engine, table, of, changes):
    """Insert rows like another.

    :param of: dict of column to value, which finds the other.
    :param changes: list of dict, what is different in each.
    """
    with engine.begin() as connection:
        row = dict(connection.execute(sqlalchemy.select(table).where(*(
            table.c[column] == value for column, value in of.items())
        )).mappings().first())
        row.pop('id')
        _insert(connection, table, [dict(row, **change)
                                    for change in changes])


def _insert(connection, table, rows):
    for start in range(0, len(rows), BATCH):
        connection.execute(table.insert(), rows[start:start + BATCH])


def _add_providers(names, uuids, taken_by):
    providers = placement_models.ResourceProvider.__table__
    inventories = placement_models.Inventory.__table__
    consumers = placement_models.Consumer.__table__
    allocations = placement_models.Allocation.__table__
    classes = {os_resource_classes.STANDARDS.index(name): total
               for name, total in NODE.items()}
    with placement_db.get_placement_engine().begin() as connection:
        _insert(connection, providers, [
            {'name': name, 'uuid': uuid, 'generation': 1}
            for name, uuid in zip(names, uuids)])
        connection.execute(providers.update().where(
            providers.c.root_provider_id.is_(None)).values(
                root_provider_id=providers.c.id))
        ids = dict(connection.execute(sqlalchemy.select(
            providers.c.uuid, providers.c.id)).all())
        _insert(connection, inventories, [
            {'resource_provider_id': ids[uuid], 'resource_class_id': number,
             'total': total, 'reserved': 0, 'min_unit': 1,
             'max_unit': total, 'step_size': 1, 'allocation_ratio': 1.0}
            for uuid in uuids for number, total in classes.items()])
        if not taken_by:
            return
        owner = dict(connection.execute(sqlalchemy.select(
            consumers.c.project_id, consumers.c.user_id,
            consumers.c.generation, consumers.c.consumer_type_id).where(
                consumers.c.uuid == taken_by['id'])).mappings().first())
        holders = {uuid: uuidutils.generate_uuid() for uuid in uuids}
        _insert(connection, consumers, [
            dict(owner, uuid=holder) for holder in holders.values()])
        _insert(connection, allocations, [
            {'resource_provider_id': ids[uuid], 'consumer_id': holders[uuid],
             'resource_class_id': number, 'used': total}
            for uuid in uuids for number, total in classes.items()])
