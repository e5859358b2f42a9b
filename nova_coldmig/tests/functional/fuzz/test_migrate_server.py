# SPDX-License-Identifier: Apache-2.0

"""Fuzz of the migrate action, judged by an oracle of the contract.

OS_COLDMIG_EXAMPLES says how many requests are generated. Which ones they are
depends on the code alone; OS_COLDMIG_SEED makes others.
"""

import os

import hypothesis
from nova.api import wsgi
from nova import objects
from oslo_serialization import jsonutils
import webob

from nova_coldmig.api.openstack.compute.schemas import migrate_server
from nova_coldmig.tests.functional import base
from nova_coldmig.tests.functional.fuzz import oracle
from nova_coldmig.tests.functional.fuzz import requests

NEWEST = tuple(int(part) for part in base.TREE.microversion.split('.'))
EXAMPLES = int(os.environ.get('OS_COLDMIG_EXAMPLES', '500'))
SEED = os.environ.get('OS_COLDMIG_SEED')
JSON = {'Content-Type': 'application/json',
        'OpenStack-API-Version': 'compute ' + base.TREE.microversion}

#: Requests that are always tried: those that were refused or accepted wrongly
#: once, or that a random search would hardly meet.
ALWAYS = (
    (JSON, b'{"migrate": {"host": "host2", "force": true}}'),
    (JSON, b'{"migrate": {"host": "host2", "force": 1}}'),
    (JSON, b'{"migrate": {"host": "host2\\n", "force": true}}'),
    (JSON, b'{"migrate": {"host": "\\ud800", "force": true}}'),
    (JSON, b'{"migrate": {"host": "\\u0000", "force": true}}'),
    (JSON, b'{"migrate": {"host": null, "force": "on"}}'),
    (JSON, b'{"migrate": {"host": "host2", "force": NaN}}'),
    (JSON, b'{"migrate": {"host": "host2", "force": 1e400}}'),
    (JSON, b'\xff\xfe'),
    (JSON, b''),
    (dict(JSON, **{'OpenStack-API-Version': 'compute 2.1'}),
     b'{"migrate": {"host": "host2", "force": true}}'),
)


class FuzzTest(base.ColdmigTestCase):

    # Many requests in one test.
    TIMEOUT_SCALING_FACTOR = max(1, EXAMPLES // 2500)

    def setUp(self):
        super().setUp()
        self.asked = []

        def resize_instance(api, context, instance, scheduler_hint, **kwargs):
            # What the conductor would do is not in question here. The API
            # has left this for it, which the next request must not find.
            instance.task_state = None
            instance.save()
            spec = kwargs['request_spec']
            named = ('requested_destination' in spec and
                     spec.requested_destination)
            self.asked.append(oracle.Accepted(
                named.host if named and 'host' in named else None,
                scheduler_hint['filter_properties'].get(
                    'nova_coldmig:force', False)))

        self.stub_out('nova.conductor.api.ComputeTaskAPI.resize_instance',
                      resize_instance)
        self.server = self.boot('host1')
        self.application = wsgi.Loader().load_app('osapi_compute')
        self.path = '/v2.1/servers/%s/action' % self.server['id']
        self.counts = {True: 0, False: 0}

    def record(self):
        """Read all that a request could have changed in the cell."""
        with self.cell_context() as context:
            instance = objects.Instance.get_by_uuid(
                context, self.server['id'])
            actions = objects.InstanceActionList.get_by_instance_uuid(
                context, self.server['id'])
            migrations = objects.MigrationList.get_by_filters(context, {})
            return (instance.host, instance.vm_state, instance.task_state,
                    str(instance.updated_at), len(actions), len(migrations))

    def send(self, headers, body):
        request = webob.Request.blank(
            self.path, method='POST', body=body, headers=dict(
                headers, **{'X-Auth-User': 'admin', 'X-Roles': 'admin',
                            'X-Auth-Project-Id': self.api.project_id}))
        return request.get_response(self.application)

    def check(self, headers, body):
        """Send a request and compare what comes of it with the oracle."""
        verdict = oracle.judge(headers, body, NEWEST, ('host2', 'host3'))
        before = self.record()
        del self.asked[:]
        response = self.send(headers, body)
        told = (headers, body, response.status_int, response.text[:500])
        if verdict is None:
            self.assertTrue(400 <= response.status_int < 500, told)
            self.assertEqual([], self.asked, told)
            self.assertEqual(before, self.record(), told)
            fault = jsonutils.loads(response.body)
            self.assertTrue(fault, told)
        else:
            self.assertEqual(202, response.status_int, told)
            self.assertEqual([verdict], self.asked, told)
        self.counts[verdict is not None] += 1

    def test_always(self):
        for headers, body in ALWAYS:
            self.check(headers, body)
        self.assertHeld(host1=self.server['id'])

    def test_upstream_nested_deeply(self):
        """Nova does not expect the RecursionError of some JSON parsers.

        It is raised while Nova parses the body, for any action.
        """
        before = self.record()
        response = self.send(JSON, b'[' * 5000)
        self.assertIn(response.status_int, (400, 500))
        self.assertEqual(before, self.record())
        self.assertEqual([], self.asked)

    def test_generated(self):
        schema = migrate_server.migrate

        @hypothesis.settings(
            max_examples=EXAMPLES, deadline=None, database=None,
            derandomize=SEED is None,
            suppress_health_check=list(hypothesis.HealthCheck))
        @hypothesis.given(requests.headers(), requests.bodies(schema))
        def generated(headers, body):
            self.check(headers, body)

        if SEED is not None:
            generated = hypothesis.seed(int(SEED))(generated)
        generated()
        # A search that only meets one side proves nothing.
        self.assertLess(EXAMPLES // 50, min(self.counts.values()),
                        self.counts)
        self.assertLessEqual(EXAMPLES * 9 // 10, sum(self.counts.values()))
        self.assertHeld(host1=self.server['id'])
        self.assertSchedulerCalls(0)
