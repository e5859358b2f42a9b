# SPDX-License-Identifier: Apache-2.0

"""Small JSON services and the HTTP server that they share with Nova."""

import io
import socket
import socketserver
import threading
from wsgiref import simple_server

from oslo_log import log as logging
from oslo_serialization import jsonutils
from paste import urlmap
import routes
import webob
import webob.dec
import webob.exc

LOG = logging.getLogger(__name__)

LOOPBACK = '127.0.0.1'


class Facade:
    """A service made of a table of routes.

    :cvar ROUTES: tuple of (HTTP method, path, name of the method that takes
        the request and what the path matched, and returns a response).
    """

    ROUTES = ()

    def __init__(self):
        self._map = routes.Mapper()
        for method, path, action in self.ROUTES:
            self._map.connect(None, path, action=action,
                              conditions={'method': [method]})
        self._map.create_regs()

    @webob.dec.wsgify
    def __call__(self, req):
        match = self._map.match(req.path_info or '/', req.environ)
        if match is None:
            return error(404, 'There is no %s %s here.' % (
                req.method, req.path))
        action = getattr(self, match.pop('action'))
        try:
            return action(req, **match)
        except webob.exc.HTTPException as exc:
            return error(exc.code, exc.detail or exc.explanation)
        except Exception:
            LOG.exception('%s %s failed', req.method, req.url)
            return error(500, 'See the log of the sandbox.')


def reply(body, status=200, **headers):
    """Make a JSON response.

    :param body: what to serialise.
    :param status: int
    :param headers: str, with underscores for dashes.
    :returns: webob.Response
    """
    response = webob.Response(
        status=status, content_type='application/json', charset='UTF-8',
        body=jsonutils.dump_as_bytes(body))
    for name, value in headers.items():
        response.headers[name.replace('_', '-')] = value
    return response


def error(status, message):
    """Make an error response of the shape that Keystone has.

    :param status: int
    :param message: str
    :returns: webob.Response
    """
    title = webob.exc.status_map[status].title
    return reply({'error': {'code': status, 'title': title,
                            'message': message}}, status)


def matching(items, req, ignore=('limit', 'marker', 'sort', 'fields')):
    """Filter as the query string of a listing asks.

    :param items: iterable of dict
    :param req: webob.Request
    :param ignore: names of parameters that do not filter.
    :returns: list of dict
    """
    wanted = {}
    for name, value in req.GET.items():
        if name not in ignore:
            # Glance's operator for one of several.
            values = value[3:].split(',') if value.startswith('in:') else (
                [value])
            wanted.setdefault(name, []).extend(values)
    return [item for item in items
            if all(name not in item or _text(item[name]) in values
                   for name, values in wanted.items())]


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Handler(simple_server.WSGIRequestHandler):

    def log_message(self, format, *args):
        LOG.debug(format, *args)


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        # Not HTTPServer's: it looks the host up in the DNS.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()

    def handle_error(self, request, client_address):
        LOG.debug('A client went away.', exc_info=True)


class Server:
    """Serve WSGI applications under one port of the loopback interface.

    Every request has a thread (a green one if threads are green).

    :param port: int, 0 for any that is free.
    """

    def __init__(self, port=0):
        self._apps = urlmap.URLMap()
        self._server = _Server((LOOPBACK, port), _Handler)
        self._server.set_app(self._application)
        self._thread = None
        self._stopping = False
        self.url = 'http://%s:%d' % (LOOPBACK, self._server.server_port)

    def mount(self, path, application):
        """Serve an application.

        :param path: str, the prefix, with a leading slash.
        :param application: WSGI application
        :returns: str, its URL.
        """
        self._apps[path] = application
        return self.url + path

    def _application(self, environ, start_response):
        # Read it all: a connection that is closed with a body unread is
        # reset, and the client may not see the response.
        length = int(environ.get('CONTENT_LENGTH') or 0)
        environ['wsgi.input'] = io.BytesIO(environ['wsgi.input'].read(length))
        return self._apps(environ, start_response)

    def start(self):
        """Start to serve."""
        self._thread = threading.Thread(target=self._serve, daemon=True,
                                        name='sandbox-http')
        self._thread.start()

    def _serve(self):
        # Not serve_forever(): its selector is not green if socketserver was
        # imported before the threads were made green.
        while True:
            try:
                request, address = self._server.get_request()
            except OSError:
                LOG.debug('Nothing to accept.', exc_info=True)
                continue
            if self._stopping:
                self._server.shutdown_request(request)
                return
            self._server.process_request(request, address)

    def stop(self):
        """Stop to serve and free the port."""
        if self._thread and not self._stopping:
            self._stopping = True
            socket.create_connection(self._server.server_address[:2]).close()
            self._thread.join()
        self._server.server_close()
