# SPDX-License-Identifier: Apache-2.0

"""Empties a host of many servers."""

import time

from benchmarks import cases
from nova_coldmig.tests.functional import crowd

HOW = {
    cases.VANILLA: {'host': cases.DESTINATION},
    cases.FORCED: {'host': cases.DESTINATION, 'force': True},
}


#: How often Placement tries again to write allocations of a provider that
#: changes meanwhile. With its 10, a tenth of Nova's own moves failed at 16
#: clients: one process serves all of them here, and they meet more often than
#: with a database server.
RETRIES = 100


class Case(crowd.CrowdMixin, cases.Case):
    """A cloud for many servers."""

    def setUp(self):
        super().setUp()
        self.placement.fixture.conf_fixture.config(
            allocation_conflict_retry_count=RETRIES, group='placement')


def measure(case, servers, clients, way):
    """Migrate all servers of a host and wait until they are there.

    :param case: Case
    :param servers: int, how many.
    :param clients: int, how many of them send requests at once.
    :param way: str, cases.VANILLA or cases.FORCED.
    :returns: dict of the result.
    """
    crowd = case.boot_crowd(servers)
    began = time.perf_counter()
    case.migrate_crowd(
        [(server, HOW[way]) for server in crowd], clients)
    case.wait_for_crowd(servers)
    seconds = time.perf_counter() - began
    migrations = {migration['instance_uuid']: migration['uuid'] for migration
                  in case.api.api_get('/os-migrations').body['migrations']}
    case.assertHeld(**{
        cases.SOURCE: {uuid: case.resources for uuid in migrations.values()},
        cases.DESTINATION: {server['id']: case.resources
                            for server in crowd}})
    return {'servers': servers, 'seconds': round(seconds, 1),
            'moves_per_second': round(servers / seconds, 2),
            'allocations': 'exact'}
