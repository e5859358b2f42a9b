# SPDX-License-Identifier: Apache-2.0

"""Tests of the hosts with libvirt. None of them makes a namespace."""

import inspect
import os
import re
from unittest import mock

import _common
from cloud import cloud as clouds
from cloud.hosts import libvirt
from cloud.hosts.libvirt import console
from cloud.hosts.libvirt import files
from cloud.hosts.libvirt import machine
from cloud.hosts.libvirt import services as of_libvirt
from cloud import layout as layouts
from cloud.services import config
from cloud.services import services
from cloud.trials import deaths
from cloud.trials import deaths_libvirt
from cloud.trials import guests
import fixtures

from nova_coldmig.tests.unit import cloud
from nova_coldmig.tests.unit import tools

FIRST = '''\
Booting
GUEST-BOOT
GUEST-CONFIG 0a5c
GUEST-EPHEMERAL e1
GUEST-DISK d1 boots=1 count=0
GUEST-PORT fa:16
GUEST-READY b1
GUEST-TICK 1
GUEST-TICK 2
GUEST-TI'''


class ConsoleTest(cloud.base.BaseTestCase):

    def test_a_guest_that_runs(self):
        boot = console.read(FIRST.replace('\n', '\r\n'))
        self.assertEqual(
            (1, 0, 2, True, False, 'b1'),
            (boot.boots, boot.began, boot.count, boot.ready, boot.ended,
             boot.name))
        self.assertEqual(
            {'marker': 'd1', 'fill': None, 'ephemeral': 'e1', 'nvram': None,
             'swap': None, 'config': '0a5c', 'port': 'fa:16'}, boot.lasting())

    def test_the_last_start_counts(self):
        boot = console.read(FIRST + '\nGUEST-END count=3\nGUEST-BOOT\n')
        self.assertEqual((None, None, False), (
            boot.marker, boot.count, boot.ready))

    def test_end(self):
        boot = console.read(FIRST + '\nGUEST-END count=3\n')
        self.assertEqual((True, 3), (boot.ended, boot.count))

    def test_no_disk(self):
        """A guest without its disk is not one that came up."""
        boot = console.read('GUEST-BOOT\nGUEST-NODISK\nGUEST-READY b1\n')
        self.assertFalse(boot.ready)

    def test_nothing(self):
        self.assertIsNone(console.read('SYSLINUX'))


class LibvirtTest(cloud.CloudTest):

    def setUp(self):
        super().setUp()
        self.layout.settings['virt'] = layouts.LIBVIRT
        self.layout.save()


class LayoutTest(LibvirtTest):

    def test_hosts(self):
        self.assertEqual(layouts.HOSTS + libvirt.NAMES, self.layout.hosts)
        self.assertEqual(layouts.HOSTS, self.make().hosts)

    def test_may_be_added(self):
        """To a cloud that was made without, and it stays so."""
        layout = self.make()
        layout.choose(virt=layouts.LIBVIRT)
        layout.choose()
        again = layouts.Layout(layout.state, self.venvs, self.series)
        self.assertEqual(layouts.LIBVIRT, again.virt)

    def test_storage(self):
        self.assertEqual(('qcow2', 'ssh', False), tuple(self.layout.storage))


class ServicesTest(LibvirtTest):

    def setUp(self):
        super().setUp()
        self.table = services.table(self.layout)

    def test_order(self):
        """A host comes before what joins it, and that before its daemons."""
        names = [service.name for service in self.table]
        stages = [service.stage for service in self.table]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual(set(of_libvirt.ALL), set(names))
        order = {name: stage for name, stage in zip(names, stages)}
        for name in libvirt.NAMES:
            self.assertLess(order['neutron'], order[name + '-host'])
            self.assertLess(order[name + '-host'], order['wires'])
            for daemon in of_libvirt.DAEMONS:
                at = order['%s-%s' % (name, daemon)]
                self.assertLess(order['wires'], at)
                self.assertLess(at, order[name])

    def test_fake_hosts_are_as_before(self):
        plain = services.table(self.make())
        self.assertEqual(plain, [service for service in self.table
                                 if service.name not in of_libvirt.ALL])

    def test_nova_compute_is_the_stock_one(self):
        for service in self.table:
            if service.name in libvirt.NAMES:
                self.assertIn(str(self.layout.bin / 'nova-compute'),
                              service.argv)
                self.assertEqual((service.name, 'nova-compute'),
                                 service.binary)

    def test_ports(self):
        """The hosts reach all that nova-compute talks with."""
        wires, = (one for one in self.table if one.name == libvirt.WIRES)
        reached = {int(port) for port in wires.argv[2].split(',')}
        text = str(config.files(self.layout)['nova-libvirt1/nova.conf'])
        used = {int(port) for port in
                re.findall(r'127\.0\.0\.1:(\d+)', text)}
        # What is found in the catalog is in no file.
        catalog = {self.layout.port(name) for name in ('placement', 'neutron')}
        self.assertEqual(reached, used | catalog)

    def test_host_that_was_killed(self):
        """What it has left does not make it look ready, or there."""
        folder = self.layout.machine('libvirt1')
        folder.mkdir(parents=True)
        (folder / 'ready').touch()
        host, = (one for one in self.table if one.name == 'libvirt1-host')
        self.assertFalse(host.ready())
        # The number may be that of a process of this machine now.
        for pid in (os.getpid(), 2 ** 22 + 1):
            (folder / libvirt.RECORD).write_text(str(pid))
            self.assertFalse(host.ready())
            self.assertIsNone(of_libvirt.first(self.layout, 'libvirt1'))

    def test_stop(self):
        """What the hosts leave is removed when all has ended."""
        there = clouds.Cloud(self.layout.state)
        with mock.patch.object(of_libvirt, 'tidy', autospec=True) as tidy:
            there.stop(['libvirt1'])
            self.assertFalse(tidy.called)
            there.stop()
            tidy.assert_called_once_with(there.layout)


class ConfigTest(LibvirtTest):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            files, 'COPIED', {'etc-libvirt': str(self._folder('etc')),
                              'var-lib-libvirt': str(self._folder('var')),
                              'etc-ssh': str(self._folder('ssh'))}))
        (self.folder / 'etc' / 'qemu.conf').write_text('#user = "root"\n')
        self.calls = self.useFixture(fixtures.MockPatchObject(
            files.subprocess, 'check_call', autospec=True,
            side_effect=self._key)).mock

    def _folder(self, name):
        path = self.folder / name
        path.mkdir()
        return path

    def _key(self, argv, **_kwargs):
        if '-C' in argv:
            for suffix in ('', '.pub'):
                (self.layout.state / 'hosts' / ('id_ed25519' + suffix)
                 ).write_text('key' + suffix)

    def test_a_host(self):
        config.write(self.layout)
        for name in libvirt.NAMES:
            read = self.read('nova-%s/nova.conf' % name)
            self.assertEqual(
                [name, 'libvirt.LibvirtDriver', libvirt.address(name)],
                [read['DEFAULT'][option] for option in (
                    'host', 'compute_driver', 'my_ip')])
            self.assertNotIn('database', read)
            # Paths of the host, not of this machine.
            self.assertTrue(read['oslo_concurrency']['lock_path'].startswith(
                '/var/lib/nova'))
            folder = self.layout.machine(name)
            self.assertEqual('key', (
                folder / 'root-ssh' / 'id_ed25519').read_text())
            self.assertIn(libvirt.identity(name), (
                folder / 'etc-libvirt' / 'libvirtd.conf').read_text())

    def test_written_again(self):
        """What a host has changed since stays."""
        config.write(self.layout)
        path = self.layout.machine('libvirt1') / 'etc-libvirt' / 'qemu.conf'
        before = path.read_text()
        self.assertIn('security_driver', before)
        config.write(self.layout)
        self.assertEqual(before, path.read_text())

    def test_storage(self):
        self.layout.settings['storage'] = libvirt.Storage(
            'raw', 'rsync', True)._asdict()
        config.write(self.layout)
        read = self.read('nova-libvirt1/nova.conf')['libvirt']
        self.assertEqual(('raw', 'rsync'), (
            read['images_type'], read['remote_filesystem_transport']))
        marker = self.layout.machine('libvirt1') / 'shared'
        self.assertTrue(marker.exists())
        self.layout.settings['storage'] = {}
        config.write(self.layout)
        self.assertFalse(marker.exists())

    def test_none_on_a_cloud_without(self):
        config.write(self.make())
        self.assertFalse((self.layout.state / 'hosts').exists())


class KeepDisksTest(LibvirtTest):

    def test_restarts(self):
        """What is mounted is so from the start of a host on."""
        there = clouds.Cloud(self.layout.state)
        self.useFixture(fixtures.MockPatchObject(
            clouds.config, 'write', autospec=True))
        with mock.patch.object(there, 'stop', autospec=True) as stop, \
                mock.patch.object(there, 'start', autospec=True) as start:
            for storage, names in (
                    (libvirt.Storage(), None),
                    (libvirt.Storage('raw'), list(libvirt.NAMES)),
                    (libvirt.Storage(shared=True), list(of_libvirt.ALL)),
                    (libvirt.Storage(), list(of_libvirt.ALL))):
                stop.reset_mock()
                there.keep_disks(storage)
                self.assertEqual([] if names is None else [mock.call(names)],
                                 stop.call_args_list)
                if names:
                    start.assert_called_with(names)
                self.assertEqual(storage, there.layout.storage)


class MachineTest(cloud.base.BaseTestCase):

    def setUp(self):
        super().setUp()
        ran = mock.Mock(returncode=0)
        for target, name, value in (
                (machine.platform, 'machine', 'x86_64'),
                (machine.os, 'getuid', 0),
                (machine.kernel, 'controllers', ['cpu'])):
            self.useFixture(fixtures.MockPatchObject(
                target, name, autospec=True, return_value=value))
        self.ran = self.useFixture(fixtures.MockPatchObject(
            machine.subprocess, 'run', autospec=True, return_value=ran)).mock
        self.exists = self.useFixture(fixtures.MockPatchObject(
            machine.pathlib.Path, 'exists', autospec=True,
            return_value=True)).mock
        self.useFixture(fixtures.MockPatchObject(
            machine.pathlib.Path, 'is_dir', autospec=True, return_value=True))

    def test_fine(self):
        machine.check()

    def refused(self):
        return self.assertRaises(_common.CannotRun, machine.check).reason

    def test_not_root(self):
        machine.os.getuid.return_value = 1000
        self.assertIn('root', self.refused())

    def test_another_processor(self):
        machine.platform.machine.return_value = 'aarch64'
        self.assertIn('aarch64', self.refused())

    def test_control_groups_of_another_version(self):
        machine.kernel.controllers.return_value = []
        self.assertIn('version 1', self.refused())

    def test_no_devices(self):
        self.exists.return_value = False
        self.assertIn('/dev/net/tun', self.refused())

    def test_no_namespaces(self):
        self.ran.return_value = mock.Mock(
            returncode=1, stderr='unshare: Operation not permitted\n')
        self.assertIn('Operation not permitted', self.refused())

    def test_bindep(self):
        named = set(re.findall(
            r'^([a-z][\w.+-]*)', (tools.ROOT / 'bindep.txt').read_text(),
            re.M))
        self.assertLessEqual(set(machine.PACKAGES.values()), named)


class IsLostTest(cloud.base.BaseTestCase):
    """A guest without the newest of its data is told from one with it."""

    def test_told(self):
        for counts, began, lost in (
                ({'a': 5}, 5, False), ({'a': 5}, 4, True),
                # It runs on.
                ({'b': 9}, 0, False),
                # What one wrote on another host, beside the first.
                ({'a': 5, 'c': 8}, 5, True), ({'a': 5, 'b': 9}, 5, False),
                ({}, 0, False)):
            boot = console.read(
                'GUEST-BOOT\nGUEST-DISK d boots=2 count=%d\n'
                'GUEST-READY b\n' % began)
            self.assertIs(lost, deaths_libvirt.is_lost(counts, boot), counts)


class TablesTest(cloud.base.BaseTestCase):
    """What the tables name is there."""

    def test_guests(self):
        table = guests.Table()
        rows = table.rows()
        self.assertEqual(len(rows), len(set(rows)))
        self.assertLessEqual(set(table.short), set(rows))
        self.assertEqual(5, len(table.short))

    def test_steps(self):
        for cases, scene in (
                (deaths.read(), deaths.scenes.Scene),
                (deaths.read(deaths_libvirt.TABLE),
                 deaths_libvirt.LibvirtScene)):
            for case in cases:
                for line in '\n'.join(filter(None, (
                        case.steps, case.then))).strip().splitlines():
                    verb, *arguments = line.split()
                    method = getattr(scene, verb)
                    inspect.signature(method).bind(None, *arguments)
                    if verb == 'until':
                        self.assertTrue(hasattr(scene, '_is_' + arguments[0]),
                                        line)

    def test_left(self):
        """Each case says all that is left."""
        for case in deaths.read(deaths_libvirt.TABLE):
            self.assertIsNotNone(case.left, case.name)
            self.assertEqual(2, len(case.ends), case.name)
            self.assertEqual(bool(case.found), bool(case.repair), case.name)
            for host in libvirt.NAMES:
                self.assertIn('on.' + host, case.own, case.name)

    def test_at_least(self):
        self.assertLessEqual(25, len(deaths.read(deaths_libvirt.TABLE)))
