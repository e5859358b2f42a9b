# SPDX-License-Identifier: Apache-2.0

"""What must not be told does not get into logs and events."""

# First of all: it selects the threading model of the series.
from nova_coldmig.tests.functional import base

import logging

import fixtures
from keystoneauth1 import exceptions as ks_exc
import nova.conf
from nova import context as nova_context
from nova import objects
from nova.scheduler.client import report
from nova.tests.unit import fake_requests

from nova_coldmig.cmd import manage
from nova_coldmig.recovery import findings

CONF = nova.conf.CONF
PASSWORD = 'correct-horse'
TOKEN = 'gAAAA-battery-staple'
SECRETS = (PASSWORD, TOKEN, 'rabbit-user', 'fake://')


class Messages(logging.Handler):
    """Keeps all that is logged, as it is written."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter('%(message)s'))
        self.text = []

    def emit(self, record):
        self.text.append(self.format(record))


class SecretsTest(base.ColdmigTestCase):

    def setUp(self):
        super().setUp()
        self.flags(transport_url='fake://rabbit-user:%s@127.0.0.1/' % PASSWORD)
        make = nova_context.RequestContext.__init__

        def init(context, *args, **kwargs):
            make(context, *args, **kwargs)
            context.auth_token = TOKEN

        self.useFixture(fixtures.MonkeyPatch(
            'nova.context.RequestContext.__init__', init))
        self.useFixture(fixtures.MockPatchObject(findings, 'WAIT', 0))
        self.messages = Messages()
        logger = logging.getLogger('nova_coldmig')
        before = logger.level
        logger.setLevel(logging.DEBUG)
        logger.addHandler(self.messages)
        self.addCleanup(logger.removeHandler, self.messages)
        self.addCleanup(logger.setLevel, before)
        self.server = self.boot('host1')

    def assertTold(self, said):
        """Check that something was logged, and no secret.

        :param said: str, a part of what was logged.
        """
        text = '\n'.join(self.messages.text)
        self.assertIn(said, text)
        with self.cell_context() as context:
            for action in objects.InstanceActionList.get_by_instance_uuid(
                    context, self.server['id']):
                for event in objects.InstanceActionEventList.get_by_action(
                        context, action.id):
                    text += '\n%s %s' % (event.details, event.traceback)
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def fails(self, answer):
        """Have the claim of a forced move fail."""
        self.replace('nova.scheduler.client.report.SchedulerReportClient.post',
                     answer)
        self.force_refused(self.server, 'host2')

    def test_the_secrets_are_there(self):
        self.assertIn(PASSWORD, CONF.transport_url)
        context = nova_context.get_admin_context()
        self.assertEqual(TOKEN, context.auth_token)
        logging.getLogger('nova_coldmig').debug('%s', context.to_dict())
        self.assertRaises(AssertionError, self.assertTold, 'auth_token')

    def test_moved(self):
        self.force(self.server, 'host2')
        self.assertTold('Forced from host host1 to host host2')

    def test_bypassed(self):
        service = self.computes['host2'].service_ref
        self.api.put_service(service.uuid, {
            'status': 'disabled', 'disabled_reason': 'maintenance'})
        self.force(self.server, 'host2')
        self.assertTold('Bypassed: ')

    def test_placement_is_away(self):
        def post(client, url, *args, **kwargs):
            raise ks_exc.ConnectFailure(
                'Unable to establish connection to %s' % url)

        self.fails(post)
        self.assertTold('Placement did not answer')

    def test_placement_refuses(self):
        self.fails(lambda *args, **kwargs: fake_requests.FakeResponse(
            500, '{"errors": [{"status": 500, "detail": "oops"}]}'))
        self.assertTold('Placement did not answer')

    def test_repair(self):
        report.report_client_singleton().delete_allocation_for_instance(
            nova_context.get_admin_context(), self.server['id'])
        self.assertEqual(['repaired'], [
            done['outcome'] for done in manage.repair(bound=0, yes=True)])
        self.assertTold('Repair after a broken move')
