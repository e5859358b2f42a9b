# SPDX-License-Identifier: Apache-2.0

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
