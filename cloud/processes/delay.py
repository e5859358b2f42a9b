# SPDX-License-Identifier: Apache-2.0

"""Stand before an HTTP service, and have each request wait.

The services of the cloud close the connection after each answer, so what
waits is the connection.
"""

import argparse
import contextlib
import shutil
import socket
import socketserver
import threading
import time

LOOPBACK = '127.0.0.1'


class Server(socketserver.ThreadingTCPServer):
    """Forwards each connection after some time.

    :param port: int, to listen on
    :param target: int, the port of the service
    :param delay: float, seconds
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, port, target, delay):
        super().__init__((LOOPBACK, port), Forward)
        self.target = target
        self.delay = delay


class Forward(socketserver.StreamRequestHandler):
    """One connection; it is closed if the service is away."""

    def handle(self):
        time.sleep(self.server.delay)
        with contextlib.suppress(OSError), socket.create_connection(
                (LOOPBACK, self.server.target)) as service:
            there = threading.Thread(
                target=self._send, args=(service,), daemon=True)
            there.start()
            with service.makefile('rb', 0) as answer:
                shutil.copyfileobj(answer, self.wfile)

    def _send(self, service):
        with contextlib.suppress(OSError):
            while True:
                data = self.connection.recv(1 << 16)
                if not data:
                    break
                service.sendall(data)
            service.shutdown(socket.SHUT_WR)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('port', type=int)
    parser.add_argument('target', type=int)
    parser.add_argument('milliseconds', type=int)
    args = parser.parse_args()
    with Server(args.port, args.target, args.milliseconds / 1000) as server:
        server.serve_forever()


if __name__ == '__main__':
    main()
