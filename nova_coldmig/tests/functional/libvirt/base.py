# SPDX-License-Identifier: Apache-2.0

"""Forced moves between hosts of Nova's fake libvirt."""

import fixtures
from nova.tests.functional.api import client
from nova import utils

from nova_coldmig.tests.functional import base

TREE = base.TREE
without_tests = base.without_tests

_post_server_action = client.TestOpenStackClient.post_server_action


class LibvirtMixin(base.ColdmigMixin):
    """Boots onto a host and moves, without the disks."""

    ADMIN_API = True

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatch(
            'nova.virt.libvirt.driver.LibvirtDriver.'
            'migrate_disk_and_power_off', return_value='{}'))

    def boot(self, host, flavor, **kwargs):
        """Create a server on a host and forget that it was scheduled."""
        kwargs.setdefault('networks', 'none')
        server = self._create_server(host=host, flavor_id=flavor, **kwargs)
        self.scheduler_calls.clear()
        return server

    def spy_on_claim(self, host):
        """Keep what the claims of a destination are limited by.

        :returns: list of dict, the limits of each claim.
        """
        limits = []
        tracker = self.computes[host].manager.rt
        resize_claim = tracker.resize_claim

        def spy(*args, **kwargs):
            limits.append(kwargs['limits'])
            return resize_claim(*args, **kwargs)

        tracker.resize_claim = spy
        return limits

    def pinned(self, server):
        """Read the NUMA cells of a server.

        :returns: list of tuples of the id of the host's cell, and the host's
            CPUs that the guest's are pinned to.
        """
        with self.cell_context() as context:
            instance = base.objects.Instance.get_by_uuid(
                context, server['id'])
        return [(cell.id, set((cell.cpu_pinning or {}).values()))
                for cell in instance.numa_topology.cells]


class ForcedMixin(base.ColdmigMixin):
    """Runs tests of Nova with each cold migration forced.

    What a test asserts of the server and its resources has to hold then too.
    """

    def setUp(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova.tests.functional.api.client.TestOpenStackClient.'
            'post_server_action', self._post_server_action))
        # Nova's test case forgets what has no underscore before this is
        # called.
        self._forced = []
        self.addCleanup(self._check_forced)
        super().setUp()
        # Whoever may migrate may force.
        self.policy.set_rules(dict.fromkeys((
            'os_compute_api:os-migrate-server:migrate:host',
            'os_compute_api:os-migrate-server:migrate:force'), ''),
            overwrite=False)

    def _check_forced(self):
        self.assertNotEqual([], self._forced)

    def _post_server_action(self, api, server_id, data, **kwargs):
        if 'migrate' not in data:
            return _post_server_action(api, server_id, data, **kwargs)
        server = {'id': server_id}
        host = (data['migrate'] or {}).get('host')
        if not host:
            source = self.admin_api.get_server(server_id)[
                'OS-EXT-SRV-ATTR:host']
            host, = set(self.computes) - {source}
        with utils.temporary_mutation(api, microversion=TREE.microversion):
            response = _post_server_action(
                api, server_id, {'migrate': {'host': host, 'force': True}},
                **kwargs)
        with utils.temporary_mutation(self, api=self.client()):
            # To the end, as some tests patch Nova for as long as this call.
            self._wait_for_assert(lambda: self.assertIn(
                self.api.get_server(server_id)['status'],
                ('VERIFY_RESIZE', 'ERROR')), max_retries=60)
            self.assertIn('coldmig_force', self.events(server))
        self._forced.append((server_id, host))
        return response


def forced(test_case, *tests):
    """Take tests of a test case of Nova, and force their cold migrations.

    :param test_case: class
    :param tests: names of the tests.
    :returns: class
    """
    return type(test_case.__name__, (
        ForcedMixin, without_tests(test_case, *tests),
    ), {'microversion': test_case.microversion})
