# SPDX-License-Identifier: Apache-2.0

"""A client of the cloud's APIs, on the standard library."""

import json
import urllib.error
import urllib.request


class Error(Exception):
    """No answer, or one that is not 2xx; `code` is None or the status."""

    def __init__(self, message, code=None):
        super().__init__(message)
        self.code = code


def answers(url):
    """Whether an HTTP service answers, with anything below 500."""
    try:
        urllib.request.urlopen(url, timeout=20).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


class Client:
    """Requests with the token of admin.

    :param layout: cloud.layout.Layout
    """

    _tokens = {}

    def __init__(self, layout):
        self._layout = layout

    def _token(self):
        url = self._layout.url('keystone', '/v3/auth/tokens')
        if url not in self._tokens:
            domain = {'name': 'Default'}
            _body, headers = self._open('POST', url, {'auth': {
                'identity': {'methods': ['password'], 'password': {'user': {
                    'name': 'admin', 'domain': domain,
                    'password': self._layout.password}}},
                'scope': {'project': {'name': 'admin', 'domain': domain}}}})
            self._tokens[url] = headers['X-Subject-Token']
        return self._tokens[url]

    @staticmethod
    def _open(method, url, body=None, headers=None):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request = urllib.request.Request(
            url, data=body, method=method, headers=dict(
                {'Content-Type': 'application/json'}, **(headers or {})))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), answer.headers
        except urllib.error.HTTPError as error:
            raise Error('%s %s: %d %s' % (
                method, url, error.code, error.read()[:500]), error.code)
        except OSError as error:
            raise Error('%s %s: %s' % (method, url, error))

    def request(self, method, service, path, body=None, **headers):
        """Send a request; return the decoded answer, None if empty.

        :raises Error: if it is not answered with 2xx
        """
        headers = {name.replace('_', '-'): value
                   for name, value in headers.items()}
        headers['X-Auth-Token'] = self._token()
        return self._open(method, self._layout.url(service, path), body,
                          headers)[0]

    def get(self, service, path):
        return self.request('GET', service, path)

    def post(self, service, path, body):
        return self.request('POST', service, path, body)
