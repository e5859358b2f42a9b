# SPDX-License-Identifier: Apache-2.0

from oslo_utils import uuidutils
from tempest import config
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc
import testtools

from nova_coldmig_tempest_plugin.tests.api import base

CONF = config.CONF


class MigrateNegativeTest(base.ColdMigrateTest):
    """Requests that the API refuses. None of them changes the server."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.server = cls.create_test_server(wait_until='ACTIVE')

    def setUp(self):
        super().setUp()
        self.shown = self.show(self.server)
        self.source = self.shown['OS-EXT-SRV-ATTR:host']
        self.host = self.another(self.source)
        held = self.held(self.server['id'])
        self.addCleanup(self.assertStays, self.server, self.source, held)

    def _refused(self, error, migrate, **kwargs):
        server = kwargs.pop('server', self.server)
        return str(self.assertRaises(
            error, self.migrate, server, migrate, **kwargs))

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('5c462895-09c4-42f8-a9fa-6ef6dff5d742')
    def test_bodies(self):
        for migrate in (
                {}, {'force': True}, {'host': self.host, 'force': 1},
                {'host': self.host, 'force': 'maybe'},
                {'host': self.host, 'force': ''},
                {'host': self.host, 'force': [True]},
                {'host': '', 'force': True}, {'host': 2, 'force': True},
                {'host': 'h' * 256, 'force': True},
                {'host': self.host, 'force': True, 'node': self.host},
                self.host, [self.host]):
            self._refused(lib_exc.BadRequest, migrate)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('7684148c-e2d8-4bbd-82d9-cdac7faa54b0')
    def test_force_without_a_host(self):
        self.assertIn('non-provided destination', self._refused(
            lib_exc.BadRequest, {'host': None, 'force': True}))

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('dd491c0f-306f-4108-98fb-de0769aebb7f')
    def test_unknown_host(self):
        self.assertIn('No compute host with the name', self._refused(
            lib_exc.BadRequest, {'host': 'nowhere', 'force': True}))
        self._refused(lib_exc.BadRequest, {'host': 'nowhere'})

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('a07a323f-6c38-4195-a72e-88306dedbeee')
    def test_own_host(self):
        for force in (True, False):
            self._refused(lib_exc.BadRequest,
                          {'host': self.source, 'force': force})

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('43910579-3f5c-48b6-b895-6c7398bce587')
    def test_older_microversions(self):
        """Force is refused where the tree without the package refuses it."""
        major, minor = self.microversion.split('.')
        for microversion in ('2.56', '%s.%d' % (major, int(minor) - 1)):
            self.assertIn(
                'Additional properties are not allowed',
                self._refused(lib_exc.BadRequest,
                              {'host': self.host, 'force': True},
                              microversion=microversion))

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('51c9d27d-6b79-49e9-aca5-d772d2ab9723')
    def test_newer_microversion(self):
        major, minor = self.microversion.split('.')
        self._refused(lib_exc.NotAcceptable, {'host': self.host},
                      microversion='%s.%d' % (major, int(minor) + 1))

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('ae818aeb-4d97-4eaa-b7c8-31a4d860a551')
    def test_plain_user(self):
        for force in (True, False):
            self._refused(lib_exc.Forbidden,
                          {'host': self.host, 'force': force},
                          client=self.servers_client)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('fcb6f56d-3f34-4cc5-82b5-5ec202963c55')
    def test_unknown_server(self):
        self._refused(lib_exc.NotFound, {'host': self.host, 'force': True},
                      server={'id': uuidutils.generate_uuid()})

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('74f186c6-875f-4ac1-96a0-d1967532242b')
    @testtools.skipUnless(CONF.compute_feature_enabled.pause,
                          'Pause is not available.')
    def test_paused_server(self):
        server, _, host = self.boot()
        self.admin_servers_client.pause_server(server['id'])
        self.wait_for_status(server, 'PAUSED')
        self._refused(lib_exc.Conflict, {'host': host, 'force': True},
                      server=server)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('a0a4818b-8dd1-4184-9e80-6884dbf62557')
    def test_move_not_confirmed(self):
        server, source, host = self.boot()
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': True})
        self.assertMoved(server, source, host, held, forced=True)
        self._refused(lib_exc.Conflict, {'host': source, 'force': True},
                      server=server)
