#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Servers that are forced to a host, from the request to the end."""

from nova_coldmig.tests.functional import base


class ForcedMoveTest(base.ColdmigTestCase):

    def _moved(self, server, source, destination):
        """Check all that a finished forced move leaves before confirming."""
        migration = self.last_migration(server)
        self.assertEqual('finished', migration['status'])
        self.assertEqual('migration', migration['migration_type'])
        self.assertEqual((source, destination), (
            migration['source_compute'], migration['dest_compute']))
        self.assertOn(server, destination, 'VERIFY_RESIZE')
        self.assertHeld(**{source: migration['uuid'],
                           destination: server['id']})
        self.assertSchedulerCalls(0)
        return migration

    def test_confirm(self):
        server = self.boot('host1')
        self.assertHeld(host1=server['id'])
        self.force(server, 'host2')
        self._moved(server, 'host1', 'host2')
        self._confirm_resize(server)
        self.assertOn(server, 'host2')
        self.assertHeld(host2=server['id'])
        self.assertEqual(
            'confirmed', self.last_migration(server)['status'])
        self.assertSchedulerCalls(0)
