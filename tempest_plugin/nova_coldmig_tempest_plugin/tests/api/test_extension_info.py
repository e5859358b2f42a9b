# SPDX-License-Identifier: Apache-2.0

from tempest.lib import decorators

from nova_coldmig_tempest_plugin.tests.api import base


class ExtensionInfoTest(base.ColdMigrateTest):
    """How a client learns whether it can force, and at which microversion."""

    @decorators.idempotent_id('c6b4a0c5-fee5-4bfa-bd46-f323ef509924')
    def test_show(self):
        extension = self.extensions_client.show_extension(
            base.ALIAS)['extension']
        self.assertIn(self.microversion, extension['description'])

    @decorators.idempotent_id('ca803d23-1060-4e8d-87f9-a74939c446fb')
    def test_list(self):
        """It is in the list of anybody, once, beside those of Nova."""
        aliases = [extension['alias'] for extension in
                   self.extensions_client.list_extensions()['extensions']]
        self.assertEqual(1, aliases.count(base.ALIAS))
        self.assertIn('os-migrate-server', aliases)
