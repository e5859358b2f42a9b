# SPDX-License-Identifier: Apache-2.0

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request

from cloud.processes import delay

from nova_coldmig.tests.unit import cloud

DELAY = 300

#: A service that answers with what it was sent.
SERVICE = """
import http.server, sys

class Service(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(
    ('127.0.0.1', int(sys.argv[1])), Service).serve_forever()
"""


class DelayTest(cloud.CloudTest):
    """It runs as in the cloud, in a process of its own."""

    def start(self, *arguments):
        """Start a program that listens on the port it is given first.

        :returns: int, the port
        """
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        program, *rest = arguments
        process = subprocess.Popen(
            [sys.executable, *program, str(port), *map(str, rest)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(('127.0.0.1', port)).close()
                return port
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def post(self, port, body):
        with urllib.request.urlopen(
                'http://127.0.0.1:%d/' % port, body, timeout=30) as answer:
            return answer.read()

    def test_each_request_waits(self):
        port = self.start(
            [delay.__file__], self.start(['-c', SERVICE]), DELAY)
        body = bytes(range(256)) * 4096
        for _ in range(2):
            began = time.monotonic()
            self.assertEqual(body, self.post(port, body))
            self.assertGreaterEqual(time.monotonic() - began, DELAY / 1000)

    def test_service_is_away(self):
        with socket.socket() as away:
            away.bind(('127.0.0.1', 0))
            port = self.start([delay.__file__], away.getsockname()[1], 0)
            # urllib.error.URLError is one.
            self.assertRaises(OSError, self.post, port, b'')
