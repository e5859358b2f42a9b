# SPDX-License-Identifier: Apache-2.0

"""What can be done to the services of a cloud while it does something.

A neighbour of the process under test is held, so that the process waits at a
known point; then it is killed. Nothing of Nova is patched.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time

from cloud import world as worlds

ACTIONS = {
    'confirm': {'confirmResize': None},
    'revert': {'revertResize': None},
}


class Lock:
    """A lock on a table of MariaDB, held by a session of its own.

    :param layout: cloud.layout.Layout
    :param table: str, database.table
    :param kind: str, READ lets others read, WRITE lets them do nothing
    """

    def __init__(self, layout, table, kind):
        self._session = subprocess.Popen(
            worlds.client_of_mariadb(layout),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, MYSQL_PWD=layout.password), text=True)
        self._ask('LOCK TABLES %s %s' % (table, kind))

    def _ask(self, statement):
        self._session.stdin.write("%s; SELECT 'done';\n" % statement)
        self._session.stdin.flush()
        lines = []
        for line in self._session.stdout:
            if line == 'done\n':
                return lines
            lines.append(line)
        raise worlds.Wrong('MariaDB: %s failed' % statement)

    def is_waited_for(self):
        """Tell whether another session waits for the lock."""
        return any('metadata lock' in line for line in
                   self._ask('SHOW FULL PROCESSLIST'))

    def release(self):
        with contextlib.suppress(BrokenPipeError):
            self._session.stdin.close()
        self._session.wait()
        self._session.stdout.close()


class Scene:
    """One server, one request, and what happens meanwhile.

    Each method whose name is a verb of the table is a step of it.

    :param world: cloud.world.World
    :param kind: str, of the migration: forced, checked or plain
    """

    def __init__(self, world, kind):
        self.world = world
        self.cloud = world.cloud
        self.kind = kind
        self.asked = self.lock = None
        self.answers = []
        self.paused = set()

    def begin(self, ports):
        """Create the server.

        :param ports: bool, whether it has a port
        """
        self.server = self.world.boot(ports=ports)
        if self.kind == 'plain':
            # So that there is just one host to choose.
            self._set_status_of_others('disabled')

    def run(self, steps):
        """Run the steps of a case.

        :param steps: str, one a line: a verb and its arguments
        """
        for line in steps.strip().splitlines():
            verb, *arguments = line.split()
            getattr(self, verb)(*arguments)

    def tidy(self):
        """Leave no trace in the cloud, whatever was done."""
        if self.lock:
            self.unlock()
        for host, step in list(self.paused):
            self.resume(host, step)
        for service in self.cloud.services:
            self.thaw(service.name)
            for host in self.world.names:
                self.cloud.mend(host, 'migrate_disk_and_power_off')
        self.cloud.start()
        if self.kind == 'plain':
            self._set_status_of_others('enabled')
        if self.asked:
            self.asked.join()
        self.world.wipe()

    def _set_status_of_others(self, status):
        for host in self.cloud.layout.hosts:
            if host not in (self.world.source, self.world.destination):
                self.world.set_status(host, status)

    def freeze(self, *names):
        for name in names:
            self.cloud.kill(name, signal.SIGSTOP)

    def thaw(self, *names):
        for name in names:
            self.cloud.kill(name, signal.SIGCONT)

    def kill(self, *names):
        if names == ('everything',):
            names = [service.name for service in reversed(
                self.cloud.services)]
        for name in names:
            # All at once, before one of them sees that another is gone.
            self.cloud.service(name).signal(signal.SIGSTOP)
        for name in names:
            self.cloud.kill(name)

    def start(self, *names):
        if names == ('everything',):
            names = None
        self.cloud.start(names)

    def down(self, host):
        """Kill a nova-compute, and wait until Nova takes it for down."""
        self.kill(host)
        worlds.until('%s is down' % host, lambda: any(
            service['state'] == 'down' for service in self.world.nova(
                'GET', '/os-services?binary=nova-compute&host=' + host
            )['services']))

    def lose(self, host):
        """Lose the messages for a nova-compute that does not run."""
        self.cloud.lose_messages(host)

    def locked(self, table, kind):
        self.lock = Lock(self.cloud.layout, table, kind)

    def unlock(self):
        lock, self.lock = self.lock, None
        lock.release()

    def pause(self, host, step):
        self.paused.add((host, step))
        self.cloud.pause(host, step)

    def reached(self, host, step):
        self.cloud.wait_reached(host, step)

    def resume(self, host, step):
        self.paused.discard((host, step))
        self.cloud.resume(host, step)

    def fail(self, host, step):
        self.cloud.fail(host, step)

    def mend(self, host, step):
        self.cloud.mend(host, step)

    def reboot(self):
        """Reboot hard, and so take a server out of ERROR."""
        worlds.expect('reboot', 202, self.world.act(
            self.server, {'reboot': {'type': 'HARD'}}))

    def ask(self, action='migrate'):
        """Send a request, and do not wait for the answer."""
        if action == 'migrate':
            arguments = (self.world.migrate, self.server,
                         self.world.destination, self.kind)
        else:
            arguments = self.world.act, self.server, ACTIONS[action]

        def send():
            self.answers.append(arguments[0](*arguments[1:]))

        self.asked = threading.Thread(target=send)
        self.asked.start()

    @property
    def was_accepted(self):
        """Whether a service has said that it does what was asked for."""
        return any(answer in (202, 204) for answer in self.answers)

    def answered(self, code):
        """Wait for the answer: "-" is none, and "*" is any."""
        self.asked.join(90)
        if code != '*':
            worlds.expect('answer', code, str(self.answers[-1] or '-'))

    def moved(self):
        """Migrate, undisturbed."""
        worlds.expect('answer', 202, self.world.migrate(
            self.server, self.world.destination, self.kind))
        self.until('state', 'resized')

    def until(self, what, *values):
        worlds.until(' '.join((what,) + values), lambda: getattr(
            self, '_is_' + what)(*values), pause=0.2)

    def _is_task(self, task):
        return self.world.record(self.server)[2] == task

    def _is_state(self, state):
        return self.world.record(self.server)[1:] == (state, None)

    def _is_migration(self, *statuses):
        return any(migration['status'] in statuses for migration in
                   self.world.migrations(self.server)[:1])

    def _is_claimed(self):
        return self.server in self.world.held()[self.world.destination]

    def _is_destined(self):
        """The destination has made its claim and asked the source."""
        return any(migration['dest_compute'] for migration in
                   self.world.migrations(self.server)[:1])

    def _is_waiting(self):
        return self.lock.is_waited_for()

    def _is_forced(self):
        """The conductor has recorded its claim."""
        return self.world.sql(
            "SELECT 1 FROM nova_cell1.instance_actions_events e JOIN "
            "nova_cell1.instance_actions a ON a.id = e.action_id WHERE "
            "e.event = 'coldmig_force' AND a.instance_uuid = '%s'"
            % self.server)

    def _is_rest(self):
        return self.rest(1.5)

    def rest(self, seconds):
        """Wait until the server was unchanged for some time.

        :returns: True
        """
        seen, since = None, time.monotonic()
        while time.monotonic() - since < seconds:
            now = (self.world.record(self.server),
                   self.world.migrations(self.server))
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.3)
        return True
