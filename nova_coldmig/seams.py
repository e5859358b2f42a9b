# SPDX-License-Identifier: Apache-2.0

"""Every place of Nova that this package changes, and nothing else does.

``SEAMS`` says what is replaced, by what and why; ``RELIED_ON`` names what is
called or subclassed and has to stay as it is. Both carry fingerprints, and
:func:`install` refuses a tree in which one of them differs. What a service
does then is decided in :mod:`nova_coldmig.start`.
"""

import dataclasses
import importlib
import threading
import typing as ty

from oslo_log import log as logging

from nova_coldmig import fingerprint
from nova_coldmig import series

LOG = logging.getLogger(__name__)

API = 'api'
CONDUCTOR = 'conductor'
#: No half: it changes nothing of Nova, and relies on more of it.
RECOVERY = 'recovery'


@dataclasses.dataclass(frozen=True)
class Seam:
    """One place of Nova that is changed.

    :ivar half: str, ``API`` or ``CONDUCTOR``.
    :ivar target: str, ``module:attribute.path`` of what is changed.
    :ivar by: str, ``module:function`` that makes the change. It is called
        with what is there now and the nova_coldmig.series.Series.
    :ivar why: str, one sentence.
    :ivar applies: callable that takes the Series and tells whether the series
        has this place.
    """

    half: str
    target: str
    by: str
    why: str
    applies: ty.Callable[[series.Series], bool] = lambda tree: True

    #: Whether the target is code, and so has a fingerprint.
    is_code = False

    def make(self, current, tree):
        """Make the replacement of what is there now."""
        owner, name = fingerprint.resolve(self.by)
        return getattr(owner, name)(current, tree)

    def apply(self, tree):
        """Change Nova.

        :param tree: nova_coldmig.series.Series
        :returns: callable that takes the change back.
        """
        raise NotImplementedError()


class Attribute(Seam):
    """An attribute of a module, class or function is set."""

    def apply(self, tree):
        owner, name = fingerprint.resolve(self.target)
        # Not getattr: a class attribute must come back as it was defined,
        # a staticmethod as a staticmethod.
        before = vars(owner).get(name, getattr(owner, name))
        setattr(owner, name, self.make(getattr(owner, name), tree))
        return lambda: setattr(owner, name, before)


class Code(Attribute):
    """A function or class is wrapped or subclassed."""

    is_code = True


class Value(Seam):
    """A value of a dict is set: ``module:dict.key`` or ``….key.key``."""

    def apply(self, tree):
        module, _, path = self.target.partition(':')
        name, *keys, last = path.split('/')
        values = getattr(importlib.import_module(module), name)
        for key in keys:
            values = values[key]
        before = values[last]
        values[last] = self.make(before, tree)
        return lambda: values.__setitem__(last, before)


class Element(Seam):
    """An element is added to a list."""

    def apply(self, tree):
        owner, name = fingerprint.resolve(self.target)
        elements = getattr(owner, name)
        element = self.make(elements, tree)
        elements.append(element)
        return lambda: elements.remove(element)


class Call(Seam):
    """The function ``by`` makes the change itself and returns its undoing."""

    def apply(self, tree):
        owner, name = fingerprint.resolve(self.target)
        return self.make(getattr(owner, name), tree)


SEAMS = (
    Attribute(
        API, 'nova.api.openstack.api_version_request:_MAX_API_VERSION',
        'nova_coldmig.api.openstack.api_version_request:maximum',
        'Requests at the new microversion, and "latest", are let in.'),
    Attribute(
        API, 'nova.api.openstack.api_version_request:'
             'is_supported.__defaults__',
        'nova_coldmig.api.openstack.api_version_request:is_supported_defaults',
        'Up to 2025.1 the old maximum is bound here, and all of Nova would '
        'take a request at the new microversion for one at 2.1.',
        applies=lambda tree: tree.maximum_in_defaults),
    Value(
        API, 'nova.api.openstack.compute.versions:VERSIONS/v2.1/version',
        'nova_coldmig.api.openstack.api_version_request:maximum',
        'The version documents show the new maximum, copied at import.'),
    Code(
        API, 'nova.api.openstack.compute.migrate_server:'
             'MigrateServerController._migrate',
        'nova_coldmig.api.openstack.compute.migrate_server:migrate_action',
        'The migrate action takes host and force at the new microversion; '
        'requests at every older one go to the method of Nova.'),
    Element(
        API, 'nova.policies.migrate_server:migrate_server_policies',
        'nova_coldmig.policies.migrate_server:force_rule',
        'Whatever lists the policies of Nova lists the rule for force.'),
    Call(
        API, 'nova.policy:_ENFORCER',
        'nova_coldmig.policies:register',
        'An enforcer that is there already knows the rule for force.'),
    Element(
        API, 'nova.api.openstack.compute.extension_info:EXTENSION_LIST',
        'nova_coldmig.api.openstack.compute.extension_info:entry',
        'Clients can tell the new microversion from the number of another '
        'feature.'),
    Value(
        CONDUCTOR, 'nova.service:SERVICE_MANAGERS/nova-conductor',
        'nova_coldmig.conductor.manager:name',
        'nova-conductor can be asked whether it has the conductor half.'),
    Code(
        CONDUCTOR, 'nova.conductor.manager:ComputeTaskManager',
        'nova_coldmig.conductor.manager:compute_task_manager',
        'A forced cold migration runs ForcedMigrationTask; everything else '
        'runs what it ran before.'),
)

#: What is called, subclassed or mirrored, by half, and by the recovery, whose
#: decisions are made of what these leave when they are cut short.
RELIED_ON = {
    API: (
        'nova.api.openstack.api_version_request:is_supported',
        'nova.api.openstack.compute:APIRouterV21.factory',
        'nova.compute.api:API._allow_cross_cell_resize',
        'nova.compute.api:API._validate_host_for_cold_migrate',
        'nova.compute.api:API.resize',
        'nova.conductor.api:ComputeTaskAPI.resize_instance',
        'nova.conductor.rpcapi:ComputeTaskAPI.migrate_server',
        'nova.scheduler.filters.image_props_filter:'
        'ImagePropertiesFilter._instance_supported',
        'nova.scheduler.filters.image_props_filter:'
        'ImagePropertiesFilter.host_passes',
    ),
    CONDUCTOR: (
        'nova.compute.manager:ComputeManager._destroy_evacuated_instances',
        'nova.compute.manager:ComputeManager._validate_instance_group_policy',
        'nova.compute.manager:ComputeManager.confirm_resize',
        'nova.conductor.manager:ComputeTaskManager._build_cold_migrate_task',
        'nova.conductor.manager:ComputeTaskManager._cold_migrate',
        'nova.conductor.manager:'
        'ComputeTaskManager._get_request_spec_for_cold_migrate',
        'nova.conductor.tasks.live_migrate:'
        'LiveMigrationTask._check_compatible_with_source_hypervisor',
        'nova.conductor.tasks.migrate:MigrationTask',
        'nova.conductor.tasks.migrate:replace_allocation_with_migration',
        'nova.conductor.tasks.migrate:revert_allocation_for_migration',
        'nova.objects.request_spec:RequestSpec._get_update_primitives',
        'nova.pci.stats:PciDeviceStats.support_requests',
        'nova.scheduler.client.report:'
        'SchedulerReportClient.get_allocation_candidates',
        'nova.scheduler.client.report:'
        'SchedulerReportClient.get_allocs_for_consumer',
        'nova.scheduler.client.report:SchedulerReportClient.move_allocations',
        'nova.scheduler.client.report:retries',
        'nova.scheduler.filters.image_props_filter:'
        'ImagePropertiesFilter._instance_supported',
        'nova.scheduler.filters.image_props_filter:'
        'ImagePropertiesFilter.host_passes',
        'nova.scheduler.filters.numa_topology_filter:'
        'NUMATopologyFilter.host_passes',
        'nova.scheduler.filters.pci_passthrough_filter:'
        'PciPassthroughFilter.host_passes',
        'nova.scheduler.request_filter:process_reqspec',
        'nova.scheduler.request_filter:routed_networks_filter',
        'nova.scheduler.utils:claim_resources',
        'nova.scheduler.utils:fill_provider_mapping',
        'nova.scheduler.utils:populate_filter_properties',
        'nova.scheduler.utils:resources_from_request_spec',
        'nova.virt.hardware:numa_fit_instance_to_host',
    ),
    RECOVERY: (
        'nova.availability_zones:get_host_availability_zone',
        'nova.cmd.manage:PlacementCommands._heal_allocations_for_instance',
        'nova.cmd.manage:PlacementCommands.heal_allocations',
        'nova.compute.api:API.confirm_resize',
        'nova.compute.api:API.revert_resize',
        'nova.compute.manager:ComputeManager._confirm_resize',
        'nova.compute.manager:ComputeManager._destroy_evacuated_instances',
        'nova.compute.manager:ComputeManager._finish_resize',
        'nova.compute.manager:ComputeManager._finish_revert_resize',
        'nova.compute.manager:ComputeManager._init_instance',
        'nova.compute.manager:ComputeManager._poll_unconfirmed_resizes',
        'nova.compute.manager:ComputeManager._resize_instance',
        'nova.compute.manager:ComputeManager.confirm_resize',
        'nova.compute.manager:ComputeManager.finish_resize',
        'nova.compute.manager:ComputeManager.finish_revert_resize',
        'nova.compute.manager:ComputeManager.get_instance_diagnostics',
        'nova.compute.manager:ComputeManager.prep_resize',
        'nova.compute.manager:ComputeManager.resize_instance',
        'nova.compute.manager:ComputeManager.revert_resize',
        'nova.compute.manager:errors_out_migration',
        'nova.compute.manager:errors_out_migration_ctxt',
        'nova.compute.resource_tracker:ResourceTracker.drop_move_claim',
        'nova.compute.resource_tracker:'
        'ResourceTracker.drop_move_claim_at_source',
        'nova.compute.rpcapi:ComputeAPI.confirm_resize',
        'nova.compute.rpcapi:ComputeAPI.finish_revert_resize',
        'nova.compute.rpcapi:ComputeAPI.get_instance_diagnostics',
        'nova.compute.rpcapi:ComputeAPI.revert_resize',
        'nova.conductor.tasks.migrate:MigrationTask',
        'nova.conductor.tasks.migrate:revert_allocation_for_migration',
        'nova.network.neutron:API.get_requested_resource_for_instance',
        'nova.objects.instance:Instance.drop_migration_context',
        'nova.objects.instance_action:InstanceActionList.get_by_instance_uuid',
        'nova.objects.migration:MigrationList.get_by_filters',
        'nova.objects.request_spec:RequestSpec.get_by_instance_uuid',
        'nova.scheduler.client.report:'
        'SchedulerReportClient.delete_allocation_for_instance',
        'nova.scheduler.client.report:'
        'SchedulerReportClient.get_allocs_for_consumer',
        'nova.scheduler.client.report:SchedulerReportClient.move_allocations',
        'nova.servicegroup.api:API.service_is_up',
        'nova.servicegroup.drivers.db:DbDriver.is_up',
        'nova.virt.libvirt.driver:LibvirtDriver.finish_revert_migration',
        'nova.virt.libvirt.driver:LibvirtDriver.migrate_disk_and_power_off',
    ),
}

_undo: dict[str, list[ty.Callable[[], object]]] = {}
_lock = threading.Lock()


def fingerprinted(half):
    """List what has a fingerprint.

    :param half: str, ``API``, ``CONDUCTOR`` or ``RECOVERY``.
    :returns: list of str, targets.
    """
    code = [seam.target for seam in SEAMS
            if seam.half == half and seam.is_code
            # A class is too coarse where its methods are listed.
            and not any(target.startswith(seam.target + '.')
                        for target in RELIED_ON[half])]
    return code + list(RELIED_ON[half])


def check(half):
    """Tell whether a half can be installed into this Nova, or work with it.

    :param half: str, ``API``, ``CONDUCTOR`` or ``RECOVERY``.
    :returns: nova_coldmig.series.Series
    :raises: nova_coldmig.series.UnsupportedNova if not, or if that can not be
        told, whatever is the reason.
    """
    try:
        tree = series.detect()
        problems = _problems(half, tree)
    except series.UnsupportedNova:
        raise
    except Exception as e:
        LOG.debug('Nova can not be compared.', exc_info=True)
        raise series.UnsupportedNova(
            'nova-coldmig could not compare this Nova %s with those it knows: '
            '%s: %s. Install a nova-coldmig release made for it.' % (
                series.describe(), type(e).__name__, e))
    if problems:
        raise series.UnsupportedNova(
            'nova-coldmig does not know this Nova %s: %s. Install a '
            'nova-coldmig release made for it.' % (
                series.describe(), '; '.join(problems)))
    return tree


def _problems(half, tree):
    """Tell in what the installed Nova differs from a series.

    :returns: list of str
    """
    problems = ['%s is not the one of Nova %s' % (target, tree.name)
                for target in fingerprint.changed(fingerprinted(half), tree)]
    if half == API:
        maximum = _api_version_request()._MAX_API_VERSION
        if maximum != tree.max_microversion:
            problems.append('the maximum microversion is %s, not %s' % (
                maximum, tree.max_microversion))
    return problems


def _api_version_request():
    return importlib.import_module('nova.api.openstack.api_version_request')


def _untested(half):
    """Make a row of what is installed, and warn of all that is not known.

    :returns: nova_coldmig.series.Series
    """
    try:
        tree = series.detect()
        problems = []
    except series.UnsupportedNova as e:
        tree = series.NEWEST
        problems = [str(e).rstrip('.')]
    try:
        problems += _problems(half, tree)
    except Exception as e:
        problems.append('%s: %s' % (type(e).__name__, e))
    for problem in problems:
        LOG.warning('Running on an untested Nova %(version)s, as '
                    '[coldmig]on_unknown_tree = run asks: %(problem)s.',
                    {'version': series.describe(), 'problem': problem})
    if half == API:
        module = _api_version_request()
        tree = dataclasses.replace(
            tree, max_microversion=module._MAX_API_VERSION,
            maximum_in_defaults=bool(module.is_supported.__defaults__))
    return tree


def install(half, untested=False):
    """Change Nova so that it serves one half of the feature.

    Nova must have parsed its configuration and selected its threading model.
    Installing twice is installing once.

    :param half: str, ``API`` or ``CONDUCTOR``.
    :param untested: bool, whether to install into an unknown tree as well,
        with warnings.
    :raises: nova_coldmig.series.UnsupportedNova if the tree is not known, or
        can not be changed; nothing is changed then.
    """
    with _lock:
        if half in _undo:
            return
        tree = None if untested else check(half)
        undo = []
        target = half
        try:
            tree = tree or _untested(half)
            for seam in SEAMS:
                if seam.half == half and seam.applies(tree):
                    target = seam.target
                    undo.append(seam.apply(tree))
        except Exception as e:
            _take_back(undo)
            LOG.debug('Nova can not be changed.', exc_info=True)
            raise series.UnsupportedNova(
                'nova-coldmig could not change %s of this Nova %s: %s: %s. '
                'Install a nova-coldmig release made for it.' % (
                    target, series.describe(), type(e).__name__, e))
        _undo[half] = undo
        LOG.info('nova-coldmig serves the %(half)s half of forced cold '
                 'migration on Nova %(version)s.',
                 {'half': half, 'version': series.describe()})


def uninstall(half):
    """Take back all that install changed.

    :param half: str, ``API`` or ``CONDUCTOR``.
    """
    with _lock:
        _take_back(_undo.pop(half, []))


def installed():
    """Tell which halves are installed.

    :returns: frozenset of str
    """
    return frozenset(_undo)


def _take_back(undo):
    while undo:
        undo.pop()()
