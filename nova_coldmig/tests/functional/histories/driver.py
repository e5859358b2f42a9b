# SPDX-License-Identifier: Apache-2.0

"""A fake driver that remembers where the disks of a guest are.

The fake driver of Nova knows guests and no disks. This one keeps, for each
host, what libvirt keeps in its directory of instances: the active disk of a
guest, and the one that a resize sets aside until it is confirmed. A disk has
a number, which grows each time that its guest is started on it, so that of two
disks of a guest the one with what it wrote last can be told.
"""

# First of all: it selects the threading model of the series.
from nova.tests.functional import integrated_helpers  # noqa: F401

import collections

from nova.compute import power_state
from nova.compute import task_states
from nova import exception
from nova.virt import fake
from oslo_utils.fixture import uuidsentinel as uuids

ACTIVE, BACKUP = 'active', 'backup'
#: Nova asks for these to be deleted, with what is on them.
GIVEN_UP = (task_states.RESIZE_REVERTING, task_states.DELETING)


class Disks:
    """The disks of all guests on all hosts.

    :ivar wrong: by the UUID of a server, a set of what was done to its disks
        that must not be.
    """

    def __init__(self):
        self._number = 0
        self._disks = collections.defaultdict(dict)
        self.wrong = collections.defaultdict(set)

    def of(self, uuid):
        """Tell which disks there are of a guest.

        :param uuid: str, the UUID of the server.
        :returns: dict of tuples of a host, and ACTIVE or BACKUP, to the
            number of the disk.
        """
        return dict(self._disks[uuid])

    def create(self, uuid, host):
        """Make the active disk, of the image, if there is none."""
        if (host, ACTIVE) not in self._disks[uuid]:
            self._number += 1
            self._disks[uuid][host, ACTIVE] = self._number

    def start(self, uuid, host):
        """Have the guest write to its active disk.

        :raises: nova.exception.DiskNotFound if there is none.
        """
        disks = self._disks[uuid]
        if (host, ACTIVE) not in disks:
            raise exception.DiskNotFound(location='%s on %s' % (uuid, host))
        if disks[host, ACTIVE] < max(disks.values()):
            self.wrong[uuid].add('ran-on-old-disk')
        self._number += 1
        disks[host, ACTIVE] = self._number

    def copy(self, uuid, source, kind, destination):
        """Copy a disk to another host, where it is the active one."""
        disks = self._disks[uuid]
        if (source, kind) not in disks:
            raise exception.DiskNotFound(location='%s on %s' % (uuid, source))
        disks[destination, ACTIVE] = disks[source, kind]

    def set_aside(self, uuid, host):
        """Make the active disk the backup, in place of one left over."""
        disks = self._disks[uuid]
        if (host, ACTIVE) not in disks:
            raise exception.DiskNotFound(location='%s on %s' % (uuid, host))
        disks[host, BACKUP] = disks.pop((host, ACTIVE))

    def restore(self, uuid, host):
        """Make the backup, if there is one, the active disk."""
        disks = self._disks[uuid]
        if (host, BACKUP) in disks:
            disks[host, ACTIVE] = disks.pop((host, BACKUP))

    def delete(self, instance, host, kinds):
        """Delete disks of a guest, and note if what it wrote last is lost.

        :param instance: nova.objects.Instance
        :param host: str
        :param kinds: ACTIVE, BACKUP, or both.
        """
        disks = self._disks[instance.uuid]
        gone = [disks.pop((host, kind), 0) for kind in kinds]
        if (max(gone) > max(disks.values(), default=0) and
                instance.task_state not in GIVEN_UP and
                not instance.deleted):
            self.wrong[instance.uuid].add('newest-disk-deleted')

    def forget(self, uuid):
        """Forget a server that is gone, as an operator cleans up."""
        self._disks.pop(uuid, None)
        self.wrong.pop(uuid, None)


class RememberingDriver(fake.MediumFakeDriver):
    """Remembers the disks, and fails as libvirt does where one is missing.

    :cvar disks: Disks, of all hosts.
    :ivar generation: int, how often the host was registered anew.
    """

    disks = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.generation = 0

    def get_nodenames_by_uuid(self, refresh=False):
        if not self.generation:
            return super().get_nodenames_by_uuid(refresh)
        return {getattr(uuids, 'node_%s_%d' % (node, self.generation)): node
                for node in self.get_available_nodes()}

    def get_available_resource(self, nodename):
        resources = super().get_available_resource(nodename)
        if self.generation:
            resources['uuid'], = self.get_nodenames_by_uuid()
        return resources

    def get_host_ip_addr(self):
        # What is told to migrate_disk_and_power_off as the destination.
        return self._host

    def running(self):
        """List the guests that run.

        :returns: set of UUIDs.
        """
        return {uuid for uuid, guest in self.instances.items()
                if guest.state == power_state.RUNNING}

    def lose_power(self):
        """Stop all guests without telling Nova, as fencing does."""
        for guest in self.instances.values():
            guest.state = power_state.SHUTDOWN

    def _started(self, instance):
        if self.instances[instance.uuid].state == power_state.RUNNING:
            self.disks.start(instance.uuid, self._host)

    def _off(self, instance):
        if instance.uuid in self.instances:
            self.instances[instance.uuid].state = power_state.SHUTDOWN

    def spawn(self, context, instance, *args, **kwargs):
        super().spawn(context, instance, *args, **kwargs)
        self.disks.create(instance.uuid, self._host)
        self._started(instance)

    def reboot(self, context, instance, *args, **kwargs):
        self._off(instance)
        if (self._host, ACTIVE) not in self.disks.of(instance.uuid):
            raise exception.DiskNotFound(location=instance.uuid)
        super().reboot(context, instance, *args, **kwargs)

    def power_on(self, context, instance, *args, **kwargs):
        super().power_on(context, instance, *args, **kwargs)
        self._started(instance)

    def resume_state_on_host_boot(self, context, instance, network_info,
                                  *args, **kwargs):
        self.power_on(context, instance, network_info)

    def migrate_disk_and_power_off(self, context, instance, dest, *args,
                                   **kwargs):
        super().migrate_disk_and_power_off(
            context, instance, dest, *args, **kwargs)
        self._off(instance)
        self.disks.set_aside(instance.uuid, self._host)
        self.disks.copy(instance.uuid, self._host, BACKUP, dest)

    def confirm_migration(self, context, migration, instance, network_info):
        # As libvirt: it leaves a guest that is where Nova says, and deletes
        # the backup whatever is said. That of Nova's fake driver would
        # delete the active disk.
        self.disks.delete(instance, self._host, [BACKUP])
        if instance.host != self._host:
            self.instances.pop(instance.uuid, None)

    def finish_revert_migration(self, context, instance, *args, **kwargs):
        super().finish_revert_migration(context, instance, *args, **kwargs)
        self.disks.restore(instance.uuid, self._host)
        self._started(instance)

    def destroy(self, context, instance, network_info,
                block_device_info=None, destroy_disks=True, *args, **kwargs):
        super().destroy(context, instance, network_info, block_device_info,
                        destroy_disks, *args, **kwargs)
        if destroy_disks:
            # As libvirt, which deletes one of the two directories.
            there = (self._host, ACTIVE) in self.disks.of(instance.uuid)
            self.disks.delete(
                instance, self._host, [ACTIVE if there else BACKUP])

    def pre_live_migration(self, context, instance, *args, **kwargs):
        if (self._host, ACTIVE) in self.disks.of(instance.uuid):
            raise exception.DestinationDiskExists(path=instance.uuid)
        return super().pre_live_migration(context, instance, *args, **kwargs)

    def live_migration(self, context, instance, dest, *args, **kwargs):
        self.disks.copy(instance.uuid, self._host, ACTIVE, dest)
        super().live_migration(context, instance, dest, *args, **kwargs)

    def post_live_migration(self, context, instance, *args, **kwargs):
        super().post_live_migration(context, instance, *args, **kwargs)
        self.disks.delete(instance, self._host, [ACTIVE])
        self.instances.pop(instance.uuid, None)
