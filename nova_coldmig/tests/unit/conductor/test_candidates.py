# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova import context as nova_context
from nova import exception
from nova import objects
from nova.scheduler.client import report
from nova.scheduler import request_filter
from nova import test
from oslo_utils.fixture import uuidsentinel as uuids

from nova_coldmig.conductor import bypass
from nova_coldmig.conductor import candidates
from nova_coldmig import exception as coldmig_exc

#: What flavor and image ask for, outside of a group.
STRICT = {'trait:CUSTOM_GOLD': 'required', 'trait:CUSTOM_SLOW': 'forbidden',
          'trait1:CUSTOM_GPU': 'required', 'resources1:VGPU': '1'}
PINNED = {'hw:cpu_policy': 'dedicated'}


class CandidatesTest(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.context = nova_context.get_admin_context()
        self.client = mock.create_autospec(
            report.SchedulerReportClient, instance=True)
        self.queries = []
        self.answers = {}
        self.client.get_allocation_candidates.side_effect = self._answer
        self.node = objects.ComputeNode(
            uuid=uuids.node, host='dest', hypervisor_hostname='dest')
        self.all_filters = request_filter.ALL_REQUEST_FILTERS
        # The others ask the database or Neutron.
        self.useFixture(test.fixtures.MonkeyPatch(
            'nova.scheduler.request_filter.ALL_REQUEST_FILTERS',
            [request_filter.compute_status_filter,
             request_filter.accelerators_filter]))

    def _answer(self, context, resources):
        query = resources.to_querystring()
        self.queries.append(query)
        found = [name for name, part in self.answers.items() if part in query]
        return [{'name': name} for name in found], {}, '1.36'

    def _spec(self, image_traits=(), **extra_specs):
        return objects.RequestSpec(
            flavor=objects.Flavor(
                vcpus=2, memory_mb=512, root_gb=1, ephemeral_gb=0, swap=0,
                extra_specs=extra_specs.pop('extra_specs', {})),
            image=objects.ImageMeta(properties=objects.ImageMetaProps(
                traits_required=list(image_traits))),
            requested_resources=[], request_level_params=(
                objects.RequestLevelParams()),
            is_bfv=False, numa_topology=None, pci_requests=None,
            requested_destination=objects.Destination(
                host='dest', node='dest'))

    def _find(self, spec):
        return [(request['name'], overridden) for request, version, overridden
                in candidates.find(
                    self.context, self.client, spec, self.node)]

    def test_only_in_the_tree_of_the_node(self):
        self.answers = {'one': ''}
        self.assertEqual([('one', [])], self._find(self._spec()))
        query, = self.queries
        self.assertIn('in_tree=%s' % uuids.node, query)
        self.assertIn('resources=DISK_GB%3A1%2CMEMORY_MB%3A512%2CVCPU%3A2',
                      query)

    def test_policy_is_left_out_and_the_rest_is_not(self):
        self._find(self._spec(extra_specs={'accel:device_profile': 'x'}))
        query, = self.queries
        self.assertNotIn('COMPUTE_STATUS_DISABLED', query)
        self.assertIn('COMPUTE_ACCELERATORS', query)

    def test_policy_filters_are_those_of_nova(self):
        """All but these four say what the guest needs."""
        self.assertEqual(4, len(bypass.POLICY_FILTERS))
        self.assertLess(set(bypass.POLICY_FILTERS), set(self.all_filters))

    def test_explicit_traits_first(self):
        self.answers = {'one': ''}
        spec = self._spec(extra_specs=STRICT, image_traits=['HW_CPU_X86_AVX'])
        found = candidates.find(self.context, self.client, spec, self.node)
        self.assertEqual([], next(found)[2])
        query, = self.queries
        for part in ('required=CUSTOM_GOLD%2CHW_CPU_X86_AVX%2C%21CUSTOM_SLOW',
                     'required1=CUSTOM_GPU', 'resources1=VGPU%3A1'):
            self.assertIn(part, query)

    def test_explicit_traits_are_left_out_last(self):
        spec = self._spec(extra_specs=STRICT, image_traits=['HW_CPU_X86_AVX'])
        self.answers = {'relaxed': '&resources1'}
        self.assertEqual(
            ['!CUSTOM_SLOW', 'CUSTOM_GOLD', 'HW_CPU_X86_AVX'],
            self._find(spec)[-1][1])
        strict, relaxed = self.queries
        self.assertIn('CUSTOM_GOLD', strict)
        for gone in ('CUSTOM_GOLD', 'CUSTOM_SLOW', 'HW_CPU_X86_AVX'):
            self.assertNotIn(gone, relaxed)
        self.assertIn('required1=CUSTOM_GPU', relaxed)
        # The request spec is as it was: it is saved later.
        self.assertEqual(STRICT, spec.flavor.extra_specs)
        self.assertEqual(['HW_CPU_X86_AVX'],
                         spec.image.properties.traits_required)

    def test_explicit_traits_may_be_kept(self):
        self.flags(relax_traits=False, group='coldmig')
        self._find(self._spec(extra_specs=STRICT))
        self.assertEqual(1, len(self.queries))

    def test_pinned_cpus_fall_back_to_vcpu(self):
        self._find(self._spec(extra_specs=PINNED))
        pcpu, vcpu = self.queries
        self.assertIn('PCPU%3A2', pcpu)
        self.assertIn('%2CVCPU%3A2', vcpu)

    def test_pinned_cpus_do_not_fall_back(self):
        self.flags(disable_fallback_pcpu_query=True, group='workarounds')
        self._find(self._spec(extra_specs=PINNED))
        self.assertEqual(1, len(self.queries))

    def test_order(self):
        self._find(self._spec(extra_specs=dict(STRICT, **PINNED)))
        self.assertEqual(
            [(True, True), (True, False), (False, True), (False, False)],
            [('CUSTOM_GOLD' in query, 'PCPU' in query)
             for query in self.queries])

    def test_no_query_that_is_not_needed(self):
        self.answers = {'one': ''}
        next(candidates.find(
            self.context, self.client,
            self._spec(extra_specs=dict(STRICT, **PINNED)), self.node))
        self.assertEqual(1, len(self.queries))

    def _provider(self, status):
        self.client.get.return_value = mock.Mock(
            spec=['status_code', 'json'], status_code=status,
            json=lambda: {'root_provider_uuid': uuids.node})

    def test_no_provider(self):
        """Of a host that was registered anew; Placement refuses the query."""
        self._provider(404)
        self.client.get_allocation_candidates.side_effect = [
            (None, None, None)]
        exc = self.assertRaises(
            coldmig_exc.MoveRefused, self._find, self._spec())
        self.assertIn('has no resource provider', exc.reason)

    def test_no_answer(self):
        self._provider(200)
        for no_answer in (None, (None, None, None)):
            self.client.get_allocation_candidates.side_effect = [no_answer]
            exc = self.assertRaises(
                coldmig_exc.MoveRefused, self._find, self._spec())
            self.assertIn('Placement did not answer', exc.reason)

    def test_pre_filter_that_refuses(self):
        request_filter.ALL_REQUEST_FILTERS.append(mock.Mock(
            side_effect=exception.RequestFilterFailed(reason='no segment')))
        exc = self.assertRaises(
            coldmig_exc.MoveRefused, self._find, self._spec())
        self.assertIn('no segment', exc.reason)
