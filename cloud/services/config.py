# SPDX-License-Identifier: Apache-2.0

"""The configuration files of the services, as data."""

import configparser
import json
import pathlib

import _common
from cloud.hosts import libvirt
from cloud.hosts.libvirt import files as of_libvirt
from cloud import layout as layouts
from nova_coldmig.tests.sandbox import paste_ini

DATABASES = ('keystone', 'glance', 'placement', 'neutron', 'nova_api',
             'nova_cell0', 'nova_cell1')
# Older series look for it beside glance-api.conf, whatever that says.
GLANCE_PASTE = 'glance/glance-api-paste.ini'
VHOSTS = ('nova_cell0', 'nova_cell1', 'neutron')


def _auth(layout, user, **more):
    return dict({
        'auth_type': 'password', 'auth_url': layout.url('keystone', '/v3'),
        'username': user, 'password': layout.password,
        'project_name': 'service', 'user_domain_name': 'Default',
        'project_domain_name': 'Default', 'region_name': 'RegionOne'}, **more)


def _service(layout, user, **more):
    """The sections that all services have which check tokens."""
    authtoken = _auth(
        layout, user, www_authenticate_uri=layout.url('keystone', '/v3'),
        service_token_roles='service', service_token_roles_required=True)
    del authtoken['region_name']
    return dict({'keystone_authtoken': authtoken}, **more)


def _rabbit(vhost, layout):
    return {
        'DEFAULT': {'transport_url': layout.transport(vhost)},
        # A queued cast survives the death of the broker.
        'oslo_messaging_rabbit': {'rabbit_quorum_queue': True},
    }


def _database(layout, name):
    return {'connection': layout.database(name), 'max_pool_size': 5,
            'max_overflow': 20}


def _merge(*parts):
    merged = {}
    for part in parts:
        for section, options in part.items():
            merged.setdefault(section, {}).update(options)
    return merged


def _keystone(layout):
    return {
        'database': _database(layout, 'keystone'),
        'token': {'provider': 'fernet', 'expiration': 86400},
        # As few as bcrypt can: each service and each test logs in, and the
        # default keeps a processor busy for a quarter of a second each time.
        'identity': {'password_hash_rounds': 4},
        'fernet_tokens': {'key_repository': layout.data('fernet')},
        'credential': {'key_repository': layout.data('credential')},
        # Without it a token costs a hundred queries each time it is checked.
        # It is in the one process that Keystone is, and holds copies.
        'cache': {'enabled': True, 'backend': 'dogpile.cache.memory_pickle'},
    }


def _placement(layout):
    return _service(layout, 'placement',
                    placement_database=_database(layout, 'placement'),
                    api={'auth_strategy': 'keystone'})


def _glance(layout):
    return _service(
        layout, 'glance',
        DEFAULT={'enabled_backends': 'files:file',
                 'node_staging_uri': layout.data('glance-staging').as_uri()},
        database=_database(layout, 'glance'),
        glance_store={'default_backend': 'files'},
        files={'filesystem_store_datadir': layout.data('images')},
        os_glance_tasks_store={
            'filesystem_store_datadir': layout.data('glance-tasks')},
        os_glance_staging_store={
            'filesystem_store_datadir': layout.data('glance-staging')},
        paste_deploy={
            'flavor': 'keystone',
            'config_file': layout.etc / GLANCE_PASTE})


def _neutron(layout):
    return _merge(_rabbit('neutron', layout), _service(
        layout, 'neutron',
        DEFAULT={
            'core_plugin': 'ml2', 'service_plugins': '',
            'auth_strategy': 'keystone',
            'state_path': layout.data('neutron'),
            'api_paste_config': layout.venv / 'etc/neutron/api-paste.ini',
            # There is no agent, and Nova does not wait for ports.
            'dhcp_agent_notification': False,
            'notify_nova_on_port_status_changes': False,
            'notify_nova_on_port_data_changes': False},
        database=_database(layout, 'neutron'),
        oslo_concurrency={'lock_path': layout.data('neutron')},
        ml2={'mechanism_drivers': 'coldmig_cloud', 'type_drivers': 'local',
             'tenant_network_types': 'local'}))


def _nova(layout, cell, host, state_path):
    """What all nova.conf have."""
    return _merge(_rabbit(cell, layout), _service(
        layout, 'nova',
        DEFAULT={
            'host': host, 'my_ip': '127.0.0.1', 'state_path': state_path,
            # A service that died is seen soon, and one that is slow on a
            # busy machine is not taken for dead.
            'report_interval': 5, 'service_down_time': 30},
        placement=_auth(layout, 'nova'),
        neutron=_auth(layout, 'nova'),
        service_user=_auth(layout, 'nova', send_service_user_token=True),
        glance={'api_servers': layout.url('glance')},
        oslo_concurrency={'lock_path': layout.data('nova-locks')},
        conductor={'workers': 1},
        scheduler={'workers': 1}))


def _controller(layout):
    return _merge(_nova(layout, 'nova_cell0', 'controller',
                        layout.data('nova')), {
        'DEFAULT': {'enabled_apis': 'osapi_compute'},
        'api': {'auth_strategy': 'keystone'},
        'oslo_policy': {'policy_file': layout.etc / 'nova/policy.yaml'},
        'api_database': _database(layout, 'nova_api'),
        'database': _database(layout, 'nova_cell0'),
        'wsgi': {'api_paste_config': layout.etc / 'nova/api-paste.ini'},
    })


def _cell(layout):
    return _merge(_nova(layout, 'nova_cell1', 'cell1', layout.data('cell1')),
                  {'database': _database(layout, 'nova_cell1')})


def _compute(layout, host):
    # No database: everything goes through the cell conductor.
    return _merge(_nova(layout, 'nova_cell1', host, layout.compute(host)), {
        'DEFAULT': {
            'compute_driver': 'coldmig_cloud_virt.CloudDriver',
            'vif_plugging_timeout': 0, 'vif_plugging_is_fatal': False},
        'vnc': {'enabled': False},
        # The conductor of the cell has no API database to ask.
        'workarounds': {'disable_group_policy_check_upcall': True},
    })


def _libvirt(layout, host):
    """The nova.conf of a host with libvirt, as of any but for these.

    The paths are those that the host has, which are its own.
    """
    path = layout.etc / ('nova-%s' % host) / 'nova.conf'
    helper = '%s --config-file %s' % (layout.bin / 'privsep-helper', path)
    storage = layout.storage
    return _merge(_compute(layout, host), {
        'DEFAULT': {
            'my_ip': libvirt.address(host), 'state_path': '/var/lib/nova',
            'instances_path': libvirt.INSTANCES,
            'compute_driver': 'libvirt.LibvirtDriver',
            'default_ephemeral_format': 'ext4',
            # With images_type=raw Nova would turn the disk that arrives into
            # qcow2, and start it as raw.
            'use_cow_images': storage.images == 'qcow2',
            # What a death leaves is looked at, and this would change it, some
            # time in ten minutes: a server whose guest is off to SHUTOFF.
            'sync_power_state_interval': -1,
            # The machine is shared, and its memory is not that of a host.
            'reserved_host_memory_mb': 0},
        'oslo_concurrency': {'lock_path': '/var/lib/nova/lock'},
        'libvirt': {
            'virt_type': 'qemu', 'cpu_mode': 'none', 'inject_partition': -2,
            'images_type': storage.images,
            'remote_filesystem_transport': storage.transport},
        # Without sudo: it is root.
        **{section: {'helper_command': helper} for section in (
            'privsep_osbrick', 'nova_sys_admin', 'vif_plug_ovs_privileged',
            'vif_plug_linux_bridge_privileged')}})


def files(layout):
    """Return the configuration: {path below etc: {section: {option: value}}}.

    :param layout: cloud.layout.Layout
    """
    named = {
        'keystone/keystone.conf': _keystone(layout),
        'placement/placement.conf': _placement(layout),
        'glance/glance-api.conf': _glance(layout),
        'neutron/neutron.conf': _neutron(layout),
        'nova/nova.conf': _controller(layout),
        'nova-beside/nova.conf': _merge(
            _controller(layout), {'DEFAULT': {'host': layouts.BESIDE}}),
        'nova-cell1/nova.conf': _cell(layout),
    }
    for host in layouts.HOSTS:
        named['nova-%s/nova.conf' % host] = _compute(layout, host)
    for host in layout.machines:
        named['nova-%s/nova.conf' % host] = _libvirt(layout, host)
    return named


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _yaml(path, value):
    # JSON is YAML.
    _write(path, json.dumps(value, indent=1) + '\n')


def _sql(layout):
    lines = ['CREATE DATABASE IF NOT EXISTS %s CHARACTER SET utf8mb3;' % name
             for name in DATABASES]
    lines.append("CREATE USER IF NOT EXISTS openstack@'127.0.0.1' "
                 "IDENTIFIED BY '%s';" % layout.password)
    lines += ["GRANT ALL ON %s.* TO openstack@'127.0.0.1';" % name
              for name in DATABASES]
    return '\n'.join(lines) + '\n'


def _rabbit_files(layout):
    home = layout.data('rabbitmq')
    definitions = {
        'users': [{'name': 'openstack', 'password': layout.password,
                   'tags': 'administrator'}],
        'vhosts': [{'name': name} for name in VHOSTS],
        'permissions': [
            {'user': 'openstack', 'vhost': name, 'configure': '.*',
             'write': '.*', 'read': '.*'} for name in VHOSTS],
    }
    _write(home / 'definitions.json', json.dumps(definitions))
    _write(home / 'rabbitmq.conf',
           'listeners.tcp.local = 127.0.0.1:%d\n'
           'load_definitions = %s\n'
           # Nobody else is on this machine's loopback in earnest, and a
           # small disk is no reason to stop.
           'disk_free_limit.absolute = 50MB\n'
           'loopback_users = none\n'
           % (layout.port('rabbitmq'), home / 'definitions.json'))
    _write(home / 'enabled_plugins', '[].\n')
    cookie = home / '.erlang.cookie'
    if not cookie.exists():
        _write(cookie, layout.password)
        cookie.chmod(0o400)


def _plugins(layout):
    """Make the mechanism driver an entry point, without an installation."""
    info = layout.etc / 'plugins' / 'coldmig_cloud-0.dist-info'
    _write(info / 'METADATA',
           'Metadata-Version: 2.1\nName: coldmig-cloud\nVersion: 0\n')
    _write(info / 'entry_points.txt',
           '[neutron.ml2.mechanism_drivers]\n'
           'coldmig_cloud = coldmig_cloud_ml2:BindAllMechanismDriver\n')


def _paste(layout):
    text = (layout.venv / 'etc/nova/api-paste.ini').read_text()
    if layout.settings['coldmig']:
        text = paste_ini.activate(text)
    _write(layout.etc / 'nova/api-paste.ini', text)
    _write(layout.etc / GLANCE_PASTE,
           (layout.venv / 'etc' / GLANCE_PASTE).read_text())


def _policy(layout):
    """Let two roles do a part of what an admin may, as in devstack."""
    rules = '{}\n'
    if layout.settings['coldmig']:
        rules = (_common.ROOT / 'devstack' / 'policy.yaml').read_text()
    _write(layout.etc / 'nova/policy.yaml', rules)


def openrc(layout, user='admin'):
    """Return the environment of a client: {name: value}."""
    return {
        'OS_AUTH_URL': layout.url('keystone', '/v3'),
        'OS_USERNAME': user, 'OS_PASSWORD': layout.password,
        'OS_PROJECT_NAME': user, 'OS_USER_DOMAIN_NAME': 'Default',
        'OS_PROJECT_DOMAIN_NAME': 'Default', 'OS_REGION_NAME': 'RegionOne',
        'OS_IDENTITY_API_VERSION': '3', 'OS_AUTH_TYPE': 'password'}


def exports(layout, user='admin'):
    """Return openrc as lines of a shell."""
    return ''.join('export %s=%s\n' % pair
                   for pair in openrc(layout, user).items())


def _clients(layout):
    clouds = {}
    for user in ('admin', 'demo'):
        _write(layout.state / ('openrc-%s' % user), exports(layout, user))
        clouds[user] = {
            'auth': {
                'auth_url': layout.url('keystone', '/v3'),
                'username': user, 'password': layout.password,
                'project_name': user, 'user_domain_name': 'Default',
                'project_domain_name': 'Default'},
            'region_name': 'RegionOne', 'identity_api_version': 3}
    _yaml(layout.state / 'clouds.yaml', {'clouds': clouds})


def write(layout):
    """Write all files of the cloud.

    :param layout: cloud.layout.Layout
    """
    for name, sections in files(layout).items():
        parser = configparser.RawConfigParser()
        parser.optionxform = str
        parser.read_dict({
            section: {key: str(value) for key, value in options.items()}
            for section, options in sections.items()})
        path = pathlib.Path(layout.etc, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with open(str(path), 'w') as stream:
            parser.write(stream)
    _write(layout.etc / 'mariadb.sql', _sql(layout))
    _rabbit_files(layout)
    _plugins(layout)
    _paste(layout)
    _policy(layout)
    _clients(layout)
    for host in layout.machines:
        of_libvirt.write(layout, host)
