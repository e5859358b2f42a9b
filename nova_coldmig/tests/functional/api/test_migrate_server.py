# SPDX-License-Identifier: Apache-2.0

"""The contract of the migrate action: bodies and answers, as tables."""

import collections
import datetime

from nova import exception
from nova import objects
from nova import policy
from oslo_utils import timeutils

from nova_coldmig.tests.functional import base

OLD = base.TREE.max_microversion

#: What a request proves, the value of "migrate", and a part of the 400.
Refused = collections.namedtuple('Refused', 'proves migrate message')

REFUSED = (
    Refused('host is a required key', {}, "'host' is a required property"),
    Refused('host is required beside force', {'force': True},
            "'host' is a required property"),
    Refused('force needs a host', {'host': None, 'force': True},
            "Can't force to a non-provided destination"),
    Refused('force as a string needs a host', {'host': None, 'force': 'yes'},
            "Can't force to a non-provided destination"),
    Refused('force is one of the words of Nova',
            {'host': 'host2', 'force': 'maybe'}, 'maybe'),
    Refused('force is not a number', {'host': 'host2', 'force': 1},
            "1 is not of type 'boolean', 'string', 'null'"),
    Refused('force is not empty', {'host': 'host2', 'force': ''}, 'force'),
    Refused('force is not a list', {'host': 'host2', 'force': [True]},
            'force'),
    Refused('there is nothing but host and force',
            {'host': 'host2', 'force': True, 'node': 'host2'},
            'Additional properties are not allowed'),
    Refused('host is not empty', {'host': '', 'force': True}, 'host'),
    Refused('host is a name', {'host': 'host 2', 'force': True}, 'host'),
    Refused('host is a string', {'host': 2, 'force': True}, 'host'),
    Refused('host is at most 255 characters',
            {'host': 'h' * 256, 'force': True}, 'host'),
    Refused('migrate is an object', ['host2'], 'migrate'),
    Refused('migrate is not a name', 'host2', 'migrate'),
    Refused('an unknown host is refused at once',
            {'host': 'host9', 'force': True},
            'No compute host with the name host9 is known'),
    Refused('an unknown host is refused as before',
            {'host': 'host9'}, 'Compute host host9 could not be found'),
    Refused('the host of other services is unknown',
            {'host': 'fake-mini', 'force': True},
            'No compute host with the name fake-mini is known'),
    Refused('the own host is refused', {'host': 'host1', 'force': True},
            'on compute host host1 already'),
    Refused('the own host is refused as before', {'host': 'host1'},
            'Cannot migrate to the host where the server exists'),
)

#: What a request proves, its microversion, the value of "migrate", and how
#: many calls of the scheduler it makes.
Accepted = collections.namedtuple(
    'Accepted', 'proves microversion migrate scheduler_calls')

NEW = base.TREE.microversion
HOST2 = {'host': 'host2'}

ACCEPTED = (
    Accepted('null is no host, as SDKs send it', NEW, None, 1),
    Accepted('a null host is no host', NEW, {'host': None}, 1),
    Accepted('without host, force may be false', NEW,
             {'host': None, 'force': False}, 1),
    Accepted('without host, force may be null', NEW,
             {'host': None, 'force': None}, 1),
    Accepted('no force is checked', NEW, HOST2, 1),
    Accepted('false is checked', NEW, dict(HOST2, force=False), 1),
    Accepted('null is checked', NEW, dict(HOST2, force=None), 1),
    Accepted('the word "false" is checked', NEW,
             dict(HOST2, force='false'), 1),
    Accepted('the word "off" is checked', NEW, dict(HOST2, force='off'), 1),
    Accepted('the word "0" is checked', NEW, dict(HOST2, force='0'), 1),
    Accepted('true is forced', NEW, dict(HOST2, force=True), 0),
    Accepted('the word "True" is forced', NEW, dict(HOST2, force='True'), 0),
    Accepted('the word "1" is forced', NEW, dict(HOST2, force='1'), 0),
    Accepted('the word "on" is forced', NEW, dict(HOST2, force='on'), 0),
    Accepted('before, null is no host', OLD, None, 1),
    Accepted('before, an empty object is no host', OLD, {}, 1),
    Accepted('before, a host is checked: no key is not force', OLD, HOST2, 1),
    Accepted('since 2.56, a host is checked', '2.56', HOST2, 1),
    Accepted('up to 2.55 there is no host', '2.55', None, 1),
    Accepted('up to 2.55 the value does not matter', '2.55', 'host3', 1),
)


class MigrateServerTest(base.ColdmigTestCase):

    def _refuses(self, server, row):
        self.assertIn(row.message, self.refused(server, 400, row.migrate),
                      row.proves)
        self.assertOn(server, 'host1')

    def _no_trace(self, server):
        """What the API refuses leaves neither record nor allocation."""
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
        self.assertEqual([], self.migrations(server))
        self.assertEqual(
            ['create'], [action['action'] for action in
                         self.api.get_instance_actions(server['id'])])
        self.assertSchedulerCalls(0)

    def test_refused(self):
        server = self.boot('host1')
        for row in REFUSED:
            self._refuses(server, row)
        self._no_trace(server)

    def test_force_is_unknown_before(self):
        server = self.boot('host1')
        for microversion in ('2.56', OLD):
            self.api.microversion = microversion
            for force in (True, False, None):
                self.assertIn(
                    'Additional properties are not allowed',
                    self.refused(server, 400,
                                 {'host': 'host2', 'force': force}))
        self.api.microversion = self.microversion
        self._no_trace(server)

    def test_accepted(self):
        server = self.boot('host1')
        for row in ACCEPTED:
            self.scheduler_calls.clear()
            host = self.api.get_server(server['id'])['OS-EXT-SRV-ATTR:host']
            # The rows name host2: each starts elsewhere.
            if host == 'host2':
                host = 'host1'
                self.force(server, host)
                self._confirm_resize(server)
                self.scheduler_calls.clear()
            self.api.microversion = row.microversion
            self.api.post_server_action(
                server['id'], {'migrate': row.migrate},
                check_response_status=[202])
            self.api.microversion = self.microversion
            after = self._wait_for_state_change(server, 'VERIFY_RESIZE')
            self.assertNotEqual(
                host, after['OS-EXT-SRV-ATTR:host'], row.proves)
            if isinstance(row.migrate, dict) and row.migrate.get('host'):
                self.assertEqual(
                    'host2', after['OS-EXT-SRV-ATTR:host'], row.proves)
            self.assertEqual(row.scheduler_calls, len(self.scheduler_calls),
                             row.proves)
            self._confirm_resize(server)

    def test_unexpected_exception(self):
        """Its name is in the answer as it is without the package."""
        server = self.boot('host1')

        def resize(*args, **kwargs):
            raise exception.VolumeNotCreated(
                volume_id='v', seconds=1, attempts=1, volume_status='x')

        self.stub_out('nova.conductor.api.ComputeTaskAPI.resize_instance',
                      resize)
        for microversion, migrate in (
                ('2.56', HOST2), (NEW, HOST2), (NEW, dict(HOST2, force=True))):
            self.api.microversion = microversion
            self.assertIn('VolumeNotCreated', self.refused(
                server, 500, migrate))
            self.reset_state(server)

    def reset_state(self, server):
        self.api.post_server_action(
            server['id'], {'os-resetState': {'state': 'active'}})

    def test_unknown_server(self):
        for migrate in ({'host': 'host2'}, {'host': 'host2', 'force': True}):
            self.assertIn('could not be found', self.refused(
                {'id': '9168b536-cd40-4630-b43f-b259807c6e87'}, 404, migrate))

    def test_server_of_another_project(self):
        server = self.boot('host1')
        stranger = self.client('stranger', ['member'], 'f' * 32)
        self.assertIn('could not be found', self.refused(
            server, 404, {'host': 'host2', 'force': True}, api=stranger))
        self._no_trace(server)

    def test_server_that_can_not_be_migrated(self):
        """The state of the server is Nova's to check, forced or not."""
        server = self.boot('host1')
        self.api.post_server_action(server['id'], {'pause': None})
        self._wait_for_state_change(server, 'PAUSED')
        for migrate in ({'host': 'host2'}, {'host': 'host2', 'force': True}):
            self.assertIn("Cannot 'migrate' instance",
                          self.refused(server, 409, migrate))
        self.assertOn(server, 'host1', 'PAUSED')
        self.assertHeld(host1=server['id'])

    def test_server_that_is_busy(self):
        server = self.boot('host1')
        self.force(server, 'host2')
        self.assertIn("vm_state resized", self.refused(
            server, 409, {'host': 'host3', 'force': True}))

    def test_source_that_is_down(self):
        server = self.boot('host1')
        self.force_down('host1')
        for migrate in ({'host': 'host2'}, {'host': 'host2', 'force': True}):
            self.assertIn('unavailable', self.refused(server, 409, migrate))
        self._no_trace(server)


class DestinationTest(base.ColdmigTestCase):
    """What the API knows of a destination it answers at once."""

    def _refuses(self, server, status, host='host2'):
        message = self.refused(server, status, {'host': host, 'force': True})
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])
        self.assertEqual([], self.migrations(server))
        self.assertSchedulerCalls(0)
        return message

    def test_forced_down(self):
        server = self.boot('host1')
        self.force_down('host2')
        message = self._refuses(server, 409)
        self.assertIn('host2 is down or forced down', message)

    def test_down(self):
        server = self.boot('host1')
        self.computes['host2'].stop()
        with self.cell_context() as context:
            record = self.service_record(context, 'host2')
            record.last_seen_up = (
                timeutils.utcnow() - datetime.timedelta(days=1))
            record.save()
        message = self._refuses(server, 409)
        self.assertIn('Start it', message)

    def test_several_nodes(self):
        server = self.boot('host1')
        with self.cell_context() as context:
            self.add_node(context, 'host2')
        message = self._refuses(server, 400)
        self.assertIn('manages 2 compute nodes', message)

    def test_other_hypervisor(self):
        server = self.boot('host1')
        with self.cell_context() as context:
            node = self.node_record(context, 'host2')
            node.hypervisor_type = 'other'
            node.save()
        message = self._refuses(server, 400)
        self.assertIn('host2 is other', message)

    def test_image_that_it_can_not_run(self):
        image = self._create_image({'hw_architecture': 'x86_64'})
        server = self.boot('host1', image_uuid=image['id'])
        self.make_foreign('host2')
        self.assertEqual(
            'Compute host host2 can not run the image of the server, which '
            'asks for hw_architecture=x86_64. Name a host that can.',
            self._refuses(server, 400))
        self.force(server, 'host3')


class OtherCellTest(base.ColdmigTestCase):
    """A forced move stays in the cell, whoever may resize across cells."""

    NUMBER_OF_CELLS = 2

    def setUp(self):
        super().setUp()
        self._start_compute('elsewhere', cell_name='cell2')

    def _refuses(self):
        server = self.boot('host1')
        message = self.refused(
            server, 400, {'host': 'elsewhere', 'force': True})
        self.assertIn('a forced cold migration stays in the cell', message)
        self.assertOn(server, 'host1')
        self.assertEqual([], self.migrations(server))
        return server

    def test_without_cross_cell_policy(self):
        self._refuses()

    def test_with_cross_cell_policy(self):
        self.policy.set_rules(
            {'compute:servers:resize:cross_cell': ''}, overwrite=False)
        server = self._refuses()
        # In the cell it is forced, and no cross-cell task is made of it.
        self.force(server, 'host2')
        self.assertFalse(self._cross_cell(server))
        self.assertSchedulerCalls(0)

    def _cross_cell(self, server):
        with self.cell_context() as context:
            return objects.MigrationList.get_by_filters(
                context, {'instance_uuid': server['id']})[0].cross_cell_move


class PolicyTest(base.ColdmigTestCase):

    FORCE = 'os_compute_api:os-migrate-server:migrate:force'
    HOST = 'os_compute_api:os-migrate-server:migrate:host'

    def _forbids(self, server, api, rule):
        message = self.refused(
            server, 403, {'host': 'host2', 'force': True}, api=api)
        self.assertIn("Policy doesn't allow %s to be performed" % rule,
                      message)
        self.assertOn(server, 'host1')
        self.assertHeld(host1=server['id'])

    def test_default_is_admin(self):
        server = self.boot('host1')
        for roles in (['member'], ['manager', 'member'], ['reader'], []):
            # Whoever may name the host may not force it by that.
            self.policy.set_rules({self.HOST: ''}, overwrite=False)
            self._forbids(server, self.client('user', roles), self.FORCE)
        self.force(server, 'host2')

    def test_custom_role(self):
        self.policy.set_rules(
            {self.HOST: 'role:mover', self.FORCE: 'role:mover'},
            overwrite=False)
        server = self.boot('host1')
        mover = self.client('mover', ['mover', 'member'])
        mover.post_server_action(
            server['id'], {'migrate': {'host': 'host2', 'force': True}})
        self._wait_for_state_change(server, 'VERIFY_RESIZE')
        self.assertSchedulerCalls(0)

    def test_denied(self):
        """Unforced moves of the same user go on."""
        self.policy.set_rules({self.FORCE: '!'}, overwrite=False)
        server = self.boot('host1')
        self._forbids(server, self.api, self.FORCE)
        self.migrate(server, 'host2')
        self._wait_for_state_change(server, 'VERIFY_RESIZE')

    def test_needs_the_rule_for_a_host_too(self):
        self.policy.set_rules(
            {self.HOST: '!', self.FORCE: ''}, overwrite=False)
        self._forbids(self.boot('host1'), self.api, self.HOST)

    def test_survives_a_reset_of_the_policy(self):
        policy.reset()
        policy.init(suppress_deprecation_warnings=True)
        server = self.boot('host1')
        self.policy.set_rules({self.HOST: ''}, overwrite=False)
        self._forbids(server, self.client('user', ['member']), self.FORCE)
