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

import http.server
import socket
import threading
import time
import urllib.error
import urllib.request

from _cloud import delay

from nova_coldmig.tests.unit import cloud

DELAY = 0.3


class Service(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class DelayTest(cloud.CloudTest):

    def serve(self, server):
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def post(self, port, body):
        with urllib.request.urlopen(
                'http://127.0.0.1:%d/' % port, body, timeout=30) as answer:
            return answer.read()

    def test_each_request_waits(self):
        port = self.serve(delay.Server(0, self.serve(
            http.server.ThreadingHTTPServer(('127.0.0.1', 0), Service)),
            DELAY))
        body = bytes(range(256)) * 4096
        for _ in range(2):
            began = time.monotonic()
            self.assertEqual(body, self.post(port, body))
            self.assertGreaterEqual(time.monotonic() - began, DELAY)

    def test_service_is_away(self):
        with socket.socket() as away:
            away.bind(('127.0.0.1', 0))
            port = self.serve(delay.Server(0, away.getsockname()[1], 0))
            self.assertRaises(OSError, self.post, port, b'')
