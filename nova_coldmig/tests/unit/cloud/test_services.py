# SPDX-License-Identifier: Apache-2.0

from cloud import layout as layouts
from cloud.services import services

from nova_coldmig.tests.unit import cloud


class ServicesTest(cloud.CloudTest):

    def setUp(self):
        super().setUp()
        self.table = services.table(self.layout)

    def named(self, name, table=None):
        found, = [service for service in table or self.table
                  if service.name == name]
        return found

    def test_order(self):
        stages = [service.stage for service in self.table]
        self.assertEqual(sorted(stages), stages)
        names = [service.name for service in self.table]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual('mariadb', names[0])
        self.assertEqual(list(layouts.HOSTS), names[-3:])
        # A broker registers with epmd, and takes its leave there.
        self.assertLess(names.index('epmd'), names.index('rabbitmq'))

    def test_each_port_has_a_service(self):
        self.layout.settings['placement_delay'] = 50
        for table, idle in (
                (self.table, {'distribution', 'placement-behind'}),
                (services.table(self.layout), {'distribution'})):
            self.assertEqual(set(layouts.PORTS) - idle,
                             {service.port for service in table} - {None})

    def test_delay(self):
        """It is where clients look for Placement, and knows where that is."""
        self.layout.settings['placement_delay'] = 50
        table = services.table(self.layout)
        placement = self.named('placement', table)
        delay = self.named(services.DELAY, table)
        self.assertEqual(placement.stage, delay.stage)
        ports = [str(self.layout.port(name))
                 for name in ('placement', 'placement-behind')]
        self.assertEqual(ports + ['50'], delay.argv[-3:])
        self.assertIn('127.0.0.1:' + ports[1], placement.argv)

    def test_loopback(self):
        for service in self.table:
            if service.port:
                given = service.argv + list(service.env.values())
                self.assertTrue(any('127.0.0.1' in value for value in given),
                                service.name)

    def test_conductors(self):
        """The super conductor is replaced, as README.rst says, no other."""
        for name, program in (
                ('super-conductor', 'nova-coldmig-conductor'),
                ('cell-conductor', 'nova-conductor'),
                ('scheduler', 'nova-scheduler')):
            self.assertEqual(str(self.layout.bin / program),
                             self.named(name).argv[0])

    def test_plain_conductors(self):
        table = services.table(self.make(coldmig=False))
        self.assertEqual(str(self.layout.bin / 'nova-conductor'),
                         self.named('super-conductor', table).argv[0])

    def test_release(self):
        """What runs a release of the package, and what the source tree."""
        self.layout.settings['runs'] = {
            'nova-api': layouts.RELEASE, 'super-conductor': layouts.TREE,
            layouts.BESIDE: layouts.RELEASE}
        table = services.table(self.layout)
        for name, path in (('nova-api', self.layout.release / 'bin'),
                           ('super-conductor', self.layout.bin),
                           (layouts.BESIDE, self.layout.release / 'bin'),
                           ('cell-conductor', self.layout.bin)):
            self.assertTrue(
                self.named(name, table).argv[0].startswith(str(path) + '/'),
                name)
        # Nova lists it apart, as it says that it is on another host.
        self.assertEqual((layouts.BESIDE, 'nova-conductor'),
                         self.named(layouts.BESIDE, table).binary)

    def test_applications(self):
        """A module where the series has one, else the script."""
        argv = self.named('nova-api').argv
        self.assertEqual(str(self.layout.bin / 'nova-api-wsgi'),
                         argv[argv.index('--wsgi-file') + 1])
        module = (self.layout.venv / 'lib/python3.13/site-packages'
                  / 'nova/wsgi/osapi_compute.py')
        module.parent.mkdir(parents=True)
        module.touch()
        argv = self.named('nova-api', services.table(self.layout)).argv
        self.assertNotIn('--wsgi-file', argv)
        self.assertEqual('nova.wsgi.osapi_compute:application',
                         argv[argv.index('--module') + 1])

    def test_environment(self):
        self.useFixture(
            cloud.fixtures.EnvironmentVariable('OS_TOKEN', 'mine'))
        env = services.environment(self.layout)
        self.assertNotIn('OS_TOKEN', env)
        self.assertTrue(env['PATH'].startswith(str(self.layout.bin)))
