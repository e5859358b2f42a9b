# SPDX-License-Identifier: Apache-2.0

"""What can go wrong with a call, by kind of call."""

import threading

from keystoneauth1 import exceptions as ks_exc
from neutronclient.common import exceptions as neutron_exc
from nova import exception
from nova.tests.unit import fake_requests
from oslo_db import exception as db_exc
import oslo_messaging as messaging
from oslo_serialization import jsonutils

HTML = '<html>This is not what you asked for.</html>'


def _raises(error):
    def strike(passed_on):
        raise error
    return strike


def _answers(status, body=HTML):
    return lambda passed_on: fake_requests.FakeResponse(status, body)


def _conflict(code, detail):
    return _answers(409, jsonutils.dumps({'errors': [
        {'status': 409, 'code': code, 'title': 'Conflict',
         'detail': detail}]}))


def _done_and_lost(error):
    def strike(passed_on):
        passed_on()
        raise error
    return strike


PLACEMENT_READ = {
    '500': _answers(500, jsonutils.dumps({'errors': [
        {'status': 500, 'title': 'Internal Server Error',
         'detail': 'oops'}]})),
    '503': _answers(503),
    'timeout': _raises(ks_exc.ConnectTimeout('timed out')),
    'refused': _raises(ks_exc.ConnectFailure('connection refused')),
    'malformed': _answers(200),
}
PLACEMENT_WRITE = dict(PLACEMENT_READ, **{
    '409 consumer': _conflict(
        'placement.concurrent_update',
        'consumer generation conflict - expected 1 but got 2'),
    '409 provider': _conflict(
        'placement.concurrent_update',
        'resource provider generation conflict'),
    '409 capacity': _conflict(
        'placement.undefined_code',
        'Unable to allocate inventory: over capacity'),
    'answer lost': _done_and_lost(ks_exc.ConnectTimeout('timed out')),
})
DB = {
    'refused': _raises(db_exc.DBConnectionError('connection refused')),
    '500': _raises(db_exc.DBError('the database gave up')),
}
NEUTRON_READ = {
    '503': _raises(neutron_exc.ServiceUnavailable('later')),
    'refused': _raises(neutron_exc.ConnectionFailed(reason='refused')),
    'malformed': _raises(neutron_exc.MalformedResponseBody(reason=HTML)),
}
NEUTRON_WRITE = dict(NEUTRON_READ, **{
    '409': _raises(neutron_exc.Conflict('conflict')),
    '500': _raises(neutron_exc.InternalServerError('oops')),
})
RPC_CAST = {
    'refused': _raises(messaging.MessageDeliveryFailure('refused')),
    'lost': lambda passed_on: None,
}
RPC_CALL = {
    'refused': RPC_CAST['refused'],
    'timeout': _raises(messaging.MessagingTimeout('no reply')),
}
DRIVER = {
    'fails': _raises(exception.ResizeError(reason='the driver failed')),
}

#: By how the name of a call starts. The first that fits is taken.
KINDS = (
    ('placement GET', PLACEMENT_READ),
    ('placement', PLACEMENT_WRITE),
    ('db', DB),
    ('neutron list', NEUTRON_READ),
    ('neutron show', NEUTRON_READ),
    ('neutron', NEUTRON_WRITE),
    ('rpc cast', RPC_CAST),
    ('rpc call', RPC_CALL),
    ('driver', DRIVER),
)


def of(call):
    """Tell what can go wrong with a call.

    :param call: str, its name.
    :returns: dict of str to callable, empty for one that is not known.
    """
    for start, kinds in KINDS:
        if call.startswith(start):
            return kinds
    return {}


class Fault:
    """Makes a call fail.

    A database fails once: a session that is lost is opened anew. All others
    fail until it is over, and a service that refuses the connection refuses
    every call of its kind from then on.

    :param call: str, its name.
    :param kind: str, a key of what of() returns.
    """

    def __init__(self, call, kind):
        self.call = call
        self._strike = of(call)[kind]
        self._down = (kind == 'refused' and
                      call.startswith(('placement', 'neutron')))
        self._once = call.startswith('db')
        self._lock = threading.Lock()
        #: int, how many calls it made fail.
        self.strikes = 0

    def hits(self, call):
        """Tell whether a call fails, and count it."""
        with self._lock:
            if self._down and self.strikes:
                hit = call.split()[0] == self.call.split()[0]
            else:
                hit = call == self.call and not (self._once and self.strikes)
            self.strikes += hit
            return hit

    def strike(self, passed_on):
        return self._strike(passed_on)
