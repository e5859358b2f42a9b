# SPDX-License-Identifier: Apache-2.0

"""A pretended hypervisor whose guests survive a restart of nova-compute.

It is Nova's fake driver, plus a file with the guests, as if they ran on, and
points at which a test can hold it or make it fail:

``STATE/pause/HOST/STEP``
    while this file exists, at most PAUSE_LIMIT seconds, the step waits before
    it does anything. ``STATE/reached/HOST/STEP`` appears when it begins to
    wait.
``STATE/fail/HOST/STEP``
    while this file exists the step raises; its text is the message.

STEP is one of STEPS. STATE is the parent of the parent of ``state_path``.
"""

import functools
import json
import os
import pathlib
import threading
import time

from oslo_log import log as logging

from nova.compute import power_state
import nova.conf
from nova import exception
from nova.virt import fake

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

PAUSE_LIMIT = 900

STEPS = (
    'spawn', 'destroy', 'power_on', 'power_off', 'reboot', 'unrescue',
    'attach_interface', 'detach_interface', 'migrate_disk_and_power_off',
    'finish_migration', 'confirm_migration', 'finish_revert_migration',
)


class StepFailed(exception.NovaException):
    msg_fmt = "%(step)s was told to fail: %(reason)s"


class CloudDriver(fake.FakeDriverWithoutFakeNodes):
    """One node, with guests and resources kept in ``state_path``."""

    vcpus = 32
    memory_mb = 65536
    local_gb = 1000

    def init_host(self, host):
        super().init_host(host)
        self._saving = threading.Lock()
        self._file = pathlib.Path(CONF.state_path, 'guests.json')
        self._points = pathlib.Path(CONF.state_path).parent.parent
        if self._file.exists():
            saved = json.loads(self._file.read_text())
            self.resources.claim(*saved['used'])
            self._interfaces = dict.fromkeys(saved['interfaces'])
            for uuid, (name, state) in saved['guests'].items():
                self.instances[uuid] = fake.FakeInstance(name, state, uuid)
            LOG.info('Found %d guests', len(self.instances))

    def save(self):
        """Write the guests down, in one step as a crash may come.

        Steps of several servers may end at once, as when a test resumes them.
        """
        with self._saving:
            used = self.resources.dump()
            partial = self._file.with_suffix('.new')
            # Copies: other threads may add or remove guests meanwhile.
            partial.write_text(json.dumps({
                'used': [used['vcpus_used'], used['memory_mb_used'],
                         used['local_gb_used']],
                'interfaces': list(self._interfaces),
                'guests': {
                    uuid: (guest.name, guest.state)
                    for uuid, guest in list(self.instances.items())}}))
            os.replace(str(partial), str(self._file))

    def reach(self, step):
        """Wait or fail at a step, if a test wants that.

        :raises StepFailed: if there is a file that says so
        """
        pause = self._points / 'pause' / self._host / step
        if pause.exists():
            reached = self._points / 'reached' / self._host / step
            reached.parent.mkdir(parents=True, exist_ok=True)
            reached.write_text(str(os.getpid()))
            deadline = time.monotonic() + PAUSE_LIMIT
            while pause.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
        fail = self._points / 'fail' / self._host / step
        if fail.exists():
            raise StepFailed(step=step, reason=fail.read_text().strip())

    def migrate_disk_and_power_off(self, context, instance, *args, **kwargs):
        disk_info = super().migrate_disk_and_power_off(
            context, instance, *args, **kwargs)
        # The fake driver leaves the guest running.
        self.instances[instance.uuid].state = power_state.SHUTDOWN
        return disk_info


def _step(name):
    method = getattr(CloudDriver, name)

    @functools.wraps(method)
    def step(self, *args, **kwargs):
        self.reach(name)
        try:
            return method(self, *args, **kwargs)
        finally:
            self.save()
    return step


for _name in STEPS:
    setattr(CloudDriver, _name, _step(_name))
