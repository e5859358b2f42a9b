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


"""What the package costs the requests that do not use it."""

import gc
import statistics
import time

from nova.api.openstack import wsgi
import webob

from benchmarks import cases
from benchmarks import figures
from nova_coldmig import seams

SERVERS = 5
#: Requests in a block, and blocks of each kind in one cloud.
BLOCK, BLOCKS = 40, 5
MOVES = 20


def measure():
    """Measure in one cloud with the package and in one without.

    :returns: dict of request to processor time in milliseconds, with and
        without.
    """
    found = {}
    for name, halves in (('without', ()),
                         ('with', (seams.API, seams.CONDUCTOR))):
        for request, milliseconds in cases.run(_measure, halves).items():
            found.setdefault(request, {})[name] = milliseconds
    return found


def ratios(rounds):
    """Compare, round by round, as the speed of a machine drifts.

    :param rounds: list of what measure returned.
    :returns: dict of request to the median ratio.
    """
    return {request: figures.ratio(statistics.median(
        one[request]['with'] / one[request]['without'] for one in rounds), 1)
        for request in rounds[0]}


def _measure(case):
    flavor = case.small_flavor()
    servers = [case.boot_small(flavor) for _ in range(SERVERS)]
    result = {
        'GET /servers/detail': _get(case, '/v2.1/servers/detail'),
        'GET /': _get(case, '/'),
    }
    stop = case.useFixture(cases.PrepResizeStop())
    way = case.clients()[cases.VANILLA]
    busy = [case.move(stop, servers[0], way)[1] for _ in range(5 + MOVES)]
    result['migrate at 2.56'] = 1000 * statistics.median(busy[5:])
    return result


def _get(case, path):
    """Return the processor time of a request, in milliseconds."""
    application = case.api_fixture.app()

    def send():
        request = webob.Request.blank(path, headers={
            'X-Auth-User': 'admin', 'X-Auth-Project-Id': case.api.project_id,
            'X-Roles': 'admin,member,reader',
            wsgi.API_VERSION_REQUEST_HEADER: 'compute 2.56'})
        response = request.get_response(application)
        if response.status_code not in (200, 300):
            raise RuntimeError('%s: %s' % (path, response.status))

    for _ in range(10):
        send()
    blocks = []
    for _ in range(BLOCKS):
        gc.collect()
        began = time.process_time()
        for _ in range(BLOCK):
            send()
        blocks.append((time.process_time() - began) / BLOCK)
    return 1000 * min(blocks)
