# SPDX-License-Identifier: Apache-2.0

"""The services of the cloud, as a table in the order they are started.

They are stopped in the opposite order, so that a service goes before what it
needs: computes, conductors, scheduler, APIs, broker, database.
"""

import collections
import os
import pathlib

from cloud.hosts.libvirt import services as of_libvirt
from cloud import layout as layouts
from cloud.processes import delay

# name: of the service, and of its log
# argv: a list of str
# env: a dict, in addition to what all have
# port: the name of the port it listens on, or None
# binary: (host, binary) that Nova lists when it is up, or None
# stage: services of one stage are started at once
# timeout: seconds that it has to stop
# ready: a callable that tells whether it is up, where no port and no record of
#   Nova does
Service = collections.namedtuple(
    'Service', 'name argv env port binary stage timeout ready',
    defaults=(None,))

DELAY = 'placement-delay'
RABBIT = '/usr/lib/rabbitmq/bin/rabbitmq-server'
RABBITMQCTL = '/usr/lib/rabbitmq/bin/rabbitmqctl'
# Of hosts with libvirt: what holds them, what joins them, what runs on them.
(INFRASTRUCTURE, IDENTITY, SERVICES, NOVA, MACHINES, WIRES, DAEMONS,
 COMPUTES) = range(8)


def environment(layout):
    """Return the environment that all services have."""
    kept = ('PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH')
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env['PATH'] = '%s:%s' % (layout.bin, env.get('PATH', os.defpath))
    env['HOME'] = str(layout.state)
    env['PYTHONWARNINGS'] = 'ignore'
    env['PYTHONUNBUFFERED'] = '1'
    return env


def _application(layout, module, script):
    """Return the options of uWSGI that name an application.

    :param module: that which newer series have, below the package
    :param script: that which older series have instead
    """
    path = module.replace('.', '/') + '.py'
    if next(layout.venv.glob('lib/python3*/site-packages/' + path), None):
        return ['--module', module + ':application']
    return ['--wsgi-file', str(layout.bin / script)]


# How requests are served at a time. What older series patch with eventlet can
# not be given threads; what caches in memory can not be given processes.
PROCESSES = ('--processes', '2', '--threads', '1')
THREADS = ('--processes', '1', '--threads', '4')


def _uwsgi(layout, name, module, script, workers=PROCESSES, port=None, **env):
    port = port or name
    argv = [str(layout.bin / 'pyuwsgi'),
            '--http-socket', '127.0.0.1:%d' % layout.port(port),
            *_application(layout, module, script), '--master',
            '--enable-threads', *workers,
            # A worker that still loads accepts connections; its default of
            # 4 s resets them on a machine that is busy starting.
            '--socket-timeout', '60',
            # It closes the connection after an answer; clients that are not
            # told send the next request into it.
            '--add-header', 'Connection: close',
            '--lazy-apps', '--need-app', '--no-orphans', '--die-on-term',
            '--buffer-size', '65535', '--disable-logging',
            '--procname-prefix', name + ' ']
    return Service(name, argv, env, port, None, None, 15)


def _mariadb(layout):
    data = layout.data('mariadb')
    argv = ['/usr/sbin/mariadbd', '--no-defaults', '--datadir=%s' % data,
            # Relative: the path of a socket is limited to 107 characters.
            '--socket=mysqld.sock', '--pid-file=mysqld.pid',
            '--bind-address=127.0.0.1', '--port=%d' % layout.port('mariadb'),
            '--init-file=%s' % (layout.etc / 'mariadb.sql'),
            '--skip-name-resolve', '--max-connections=1000',
            '--performance-schema=OFF', '--innodb-buffer-pool-size=128M',
            # Safe against the death of the process, not of the machine.
            '--innodb-flush-log-at-trx-commit=2', '--sync-binlog=0']
    if os.getuid() == 0:
        argv.append('--user=root')
    return Service('mariadb', argv, {}, 'mariadb', None, INFRASTRUCTURE, 30)


def _epmd(layout):
    return Service(
        'epmd', ['epmd', '-address', '127.0.0.1', '-port',
                 str(layout.port('epmd'))],
        {}, 'epmd', None, INFRASTRUCTURE, 10)


def _rabbitmq(layout):
    home = layout.data('rabbitmq')
    env = {
        'HOME': str(home),
        'ERL_EPMD_ADDRESS': '127.0.0.1',
        'ERL_EPMD_PORT': str(layout.port('epmd')),
        'RABBITMQ_NODENAME': 'cloud%d@localhost' % layout.port('rabbitmq'),
        'RABBITMQ_NODE_IP_ADDRESS': '127.0.0.1',
        'RABBITMQ_NODE_PORT': str(layout.port('rabbitmq')),
        'RABBITMQ_DIST_PORT': str(layout.port('distribution')),
        'RABBITMQ_CONFIG_FILE': str(home / 'rabbitmq.conf'),
        'RABBITMQ_CONF_ENV_FILE': str(home / 'rabbitmq-env.conf'),
        'RABBITMQ_ENABLED_PLUGINS_FILE': str(home / 'enabled_plugins'),
        'RABBITMQ_MNESIA_BASE': str(home / 'mnesia'),
        'RABBITMQ_PID_FILE': str(home / 'rabbitmq.pid'),
        'RABBITMQ_LOG_BASE': str(home),
        'RABBITMQ_LOGS': '-',
        # It execs, so that the recorded pid is the broker's.
        'RUNNING_UNDER_SYSTEMD': 'true',
        # Listen on loopback only, and do not spin while idle.
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS':
            '-kernel inet_dist_use_interface {127,0,0,1} '
            '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none',
    }
    return Service('rabbitmq', [RABBIT], env, 'rabbitmq', None,
                   INFRASTRUCTURE, 30)


def _nova(layout, name, argv, directory, host, binary, stage, env=None):
    path = layout.etc / directory / 'nova.conf'
    return Service(name, [str(arg) for arg in argv]
                   + ['--config-file', str(path)],
                   env or {}, None, (host, binary), stage, 45)


def _placement(layout):
    """Return Placement, and what delays its requests if that is wanted."""
    port = 'placement-behind' if layout.placement_delay else 'placement'
    found = [_uwsgi(layout, 'placement', 'placement.wsgi.api',
                    'placement-api', port=port,
                    OS_PLACEMENT_CONFIG_DIR=str(layout.etc / 'placement'))]
    if layout.placement_delay:
        argv = [layout.bin / 'python', pathlib.Path(delay.__file__)]
        argv += [layout.port('placement'), layout.port(port),
                 layout.placement_delay]
        found.append(Service(
            DELAY, [str(arg) for arg in argv], {}, 'placement', None, None,
            5))
    return [service._replace(stage=SERVICES) for service in found]


def table(layout):
    """Return the services of a cloud.

    :param layout: cloud.layout.Layout
    :returns: a list of Service, in the order to start them
    """
    etc = layout.etc
    program = ('nova-coldmig-conductor' if layout.settings['coldmig']
               else 'nova-conductor')

    def conductor(name, directory, host):
        return _nova(layout, name, [layout.of(name).bin / program], directory,
                     host, 'nova-conductor', NOVA)

    plugins = os.pathsep.join((str(etc / 'plugins'), str(layouts.DRIVERS)))
    python = layout.bin / 'python'
    found = [
        _mariadb(layout),
        _epmd(layout),
        _rabbitmq(layout),
        _uwsgi(layout, 'keystone', 'keystone.wsgi.api', 'keystone-wsgi-public',
               THREADS,
               OS_KEYSTONE_CONFIG_DIR=str(etc / 'keystone'),
               )._replace(stage=IDENTITY),
        *_placement(layout),
        _uwsgi(layout, 'glance', 'glance.wsgi.api', 'glance-wsgi-api',
               OS_GLANCE_CONFIG_DIR=str(etc / 'glance'),
               )._replace(stage=SERVICES),
        _uwsgi(layout, 'neutron', 'neutron.wsgi.api', 'neutron-api',
               OS_NEUTRON_CONFIG_DIR=str(etc / 'neutron'),
               OS_NEUTRON_CONFIG_FILES='neutron.conf', PYTHONPATH=plugins,
               )._replace(stage=SERVICES),
        _uwsgi(layout.of('nova-api'), 'nova-api', 'nova.wsgi.osapi_compute',
               'nova-api-wsgi',
               OS_NOVA_CONFIG_DIR=str(etc / 'nova'),
               OS_NOVA_CONFIG_FILES='api-paste.ini;nova.conf',
               )._replace(stage=NOVA),
        _nova(layout, 'scheduler', [layout.bin / 'nova-scheduler'], 'nova',
              'controller', 'nova-scheduler', NOVA),
        _nova(layout, 'cell-conductor', [layout.bin / 'nova-conductor'],
              'nova-cell1', 'cell1', 'nova-conductor', NOVA),
        conductor('super-conductor', 'nova', 'controller'),
    ] + [
        conductor(name, 'nova-beside', layouts.BESIDE)
        for name in layout.runs if name == layouts.BESIDE
    ] + [
        _nova(layout, host,
              [python, layouts.DRIVERS / 'coldmig_cloud_compute.py'],
              'nova-%s' % host, host, 'nova-compute', COMPUTES)
        for host in layouts.HOSTS
    ]
    if layout.machines:
        found += of_libvirt.table(
            layout, Service, (MACHINES, WIRES, DAEMONS)) + [
            _nova(layout, host, of_libvirt.enter(
                layout, host, [layout.bin / 'nova-compute']),
                'nova-%s' % host, host, 'nova-compute', COMPUTES,
                of_libvirt.ENVIRONMENT)
            for host in layout.machines]
    return found
