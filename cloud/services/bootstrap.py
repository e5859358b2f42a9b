# SPDX-License-Identifier: Apache-2.0

"""What is done once, when a cloud is first started.

Each step is noted in the settings when it is done, so that `up` goes on where
it was interrupted. Each may be repeated.
"""

import concurrent.futures
import os

from cloud.hosts.libvirt import guest
from cloud import layout as layouts
from cloud.services import services

ROLES = ('manager', 'member', 'reader', 'service',
         layouts.FORCE_ROLE, layouts.HOST_ROLE)
USERS = ('nova', 'placement', 'glance', 'neutron')
CATALOG = (('image', 'glance', '/'), ('network', 'neutron', '/'),
           ('placement', 'placement', '/'), ('compute', 'nova-api', '/v2.1'))
# Name, VCPUs, MiB of memory, GiB of disk.
FLAVORS = (('m1.tiny', 1, 64, 1), ('m1.small', 1, 128, 2),
           ('m1.medium', 2, 256, 4))
NETWORK = 'fixed'


def _once(cloud, step, function):
    done = cloud.layout.settings['done']
    if step not in done:
        print('  %s' % step, flush=True)
        function(cloud)
        done.append(step)
        cloud.layout.save()


def _install_database(cloud):
    argv = ['mariadb-install-db', '--no-defaults', '--skip-test-db',
            '--auth-root-authentication-method=normal',
            '--datadir=%s' % cloud.layout.data('mariadb')]
    if os.getuid() == 0:
        argv.append('--user=root')
    cloud.run('mariadb-install-db', argv)


def _schemas(cloud):
    etc, path = cloud.layout.etc, cloud.layout.bin
    nova = [path / 'nova-manage', '--config-file', etc / 'nova/nova.conf']

    def of_nova():
        cloud.run('nova-manage', nova + ['api_db', 'sync'])
        cloud.run('nova-manage', nova + [
            'cell_v2', 'map_cell0', '--database_connection',
            cloud.layout.database('nova_cell0')])
        cloud.run('nova-manage', nova + ['db', 'sync', '--local_cell'])

    def of_cell1():
        cloud.run('nova-manage-cell1', [
            path / 'nova-manage', '--config-file',
            etc / 'nova-cell1/nova.conf', 'db', 'sync', '--local_cell'])

    def of_keystone():
        keystone = [path / 'keystone-manage', '--config-file',
                    etc / 'keystone/keystone.conf']
        ids = ['--keystone-user', str(os.getuid()),
               '--keystone-group', str(os.getgid())]
        cloud.run('keystone-manage', keystone + ['db_sync'])
        cloud.run('keystone-manage', keystone + ['fernet_setup'] + ids)
        cloud.run('keystone-manage', keystone + ['credential_setup'] + ids)
        url = cloud.layout.url('keystone', '/v3')
        cloud.run('keystone-manage', keystone + [
            'bootstrap', '--bootstrap-password', cloud.layout.password,
            '--bootstrap-region-id', 'RegionOne',
            '--bootstrap-public-url', url, '--bootstrap-internal-url', url,
            '--bootstrap-admin-url', url])

    def of_others():
        cloud.run('placement-manage', [
            path / 'placement-manage', '--config-file',
            etc / 'placement/placement.conf', 'db', 'sync'])
        cloud.run('glance-manage', [
            path / 'glance-manage', '--config-file',
            etc / 'glance/glance-api.conf', 'db_sync'])

    def of_neutron():
        cloud.run('neutron-db-manage', [
            path / 'neutron-db-manage', '--config-file',
            etc / 'neutron/neutron.conf', 'upgrade', 'heads'])

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for future in [pool.submit(function) for function in (
                of_neutron, of_nova, of_cell1, of_keystone, of_others)]:
            future.result()
    cells = [path / 'nova-manage', '--config-file', etc / 'nova/nova.conf',
             'cell_v2']
    cloud.run('nova-manage', cells + [
        'create_cell', '--name', 'cell1',
        '--database_connection', cloud.layout.database('nova_cell1'),
        '--transport-url', cloud.layout.transport('nova_cell1')])


def _ensure(client, service, path, kind, body, key='name', found=None):
    """Return what has this name, made if it is not there."""
    for one in client.get(service, found or path)[kind + 's']:
        if one[key] == body[key]:
            return one
    return client.post(service, path, {kind: body})[kind]


def _identity(cloud):
    client, password = cloud.client(), cloud.layout.password
    roles = {name: _ensure(client, 'keystone', '/v3/roles', 'role',
                           {'name': name})['id'] for name in ROLES}
    roles['admin'] = _ensure(client, 'keystone', '/v3/roles', 'role',
                             {'name': 'admin'})['id']
    projects = {name: _ensure(
        client, 'keystone', '/v3/projects', 'project',
        {'name': name, 'domain_id': 'default'})['id']
        for name in ('service', 'demo')}
    for name, project, granted in [
            (name, 'service', ('admin', 'service')) for name in USERS
            ] + [('demo', 'demo', ('member',))]:
        user = _ensure(client, 'keystone', '/v3/users', 'user', {
            'name': name, 'domain_id': 'default', 'password': password})
        for role in granted:
            client.request('PUT', 'keystone',
                           '/v3/projects/%s/users/%s/roles/%s' % (
                               projects[project], user['id'], roles[role]))
    endpoints = {one['service_id'] for one in client.get(
        'keystone', '/v3/endpoints')['endpoints']}
    for kind, name, path in CATALOG:
        service = _ensure(client, 'keystone', '/v3/services', 'service',
                          {'name': name, 'type': kind})
        if service['id'] not in endpoints:
            client.post('keystone', '/v3/endpoints', {'endpoint': {
                'service_id': service['id'], 'interface': 'public',
                'region_id': 'RegionOne',
                'url': cloud.layout.url(name, path)}})
            for interface in ('internal', 'admin'):
                client.post('keystone', '/v3/endpoints', {'endpoint': {
                    'service_id': service['id'], 'interface': interface,
                    'region_id': 'RegionOne',
                    'url': cloud.layout.url(name, path)}})


def _image(client, name, disk_format, content, **properties):
    listed = client.get('glance', '/v2/images?name=' + name)['images']
    image = listed[0] if listed else client.post('glance', '/v2/images', dict(
        properties, name=name, disk_format=disk_format,
        container_format='bare', visibility='public'))
    if image['status'] == 'queued':
        client.request('PUT', 'glance', '/v2/images/%s/file' % image['id'],
                       content, Content_Type='application/octet-stream')


def _resources(cloud):
    client = cloud.client()
    for name in ('tiny', 'tiny-alt'):
        _image(client, name, 'raw', bytes(1 << 20))
    network = _ensure(client, 'neutron', '/v2.0/networks', 'network',
                      {'name': NETWORK, 'shared': True})
    _ensure(client, 'neutron', '/v2.0/subnets', 'subnet', {
        'name': NETWORK, 'network_id': network['id'], 'ip_version': 4,
        'cidr': '10.0.0.0/20', 'gateway_ip': None, 'enable_dhcp': False})
    for name, vcpus, memory, disk in FLAVORS:
        _ensure(client, 'nova-api', '/v2.1/flavors', 'flavor', {
            'name': name, 'vcpus': vcpus, 'ram': memory, 'disk': disk})


def _guests(cloud):
    client, content = cloud.client(), guest.build().read_bytes()
    for name, properties in guest.IMAGES.items():
        _image(client, name, 'qcow2', content, **properties)
    for name, flavor in guest.FLAVORS.items():
        _ensure(client, 'nova-api', '/v2.1/flavors', 'flavor',
                dict(flavor, name=name))


def before(cloud):
    """What is done before any service is started."""
    _once(cloud, 'database files', _install_database)


def after(cloud, stage):
    """What is done when the services of a stage are up."""
    if stage == services.INFRASTRUCTURE:
        _once(cloud, 'schemas', _schemas)
    elif stage == services.IDENTITY:
        _once(cloud, 'users and endpoints', _identity)
    elif stage == services.COMPUTES:
        listed = cloud.client().get('nova-api', '/v2.1/os-hypervisors')
        if len(listed['hypervisors']) < len(cloud.layout.hosts):
            cloud.run('nova-manage', [
                cloud.layout.bin / 'nova-manage', '--config-file',
                cloud.layout.etc / 'nova/nova.conf', 'cell_v2',
                'discover_hosts'])
        _once(cloud, 'image, network and flavors', _resources)
        if cloud.layout.machines:
            _once(cloud, 'image and flavors of real guests', _guests)
