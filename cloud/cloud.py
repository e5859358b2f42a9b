# SPDX-License-Identifier: Apache-2.0

"""A cloud: what `up`, `down` and the others do. Tests may use it too."""

import concurrent.futures
import datetime
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import _common
from cloud.hosts.libvirt import services as of_libvirt
from cloud import layout as layouts
from cloud.processes import process
from cloud.services import bootstrap
from cloud.services import config
from cloud.services import rest
from cloud.services import services

READY_TIMEOUT = 180


class Failed(Exception):
    """A service or a command failed; the message names its log."""


def tail(path, lines=12):
    """Return the last lines of a log."""
    if not path.exists():
        return ''
    return '\n'.join(path.read_text(errors='replace').splitlines()[-lines:])


class Cloud:
    """The cloud in a state folder.

    :param state: path of the folder
    :param series: the OpenStack series, where none is chosen yet
    """

    def __init__(self, state=None, series=_common.NEWEST):
        state = pathlib.Path(state or _common.CACHE / 'cloud' / series)
        self.layout = layouts.Layout(
            state.resolve(), _common.CACHE / 'cloud' / 'venvs', series)

    @property
    def services(self):
        """The table of services, in the order to start them."""
        return (services.table(self.layout) if self.layout.settings else [])

    def service(self, name):
        """Return the Process of a service: pid, state, kill, signal, stop."""
        return process.Process(
            name, self.layout.run / (name + '.json'),
            self.layout.logs / (name + '.log'))

    def run(self, name, argv, env=None):
        """Run a command to its end, its output in a log.

        :raises Failed: if it fails
        """
        log_path = self.layout.logs / (name + '.log')
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(str(log_path), 'ab') as log:
            code = subprocess.call(
                [str(arg) for arg in argv], stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
                cwd=str(self.layout.state),
                env=dict(services.environment(self.layout), **(env or {})))
        if code:
            raise Failed('%s failed, see %s:\n%s' % (
                name, log_path, tail(log_path)))

    def lose_messages(self, host):
        """Lose what waits for a nova-compute in the message broker.

        :param host: str, of one that does not run
        :raises Failed: if the broker does not
        """
        rabbitmq, = (service for service in self.services
                     if service.name == 'rabbitmq')
        self.run('rabbitmqctl', [
            services.RABBITMQCTL, '--vhost', 'nova_cell1', 'purge_queue',
            'compute.' + host], rabbitmq.env)

    def _start(self, service):
        running = self.service(service.name)
        # What serves another that was started anew may not serve that one.
        if running.pid and (not service.ready or service.ready()):
            return None
        running.kill()
        if service.name == 'epmd' and not shutil.which('epmd'):
            raise Failed('epmd is not installed')
        started = datetime.datetime.now(datetime.timezone.utc)
        cwd = (self.layout.data('mariadb') if service.name == 'mariadb'
               else self.layout.state)
        running.start(service.argv, dict(
            services.environment(self.layout), **service.env), cwd)
        return started

    def _ready(self, service, started):
        if service.ready:
            return service.ready()
        if service.port:
            url_port = self.layout.port(service.port)
            try:
                socket.create_connection(('127.0.0.1', url_port), 1).close()
            except OSError:
                return False
            if service.stage in (services.IDENTITY, services.SERVICES,
                                 services.NOVA):
                return rest.answers(self.layout.url(service.port, '/'))
            return True
        listed = self.client().get(
            'nova-api', '/v2.1/os-services?binary=%s&host=%s' % (
                service.binary[1], service.binary[0]))['services']
        # Nova's times have no fraction and no zone: they are UTC.
        return any(one['state'] == 'up' and one['updated_at'] and
                   datetime.datetime.fromisoformat(one['updated_at']).replace(
                       tzinfo=datetime.timezone.utc) >= started
                   for one in listed)

    def client(self):
        """Return a client of the cloud's APIs, as admin."""
        return rest.Client(self.layout)

    def _wait(self, waiting):
        deadline = time.monotonic() + READY_TIMEOUT
        while waiting:
            for service, started in list(waiting):
                if not self.service(service.name).pid:
                    log = self.service(service.name).log
                    raise Failed('%s ended, see %s:\n%s' % (
                        service.name, log, tail(log)))
                try:
                    ready = self._ready(service, started)
                except rest.Error:
                    ready = False
                if ready:
                    waiting.remove((service, started))
                    print('  %-16s up' % service.name, flush=True)
            if time.monotonic() > deadline:
                raise Failed('Not ready after %d s: %s' % (
                    READY_TIMEOUT, ', '.join(
                        '%s (see %s)' % (s.name, self.service(s.name).log)
                        for s, _ in waiting)))
            time.sleep(0.3)

    def start(self, names=None):
        """Start what is missing, stage by stage, and wait until it is up."""
        for stage in range(services.COMPUTES + 1):
            waiting = []
            for service in self.services:
                if (service.stage == stage
                        and (names is None or service.name in names)):
                    started = self._start(service)
                    if started:
                        waiting.append((service, started))
            # Seconds are what Nova keeps of times.
            self._wait([(s, t.replace(microsecond=0)) for s, t in waiting])
            if names is None:
                bootstrap.after(self, stage)

    def up(self, base_port=None, coldmig=True, virt=None):
        """Make the cloud if needed, and start what does not run."""
        self.layout.choose(base_port, coldmig, virt)
        config.write(self.layout)
        bootstrap.before(self)
        self.start()

    def stop(self, names=None):
        """Stop services, in the opposite order of the table.

        Those of one stage need nothing of each other and are stopped at
        once, but for the broker, which needs epmd until its end.
        """
        def stop(service):
            running = self.service(service.name)
            if running.recorded and (names is None or service.name in names):
                graceful = running.stop(service.timeout)
                print('  %-16s %s' % (
                    service.name, 'stopped' if graceful else 'killed'),
                    flush=True)

        for stage in range(services.COMPUTES, -1, -1):
            found = [service for service in reversed(self.services)
                     if service.stage == stage]
            at_once = (len(found) or 1
                       if stage != services.INFRASTRUCTURE else 1)
            with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
                # list() raises what was raised.
                list(pool.map(stop, found))
        if names is None and self.layout.machines:
            of_libvirt.tidy(self.layout)

    def _keep(self, **settings):
        self.layout.settings.update(settings)
        self.layout.save()

    def run_from(self, environment, names):
        """Have services run the package of an environment, from now on.

        :param environment: str, layout.TREE or layout.RELEASE
        :param names: list of str; layout.BESIDE is started beside the others
        """
        self.stop(names)
        self._keep(runs=dict(
            self.layout.runs, **dict.fromkeys(names, environment)))
        self.start(names)

    def end_beside(self):
        """Stop the second super conductor, and have Nova forget it."""
        self.stop([layouts.BESIDE])
        self._keep(runs={name: environment for name, environment
                         in self.layout.runs.items()
                         if name != layouts.BESIDE})
        client, path = self.client(), '/v2.1/os-services'
        # Their numbers are those of a cell each, their UUIDs of all.
        version = {'OpenStack_API_Version': 'compute 2.53'}
        for service in client.request(
                'GET', 'nova-api', '%s?host=%s' % (path, layouts.BESIDE),
                **version)['services']:
            client.request('DELETE', 'nova-api', '%s/%s' % (
                path, service['id']), **version)

    def keep_disks(self, storage):
        """Have the hosts with libvirt keep disks in a way, from now on.

        They must have no server.

        :param storage: cloud.hosts.libvirt.Storage
        """
        if storage == self.layout.storage:
            return
        names = list(of_libvirt.NAMES)
        if storage.shared != self.layout.storage.shared:
            # What is mounted is so when a host begins.
            names = list(of_libvirt.ALL)
        self.stop(names)
        self._keep(storage=storage._asdict())
        config.write(self.layout)
        self.start(names)

    def delay(self, milliseconds):
        """Have each request to Placement wait, from now on.

        :param milliseconds: int, 0 for none
        """
        names = ['placement', services.DELAY]
        self.stop(names)
        self._keep(placement_delay=milliseconds)
        self.start(names)

    def kill(self, name, number=signal.SIGKILL):
        """Send a signal to a service and all its processes."""
        if number == signal.SIGKILL:
            self.service(name).kill()
        else:
            self.service(name).signal(number)

    def _point(self, kind, host, step):
        path = self.layout.state / kind / host / step
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def pause(self, host, step):
        """Hold a step of the driver of a host until `resume`."""
        self._point('reached', host, step).unlink(missing_ok=True)
        self._point('pause', host, step).touch()

    def resume(self, host, step):
        self._point('pause', host, step).unlink(missing_ok=True)

    def wait_reached(self, host, step, timeout=60):
        """Wait until a paused step is reached.

        :raises Failed: if that does not happen within timeout seconds
        """
        deadline = time.monotonic() + timeout
        while not self._point('reached', host, step).exists():
            if time.monotonic() > deadline:
                raise Failed('%s was not reached on %s' % (step, host))
            time.sleep(0.05)

    def fail(self, host, step, reason='a test wants it'):
        """Make a step of the driver of a host raise until `mend`."""
        self._point('fail', host, step).write_text(reason)

    def mend(self, host, step):
        self._point('fail', host, step).unlink(missing_ok=True)

    def need(self, virt):
        """See that there are hosts of a kind.

        :param virt: str, layout.FAKE or layout.LIBVIRT
        :raises Failed: if there are none, with what to do
        """
        if virt not in (layouts.FAKE, self.layout.virt):
            raise Failed('The cloud has no hosts with %s: tools/cloud up '
                         '--virt %s adds them.' % (virt, virt))

    def check(self):
        """Return the output of nova-coldmig-status upgrade check."""
        return subprocess.run(
            [str(self.layout.bin / 'nova-coldmig-status'), '--config-file',
             str(self.layout.etc / 'nova/nova.conf'), 'upgrade', 'check'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True,
            env=services.environment(self.layout), cwd=os.sep)
