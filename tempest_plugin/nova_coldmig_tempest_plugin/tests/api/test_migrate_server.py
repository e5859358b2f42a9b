# SPDX-License-Identifier: Apache-2.0

import testtools

from tempest import config
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_coldmig_tempest_plugin.tests.api import base

CONF = config.CONF


class MigrateTest(base.ColdMigrateTest):
    """Moves that succeed, with what Placement holds at each step."""

    @decorators.idempotent_id('a47c36ec-af9e-4bdb-9b73-bcdb9342ca19')
    def test_checked(self):
        """Move to a named host that the scheduler agrees to."""
        server, source, host = self.boot()
        held = self.held(server['id'])
        self.assertEqual([self.nodes[source]], list(held))
        self.migrate(server, {'host': host})
        self.assertMoved(server, source, host, held)
        self.confirm(server, host, held)

    @decorators.idempotent_id('aa822e18-5393-4e91-bc33-bfc528e784e7')
    def test_scheduled(self):
        """Let the scheduler pick the host, with a host of null."""
        server, source, _ = self.boot()
        held = self.held(server['id'])
        self.migrate(server, {'host': None, 'force': None})
        self.wait_for_status(server, 'VERIFY_RESIZE')
        host = self.show(server)['OS-EXT-SRV-ATTR:host']
        self.assertMoved(server, source, host, held)
        self.revert(server, source, held)

    @decorators.idempotent_id('4a8e83ea-f97f-4ccb-bf69-6f4388529514')
    def test_forced_and_confirmed(self):
        server, source, host = self.boot()
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': True})
        self.assertMoved(server, source, host, held, forced=True)
        self.confirm(server, host, held)

    @decorators.idempotent_id('35188bb6-ff69-4ec0-87ea-c4b6e97db721')
    def test_forced_and_reverted(self):
        server, source, host = self.boot()
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': 'yes'})
        self.assertMoved(server, source, host, held, forced=True)
        self.revert(server, source, held)
        # Nothing is left that would be in the way of another one.
        self.migrate(server, {'host': host, 'force': True})
        self.assertMoved(server, source, host, held, forced=True)
        self.confirm(server, host, held)

    @decorators.idempotent_id('a13df785-cb60-426e-a1fc-df8a36b92f72')
    def test_forced_while_stopped(self):
        """A server that is shut off stays shut off."""
        server, source, host = self.boot()
        held = self.held(server['id'])
        self.admin_servers_client.stop_server(server['id'])
        self.wait_for_status(server, 'SHUTOFF')
        self.migrate(server, {'host': host, 'force': True})
        self.assertMoved(server, source, host, held, forced=True)
        self.confirm(server, host, held, status='SHUTOFF')

    @decorators.idempotent_id('9bc502f6-13eb-4711-8f2f-9955ea04ed97')
    @testtools.skipUnless(CONF.service_available.cinder,
                          'There is no volume service.')
    def test_forced_with_a_volume(self):
        server, source, host = self.boot(volume_backed=True)
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': True})
        self.assertMoved(server, source, host, held, forced=True)
        self.confirm(server, host, held)


@decorators.serial
class UnavailableHostTest(base.ColdMigrateTest):
    """A host that is disabled or down, which other tests must not meet."""

    def _service(self, host):
        service, = self.request(
            'get', 'os-services?binary=nova-compute&host=%s' % host,
            base.SERVICE_UUID)['services']
        return service

    def _update(self, host, **values):
        self.request('put', 'os-services/%s' % self._service(host)['id'],
                     base.SERVICE_UUID, values)

        def read():
            service = self._service(host)
            return {name: service[name] for name in values}, service['state']

        down = values.get('forced_down', False)
        self.assertComes((values, 'down' if down else 'up'), read)

    def _disable(self, host):
        self._update(host, status='disabled')
        self.addCleanup(self._update, host, status='enabled')

    @decorators.idempotent_id('ba466f6d-e3c9-48dd-93da-cbd05241381a')
    def test_checked_to_a_disabled_host(self):
        """The scheduler refuses it, and the server stays."""
        server, source, host = self.boot()
        held = self.held(server['id'])
        self._disable(host)
        self.migrate(server, {'host': host})
        self.assertIn('No valid host', self.wait_for_refusal(server))
        self.assertStays(server, source, held)

    @decorators.idempotent_id('faa58701-9108-49b8-85e2-3e40d23bf85d')
    def test_forced_to_a_disabled_host(self):
        server, source, host = self.boot()
        held = self.held(server['id'])
        self._disable(host)
        self.migrate(server, {'host': host, 'force': True})
        self.assertMoved(server, source, host, held, forced=True)
        self.confirm(server, host, held)

    def _forced_while_down(self, server, source, host, down):
        held = self.held(server['id'])
        self._update(down, forced_down=True)
        self.addCleanup(self._update, down, forced_down=False)
        self.assertRaises(
            lib_exc.Conflict, self.migrate, server,
            {'host': host, 'force': True})
        self._update(down, forced_down=False)
        self.assertStays(server, source, held)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('6e8030b1-530a-4116-8966-6d9823d1e5ae')
    def test_forced_to_a_host_that_is_down(self):
        server, source, host = self.boot()
        self._forced_while_down(server, source, host, host)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('7f02bd66-fe83-449c-be69-b0ed6f9ecf58')
    def test_forced_from_a_host_that_is_down(self):
        server, source, host = self.boot()
        self._forced_while_down(server, source, host, source)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('0f43ca1f-afb4-47d0-be6f-321318913327')
    def test_forced_to_a_host_that_is_full(self):
        """Force does not oversell: Placement's answer is the last word."""
        server, source, host = self.boot()
        self.fill(host)
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': True})
        self.assertIn('Placement has nothing on host %s' % host,
                      self.wait_for_refusal(server))
        self.assertStays(server, source, held)
        self.assertMigration(server, 'error')


class RefusalTest(base.ColdMigrateTest):
    """What the conductor refuses, and how an operator learns why."""

    @decorators.idempotent_id('9d2f6dee-bb50-4ece-83d2-e7f585e0b8e7')
    def test_anti_affinity(self):
        group = self.create_test_server_group(policy='anti-affinity')
        hints = {'group': group['id']}
        server, source, _ = self.boot(scheduler_hints=hints)
        _, host, _ = self.boot(scheduler_hints=hints)
        if not self.alike(source, host):
            self.skipTest('%s and %s are not alike.' % (source, host))
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': True})
        details = self.wait_for_refusal(server)
        self.assertIn('Force does not override the anti-affinity group',
                      details)
        self.assertIn('Name another host.', details)
        self.assertStays(server, source, held)
        self.assertMigration(server, 'error')
