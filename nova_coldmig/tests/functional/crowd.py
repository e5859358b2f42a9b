# SPDX-License-Identifier: Apache-2.0

"""Many servers at once, for tests and benchmarks."""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional import base  # noqa: F401

import collections
import queue
import threading

from nova import context as nova_context
from nova.network import model as network_model
from nova import objects
from oslo_utils import uuidutils

#: What Nova makes of its own accord when an instance is created.
MADE_ANEW = frozenset((
    'id', 'uuid', 'created_at', 'updated_at', 'info_cache', 'name'))


class CrowdMixin:
    """Many small servers on host1, on a base class of this package."""

    def setUp(self):
        self.flags(instances=-1, cores=-1, ram=-1, group='quota')
        # Room for all of them on each host.
        self.flags(initial_cpu_allocation_ratio=64.0)
        super().setUp()

    def boot_crowd(self, count):
        """Boot one server, and copy its records for all the others.

        To boot each would take most of the time, and prove nothing here.

        :param count: int
        :returns: list of dict, the servers.
        """
        flavor = self._create_flavor(
            memory_mb=16, vcpu=1, disk=1, ephemeral=0)
        self.resources = {'VCPU': 1, 'MEMORY_MB': 16, 'DISK_GB': 1}
        server = self.boot('host1', flavor_id=flavor)
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, server['id'],
                expected_attrs=['flavor', 'metadata', 'system_metadata'])
        copies = [self._copy(instance) for _ in range(count - 1)]
        self._allocate(server, copies)
        self.assertHeld(host1={
            uuid: self.resources for uuid in [server['id']] + copies})
        servers = self.api.get_servers(
            detail=False, search_opts={'status': 'ACTIVE'})
        self.assertEqual(count, len(servers))
        return servers

    def _copy(self, instance):
        """Make a server like another.

        :param instance: nova.objects.Instance
        :returns: str, its UUID.
        """
        uuid = uuidutils.generate_uuid()
        values = {name: getattr(instance, name) for name in instance.fields
                  if name in instance and name not in MADE_ANEW}
        with self.cell_context() as context:
            objects.Instance(
                context, uuid=uuid, info_cache=objects.InstanceInfoCache(
                    network_info=network_model.NetworkInfo()),
                **values).create()
        context = nova_context.get_admin_context()
        objects.InstanceMapping(
            context, instance_uuid=uuid,
            cell_mapping=self.cell_mappings['cell1'],
            project_id=instance.project_id, user_id=instance.user_id,
            queued_for_delete=False).create()
        spec = objects.RequestSpec.get_by_instance_uuid(
            context, instance.uuid)
        values = {name: getattr(spec, name) for name in spec.fields
                  if name in spec and name not in MADE_ANEW}
        values['instance_uuid'] = uuid
        objects.RequestSpec(context, **values).create()
        return uuid

    def _allocate(self, server, uuids):
        """Have servers hold on host1 what one of them does."""
        if not uuids:
            return
        response = self.placement.post('/allocations', {
            uuid: {
                'allocations': {
                    self._get_provider_uuid_by_name('host1'): {
                        'resources': self.resources}},
                'project_id': server['tenant_id'],
                'user_id': server['user_id'],
                'consumer_generation': None,
            } for uuid in uuids}, version='1.28')
        self.assertEqual(204, response.status, response.body)

    def migrate_crowd(self, todo, threads):
        """Migrate servers from several threads.

        :param todo: list of tuples of a server, and the body of the action.
        :param threads: int
        """
        waiting = queue.Queue()
        for entry in todo:
            waiting.put(entry)
        failed = []

        def work():
            api = self.client()
            while True:
                try:
                    server, migrate = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    api.post_server_action(
                        server['id'], {'migrate': migrate},
                        check_response_status=[202])
                except Exception as e:
                    failed.append((server['id'], e))

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual([], failed)

    def wait_for_crowd(self, count):
        """Wait until a number of migrations, all there are, are finished."""
        def finished():
            # Not of the API, which would be busy with telling.
            with self.cell_context() as context:
                migrations = objects.MigrationList.get_by_filters(context, {})
            self.assertEqual({'finished': count}, dict(collections.Counter(
                migration.status for migration in migrations)))

        self._wait_for_assert(finished, max_retries=60 + 4 * count)
