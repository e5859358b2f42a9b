# SPDX-License-Identifier: Apache-2.0

"""A proxy before Nova that spoils some of what it passes on."""

import collections
import http.server
import threading
import urllib.error
import urllib.request

# Never by way of another proxy, and no error is followed or raised.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Of one connection only.
_HOP = ('connection', 'content-length', 'host', 'keep-alive',
        'transfer-encoding', 'date', 'server')
MICROVERSION = ('openstack-api-version', 'x-openstack-nova-api-version')

Answer = collections.namedtuple('Answer', 'status headers body')
GARBAGE = Answer(200, {'Content-Type': 'text/html'}, b'<html>Sorry</html>')
EMPTY = Answer(200, {}, b'')
CHOICES = Answer(300, {'Content-Type': 'application/json'},
                 b'{"choices": []}')
TIMEOUT = Answer(504, {'Content-Type': 'text/html'}, b'<html>Late</html>')
UNAVAILABLE = Answer(503, {'Content-Type': 'text/html'}, b'<html>No</html>')


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        """Say nothing on the standard error."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in _HOP}
        answer = self.server.proxy.handle(
            self.command, self.path, headers, body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header('Content-Length', str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = do_PUT = answer


class Proxy:
    """A proxy that passes on all, as long as nobody derives from it.

    :param nova: str, the URL of an endpoint.
    """

    def __init__(self, nova):
        self._origin, _slash, self._path = nova.partition('://')[2].partition(
            '/')
        self._server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', 0), _Handler)
        self._server.daemon_threads = True
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.daemon = True

    @property
    def _netloc(self):
        return '127.0.0.1:%d' % self._server.server_address[1]

    @property
    def url(self):
        """The URL of the same endpoint by way of the proxy."""
        return 'http://%s/%s' % (self._netloc, self._path)

    def way(self, url):
        """Return another URL, by way of the proxy if that leads there.

        :param url: str
        """
        return url.replace('://%s/' % self._origin, '://%s/' % self._netloc)

    def start(self):
        """Begin to serve."""
        self._thread.start()

    def stop(self):
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, method, path, headers, body):
        """Answer a request.

        :param method: str
        :param path: str
        :param headers: dict
        :param body: bytes
        :returns: Answer
        """
        return self.forward(method, path, headers, body)

    def forward(self, method, path, headers, body):
        """Have Nova answer a request, as handle() does."""
        request = urllib.request.Request(
            'http://%s%s' % (self._origin, path), method=method,
            headers=headers, data=body or None)
        try:
            response = _OPENER.open(request)
        except urllib.error.HTTPError as exc:
            response = exc
        with response:
            # Links and the catalog of a service beside it lead here too.
            return Answer(response.status, {
                name: value for name, value in response.headers.items()
                if name.lower() not in _HOP}, response.read().replace(
                    self._origin.encode(), self._netloc.encode()))


def without_microversion(headers):
    """Return the headers that a proxy with a list of known ones passes on."""
    return {name: value for name, value in headers.items()
            if name.lower() not in MICROVERSION}
