# SPDX-License-Identifier: Apache-2.0

"""Every call of a move that leaves the process it is made in, by name.

A Recorder lists the calls, and makes one of them fail. What it knows:

``placement METHOD /path``
   a request of Nova's report client;
``db function(what tells it from others)``
   a write, by the function of nova.db.main.api, or of the request spec;
``neutron method``
   a request of Nova's Neutron client;
``rpc cast method``, ``rpc call method``
   a message to another service;
``driver method``
   a step of the virt driver that changes something.

A statement of SQL that writes while none of these is under way is listed as
``unseen``, so that what is not known here does not go unnoticed.
"""

import contextlib
import functools
import inspect
import re
import threading

import fixtures
from nova.db.main import api as db
from nova import objects
from nova.scheduler.client import report
from nova.tests import fixtures as nova_fixtures
from nova.virt import fake
from oslo_messaging.rpc import client as rpc_client
import sqlalchemy
from sqlalchemy import engine

UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
WRITES = re.compile(
    r'(?!_)\w+_(create|update|update_or_create|update_and_get_original|'
    r'update_by_uuid|destroy|delete|start|finish)$')
#: Written by timers, whatever happens.
HEARTBEAT = 'service_update'
#: What of a write tells it from other writes with the same function.
TELLING = ('action', 'event', 'status', 'vm_state', 'task_state', 'host')
DRIVER = ('migrate_disk_and_power_off', 'finish_migration',
          'confirm_migration', 'finish_revert_migration', 'destroy',
          'plug_vifs', 'unplug_vifs', 'cleanup', 'power_on', 'power_off')
NEUTRON = ('create_port', 'update_port', 'delete_port', 'create_port_binding',
           'activate_port_binding', 'delete_port_binding', 'list_ports',
           'show_port', 'list_networks', 'show_network', 'list_subnets',
           'list_floatingips', 'list_security_groups', 'list_extensions')
SQL_WRITE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\S+)', re.I)


def _placement(method, function):
    def name(client, url, *args, **kwargs):
        return 'placement %s %s' % (
            method.upper(), UUID.sub('{uuid}', url.partition('?')[0]))
    return name


def _db(method, function):
    def name(*args, **kwargs):
        for value in (*args, *kwargs.values()):
            if isinstance(value, dict):
                told = ['%s=%s' % (key, value[key])
                        for key in TELLING if key in value]
                return 'db %s(%s)' % (method, ', '.join(told))
        return 'db %s()' % method
    return name


def _rpc(method, function):
    def name(client, context, called, **kwargs):
        return 'rpc %s %s' % (method, called)
    return name


def _plain(kind):
    def make(method, function):
        return lambda *args, **kwargs: '%s %s' % (kind, method)
    return make


class Recorder(fixtures.Fixture):
    """Lists the calls while it is armed, and makes one fail.

    :ivar seen: list of str, the names of calls in the order they were made.
    """

    def __init__(self):
        super().__init__()
        self.seen = []
        self._armed = False
        self._fault = None
        self._inside = threading.local()
        self._acting = False
        # Green threads are told apart by their locals alone.
        self._inside.test = True

    def _setUp(self):
        for method in ('get', 'post', 'put', 'delete'):
            self._wrap(report.SchedulerReportClient, method, _placement)
        for method, function in inspect.getmembers(db, inspect.isfunction):
            if WRITES.match(method) and method != HEARTBEAT:
                self._wrap(db, method, _db)
        for method in ('_create_in_db', '_save_in_db'):
            self._wrap(objects.RequestSpec, method, _plain('db request_spec'))
        for method in ('cast', 'call'):
            self._wrap(rpc_client._CallContext, method, _rpc)
        for method in DRIVER:
            self._wrap(fake.FakeDriver, method, _plain('driver'))
        for method in NEUTRON:
            # The client asks the fixture for all but these.
            owner = nova_fixtures.NeutronFixture
            if method in ('list_ports', 'show_port'):
                owner = nova_fixtures.neutron._FakeNeutronClient
            self._wrap(owner, method, _plain('neutron'))
        sqlalchemy.event.listen(
            engine.Engine, 'before_cursor_execute', self._sql)
        self.addCleanup(sqlalchemy.event.remove, engine.Engine,
                        'before_cursor_execute', self._sql)

    def _wrap(self, owner, method, make_name):
        raw = inspect.getattr_static(owner, method)
        function = getattr(owner, method)
        name_of = make_name(method, function)

        @functools.wraps(function)
        def call(*args, **kwargs):
            if getattr(self._inside, 'depth', 0) or self._looking():
                return function(*args, **kwargs)
            self._inside.depth = 1
            try:
                return self._call(
                    name_of(*args, **kwargs),
                    functools.partial(function, *args, **kwargs))
            finally:
                self._inside.depth = 0

        if isinstance(raw, staticmethod):
            call = staticmethod(call)
        self.useFixture(fixtures.MonkeyPatch(
            '%s.%s' % (_path(owner), method), call))

    def _call(self, name, passed_on):
        if not self._armed:
            return passed_on()
        self.seen.append(name)
        fault = self._fault
        if fault is None or not fault.hits(name):
            return passed_on()
        return fault.strike(passed_on)

    def _sql(self, connection, cursor, statement, *args):
        if (self._armed and not self._looking() and
                not getattr(self._inside, 'depth', 0)):
            match = SQL_WRITE.match(statement)
            if match and match.group(2) != 'services':
                self.seen.append('unseen %s %s' % match.groups())

    def _looking(self):
        # The API runs in the thread of its caller, so what the test reads
        # would be listed with what the move does.
        return getattr(self._inside, 'test', False) and not self._acting

    @contextlib.contextmanager
    def acting(self):
        """Make a context in which the thread of the test is listed too."""
        self._acting = True
        try:
            yield
        finally:
            self._acting = False

    def arm(self, fault=None):
        """Begin a list, and let a fault happen.

        :param fault: nova_coldmig.tests.functional.faults.kinds.Fault
        """
        self.seen = []
        self._fault = fault
        self._armed = True

    def disarm(self):
        """Let all calls through again."""
        self._armed = False
        self._fault = None


def _path(owner):
    if inspect.ismodule(owner):
        return owner.__name__
    return '%s.%s' % (owner.__module__, owner.__qualname__)
