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

"""Where the sandbox listens."""

import socket

from nova import test

from nova_coldmig.tests.sandbox import web


class LoopbackTest(test.NoDBTestCase):

    def test_loopback_only(self):
        server = web.Server()
        self.addCleanup(server.stop)
        bound = server._server.socket
        self.assertEqual(socket.AF_INET, bound.family)
        self.assertEqual('127.0.0.1', bound.getsockname()[0])
        self.assertEqual('http://127.0.0.1:%d' % bound.getsockname()[1],
                         server.url)

    def test_other_addresses_refuse(self):
        """All of 127/8 is this machine, and only one address answers."""
        server = web.Server()
        self.addCleanup(server.stop)
        port = server._server.server_port
        socket.create_connection(('127.0.0.1', port), 5).close()
        self.assertRaises(ConnectionRefusedError, socket.create_connection,
                          ('127.0.0.2', port), 5)
