# SPDX-License-Identifier: Apache-2.0

"""Servers with persistent memory."""

from nova.tests.functional.libvirt import test_vpmem

from nova_coldmig.tests.functional.libvirt import base


class VpmemTest(base.LibvirtMixin, base.without_tests(
        test_vpmem.VPMEMResizeTests)):

    def setUp(self):
        super().setUp()
        for host in ('host1', 'host2'):
            self._start_compute_service(host)
        self.resources = {
            'VCPU': 2, 'MEMORY_MB': 2048, 'DISK_GB': 20,
            'CUSTOM_PMEM_NAMESPACE_4GB': 1,
            'CUSTOM_PMEM_NAMESPACE_SMALL': 1}

    def _boot(self, host, flavor):
        server = self._create_server(flavor, host, 'ACTIVE')
        self.scheduler_calls.clear()
        return server

    def test_moves(self):
        server = self._boot('host1', self.flavor2)
        self.force(server, 'host2')
        self.assertMoved(server, 'host1', 'host2')
        self.confirm(server)

    def test_none_left(self):
        server = self._boot('host1', self.flavor2)
        self._boot('host2', self.flavor2)
        self.assertRefused(server, 'it is full or lacks a device')
