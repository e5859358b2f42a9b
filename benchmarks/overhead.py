# SPDX-License-Identifier: Apache-2.0

"""What the package costs the requests that do not use it."""

import contextlib
import gc
import pathlib
import statistics
import tempfile
import time

from nova.api.openstack import wsgi as openstack_wsgi
from nova.api import wsgi
from nova.conductor import manager as upstream
import webob

from benchmarks import cases
from benchmarks import figures
from nova_coldmig.conductor import manager
from nova_coldmig import seams
from nova_coldmig.tests.functional import base
from nova_coldmig.tests.sandbox import paste_ini

SERVERS = 5
WITHOUT, WITH = 'without', 'with'
#: By request, how many make a block.
GETS = {'/v2.1/servers/detail': 15, '/': 60}
MOVES = 5


def measure(case, rounds):
    """Measure with the package and without, in turn, in one cloud.

    :param case: benchmarks.cases.Case, of a cloud without the package.
    :param rounds: int, how many blocks of each request.
    :returns: dict of request to processor time in milliseconds, with and
        without, and to the median of the ratios of the blocks.
    """
    flavor = case.small_flavor()
    servers = [case.boot_small(flavor) for _ in range(SERVERS)]
    stop = case.useFixture(cases.PrepResizeStop())
    switch = _Switch(case)
    found = {}
    # The first blocks warm up.
    for number in range(rounds + 1):
        # Which is first shall not matter.
        for name in ((WITHOUT, WITH) if number % 2 else (WITH, WITHOUT)):
            with switch.to(name) as application:
                gc.collect()
                for path, count in GETS.items():
                    found.setdefault('GET ' + path, {}).setdefault(
                        name, []).append(_get(case, application, path, count))
                found.setdefault('migrate at 2.56', {}).setdefault(
                    name, []).append(
                        _migrate(case, application, stop, servers[0]))
    return {request: _compare({name: blocks[1:] for name, blocks
                               in of_both.items()})
            for request, of_both in found.items()}


def _compare(blocks):
    return dict(
        {name: round(1000 * statistics.median(seconds), 3)
         for name, seconds in blocks.items()},
        ratio=figures.ratio(statistics.median(
            ours / theirs for ours, theirs
            in zip(blocks[WITH], blocks[WITHOUT])), 1))


class _Switch:
    """Puts the package into a running cloud, and takes it out again."""

    def __init__(self, case):
        self._plain = case.api_fixture.app()
        self._tasks = case.conductor_tasks()
        self._classes = {
            WITHOUT: upstream.ComputeTaskManager,
            WITH: manager.compute_task_manager(
                upstream.ComputeTaskManager, base.TREE)}
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, 'api-paste.ini')
            path.write_text(paste_ini.activate(
                pathlib.Path(paste_ini.find()).read_text()))
            self._patched = wsgi.Loader(str(path)).load_app('osapi_compute')
        seams.uninstall(seams.API)

    @contextlib.contextmanager
    def to(self, name):
        """Make a context in which the package is there or not.

        :param name: str, WITH or WITHOUT.
        :returns: the application of nova-api.
        """
        self._tasks.__class__ = self._classes[name]
        if name == WITHOUT:
            yield self._plain
            return
        seams.install(seams.API)
        try:
            yield self._patched
        finally:
            seams.uninstall(seams.API)


def _request(case, path, **arguments):
    return webob.Request.blank(path, headers={
        'X-Auth-User': 'admin', 'X-Auth-Project-Id': case.api.project_id,
        'X-Roles': 'admin,member,reader',
        'Content-Type': 'application/json',
        openstack_wsgi.API_VERSION_REQUEST_HEADER: 'compute 2.56'},
        **arguments)


def _send(request, application):
    response = request.get_response(application)
    if response.status_code not in (200, 202, 300):
        raise RuntimeError('%s: %s' % (request.path, response.status))


def _get(case, application, path, count):
    """Return the mean processor time of a request, in seconds."""
    began = time.process_time()
    for _ in range(count):
        _send(_request(case, path), application)
    return (time.process_time() - began) / count


def _migrate(case, application, stop, server):
    """Return the median processor time up to prep_resize, in seconds."""
    body = {'migrate': {'host': cases.DESTINATION}}
    busy = []
    for _ in range(MOVES):
        stop.arm()
        began = time.process_time()
        _send(_request(case, '/v2.1/servers/%s/action' % server['id'],
                       method='POST', json=body), application)
        busy.append(stop.wait()[1] - began)
        case.wait_idle(server)
    return statistics.median(busy)
