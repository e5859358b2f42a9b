# SPDX-License-Identifier: Apache-2.0

from tempest.common import compute
from tempest.common import waiters
from tempest import config
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_coldmig_tempest_plugin.tests.api import base

CONF = config.CONF


class RoleTest(base.ColdMigrateTest):
    """Users who are no admins, with a role that the policy knows."""

    #: The option with the name of that role.
    option = None

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.nova_coldmig[cls.option]:
            raise cls.skipException(
                '[nova_coldmig]%s is not set.' % cls.option)

    @classmethod
    def setup_credentials(cls):
        # By itself the role would not let its users have servers.
        cls.credentials = ['primary', 'admin', [
            'coldmig', CONF.nova_coldmig[cls.option], 'member']]
        super().setup_credentials()

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.client = cls.os_roles_coldmig.servers_client

    def boot_own(self):
        """Create a server in the project of the user with the role.

        :returns: as boot() does.
        """
        server, _ = compute.create_test_server(
            self.os_roles_coldmig, wait_until='ACTIVE',
            tenant_network=self.get_tenant_network(self.credentials[-1]))
        self.addCleanup(waiters.wait_for_server_termination,
                        self.admin_servers_client, server['id'])
        self.addCleanup(test_utils.call_and_ignore_notfound_exc,
                        self.admin_servers_client.delete_server, server['id'])
        source = self.show(server)['OS-EXT-SRV-ATTR:host']
        return server, source, self.another(source)

    def refused(self, error, server, source, migrate):
        held = self.held(server['id'])
        self.assertRaises(
            error, self.migrate, server, migrate, client=self.client)
        self.assertStays(server, source, held)


class ForceRoleTest(RoleTest):
    """A role that may force."""

    option = 'force_role'

    @decorators.idempotent_id('a3a5fa24-0ee4-463e-9e96-33506587f0e1')
    def test_forced(self):
        server, source, host = self.boot_own()
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': True},
                     client=self.client)
        self.assertMoved(server, source, host, held, forced=True)
        self.revert(server, source, held)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('2a8ccc3e-3d39-40ce-bbbe-59f86339e08c')
    def test_locked_server(self):
        """Only an admin passes the lock of a server."""
        server, source, host = self.boot_own()
        self.admin_servers_client.lock_server(server['id'])
        self.refused(lib_exc.Conflict, server, source,
                     {'host': host, 'force': True})

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('6000a76a-0c73-41c7-897c-0cbfe56bece2')
    def test_server_of_another_project(self):
        """It is as if there were none."""
        server, source, host = self.boot()
        self.refused(lib_exc.NotFound, server, source,
                     {'host': host, 'force': True})


class HostRoleTest(RoleTest):
    """A role that may name the host, but not force."""

    option = 'host_role'

    @decorators.idempotent_id('d4b532f2-d692-4240-bd36-c743a1a8fd4c')
    def test_checked(self):
        server, source, host = self.boot_own()
        held = self.held(server['id'])
        self.migrate(server, {'host': host, 'force': False},
                     client=self.client)
        self.assertMoved(server, source, host, held)
        self.revert(server, source, held)

    @decorators.attr(type=['negative'])
    @decorators.idempotent_id('77909b75-8fab-4f3b-9ee3-25c9b634c3c8')
    def test_forced(self):
        server, source, host = self.boot_own()
        self.refused(lib_exc.Forbidden, server, source,
                     {'host': host, 'force': True})
