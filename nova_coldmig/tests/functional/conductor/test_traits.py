# SPDX-License-Identifier: Apache-2.0

"""Traits: which a forced move asks for, and which it does without."""

from urllib import parse

import fixtures
from nova.scheduler.client import report

from nova_coldmig.tests.functional import base

SECURE_BOOT = 'COMPUTE_SECURITY_UEFI_SECURE_BOOT'


class TraitTestCase(base.ColdmigTestCase):

    def setUp(self):
        super().setUp()
        self.queries = []
        passed_on = report.SchedulerReportClient.get

        def get(client, url, *args, **kwargs):
            if url.startswith('/allocation_candidates?'):
                self.queries.append(parse.parse_qs(url.partition('?')[2]))
            return passed_on(client, url, *args, **kwargs)

        self.useFixture(fixtures.MonkeyPatch(
            'nova.scheduler.client.report.SchedulerReportClient.get', get))

    def add_trait(self, trait, *hosts):
        self.create_trait(trait)
        for host in hosts:
            provider = self._get_provider_uuid_by_name(host)
            self._set_provider_traits(
                provider, self._get_provider_traits(provider) + [trait])

    def boot_with(self, host='host1', image=None, **extra_specs):
        """Boot a server of a flavor with extra specs."""
        flavor = self._create_flavor(
            memory_mb=512, vcpu=1, disk=1, ephemeral=0,
            extra_spec=extra_specs)
        server = self.boot(host, flavor_id=flavor, image_uuid=image)
        self.queries.clear()
        return server

    def assertAsked(self, *traits):
        """Check the traits that each query named, in its own words.

        :param traits: for each query, a str or None.
        """
        self.assertEqual(list(traits), [
            query['required'][0] if 'required' in query else None
            for query in self.queries])
        for query in self.queries:
            self.assertEqual([self._get_provider_uuid_by_name('host2')],
                             query['in_tree'])
            self.assertNotIn('member_of', query)


class ExplicitTraitTest(TraitTestCase):
    """What flavor and image ask for is the deployment's policy."""

    LACKS = 'it lacks the traits %s'

    def test_destination_has_it(self):
        """It is asked for, and nothing is bypassed."""
        self.add_trait('CUSTOM_GOLD', 'host1', 'host2')
        server = self.boot_with(**{'trait:CUSTOM_GOLD': 'required'})
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self.assertAsked('CUSTOM_GOLD')

    def test_destination_lacks_it(self):
        self.add_trait('CUSTOM_GOLD', 'host1')
        server = self.boot_with(**{'trait:CUSTOM_GOLD': 'required'})
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2', self.LACKS % 'CUSTOM_GOLD')
        self.assertAsked('CUSTOM_GOLD', None)
        self.assertWarned('CUSTOM_GOLD')

    def assertWarned(self, traits):
        self.assertIn(
            'Forced from host host1 to host host2 without the scheduler. '
            'Bypassed: %s.' % self.LACKS % traits,
            self.stdlog.logger.output)
        line, = [line for line in self.stdlog.logger.output.splitlines()
                 if 'Forced from host' in line]
        self.assertIn('WARNING', line)

    def test_destination_has_a_forbidden_one(self):
        self.add_trait('CUSTOM_NOISY', 'host2')
        server = self.boot_with(**{'trait:CUSTOM_NOISY': 'forbidden'})
        self.force(server, 'host2')
        self.assertMoved(
            server, 'host1', 'host2', self.LACKS % '!CUSTOM_NOISY')
        self.assertAsked('!CUSTOM_NOISY', None)

    def test_trait_of_the_image(self):
        self.add_trait('CUSTOM_GOLD', 'host1')
        image = self._create_image({'trait:CUSTOM_GOLD': 'required'})
        server = self.boot_with(image=image['id'])
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2', self.LACKS % 'CUSTOM_GOLD')
        self.assertAsked('CUSTOM_GOLD', None)

    def test_server_keeps_its_traits(self):
        """They are left out of a query, not of the server."""
        self.add_trait('CUSTOM_GOLD', 'host1')
        server = self.boot_with(**{'trait:CUSTOM_GOLD': 'required'})
        self.force(server, 'host2')
        self.confirm(server)
        self.api.post_server_action(
            server['id'], {'migrate': None}, check_response_status=[202])
        server = self._wait_for_state_change(server, 'VERIFY_RESIZE')
        self.assertEqual('host1', server['OS-EXT-SRV-ATTR:host'])
        self.assertSchedulerCalls(1)

    def test_unforced_is_refused(self):
        """The scheduler does not relax."""
        self.add_trait('CUSTOM_GOLD', 'host1')
        server = self.boot_with(**{'trait:CUSTOM_GOLD': 'required'})
        self.migrate(server, 'host2')
        self.wait_for_error(server, 'conductor_migrate_server')
        self.assertOn(server, 'host1')
        self.assertSchedulerCalls(1)

    def test_option_that_forbids(self):
        self.flags(relax_traits=False, group='coldmig')
        self.add_trait('CUSTOM_GOLD', 'host1')
        server = self.boot_with(**{'trait:CUSTOM_GOLD': 'required'})
        self.assertRefused(
            server, 'Placement has nothing on host host2 that holds the '
            'server with its traits, and [coldmig]relax_traits forbids to '
            'override them. Name another host. The traits: CUSTOM_GOLD.')
        self.assertAsked('CUSTOM_GOLD')
        # It does not matter where the destination has them.
        self.add_trait('CUSTOM_GOLD', 'host2')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')


class CapabilityTraitTest(TraitTestCase):
    """What the guest needs to run is asked for to the end."""

    def test_destination_lacks_it(self):
        self.add_trait(SECURE_BOOT, 'host1')
        server = self.boot_with(**{'os:secure_boot': 'required'})
        self.assertRefused(
            server, 'it is full or lacks a device or capability')
        self.assertAsked(SECURE_BOOT)

    def test_destination_has_it(self):
        self.add_trait(SECURE_BOOT, 'host1', 'host2')
        server = self.boot_with(**{'os:secure_boot': 'required'})
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self.assertAsked(SECURE_BOOT)

    def test_it_is_kept_where_explicit_ones_are_not(self):
        self.add_trait('CUSTOM_GOLD', 'host1')
        self.add_trait(SECURE_BOOT, 'host1')
        server = self.boot_with(**{
            'os:secure_boot': 'required', 'trait:CUSTOM_GOLD': 'required'})
        self.assertRefused(server, 'lacks a device or capability')
        self.assertAsked(SECURE_BOOT + ',CUSTOM_GOLD', SECURE_BOOT)

    def test_trait_of_image_metadata(self):
        """Nova's pre-filter adds it, if the deployment turned that on."""
        self.flags(image_metadata_prefilter=True, group='scheduler')
        self.add_trait('COMPUTE_GRAPHICS_MODEL_VIRTIO', 'host1')
        image = self._create_image({'hw_video_model': 'virtio'})
        server = self.boot_with(image=image['id'])
        self.assertRefused(server, 'lacks a device or capability')
        query, = self.queries
        self.assertIn(
            'COMPUTE_GRAPHICS_MODEL_VIRTIO', query['root_required'][0])

    def test_owner_of_the_provider(self):
        """From 2026.2 on, Nova asks for providers that are its own."""
        server = self.boot('host1')
        self.queries.clear()
        self.force(server, 'host2')
        self.assertEqual(
            base.TREE.major >= 34,
            'OWNER_NOVA' in self.queries[0].get('root_required', []))
        self.assertNotIn('COMPUTE_STATUS_DISABLED', str(self.queries))


class GroupTraitTest(TraitTestCase):
    """A numbered group of the flavor is one thing with its traits."""

    CLASS = 'CUSTOM_WIDGET'

    def setUp(self):
        super().setUp()
        self._add_widgets('red', 'CUSTOM_RED', *self.hosts)
        self._add_widgets('blue', 'CUSTOM_BLUE', 'host1')

    def _add_widgets(self, name, trait, *hosts):
        for host in hosts:
            self.add_provider(host, name, trait, **{self.CLASS: 4})

    def _boot(self, first, second, policy):
        return self.boot_with(**{
            'resources1:' + self.CLASS: '1', 'trait1:' + first: 'required',
            'resources2:' + self.CLASS: '2', 'trait2:' + second: 'required',
            'group_policy': policy})

    def test_destination_lacks_it(self):
        server = self._boot('CUSTOM_RED', 'CUSTOM_BLUE', 'isolate')
        self.assertRefused(server, 'lacks a device or capability')
        self.assertEqual(1, len(self.queries))

    def test_isolate(self):
        self._add_widgets('blue', 'CUSTOM_BLUE', 'host2')
        server = self._boot('CUSTOM_RED', 'CUSTOM_BLUE', 'isolate')
        self.force(server, 'host2')
        took = {'host2': self.resources, 'host2_red': {self.CLASS: 1},
                'host2_blue': {self.CLASS: 2}}
        self.assertMoved(server, 'host1', 'host2', took=took)
        self.assertEqual(['isolate'], self.queries[0]['group_policy'])
        self.confirm(server, took=took)

    def test_isolate_can_not_be_had(self):
        """Both widgets of the destination may not be one."""
        self._add_widgets('scarlet', 'CUSTOM_RED', 'host1')
        server = self._boot('CUSTOM_RED', 'CUSTOM_RED', 'isolate')
        self.assertRefused(server, 'lacks a device or capability')

    def test_none(self):
        server = self._boot('CUSTOM_RED', 'CUSTOM_RED', 'none')
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2', took={
            'host2': self.resources, 'host2_red': {self.CLASS: 3}})
        self.revert(server)
