# SPDX-License-Identifier: Apache-2.0

"""The main job of the package, told and checked step by step."""

import time

from nova_coldmig.tests.sandbox import client
from nova_coldmig.tests.sandbox import exception
from nova_coldmig.tests.sandbox import table

EXTENSION = 'os-migrate-server-force'
FLAVOR = {'name': 'story.server', 'vcpus': 1, 'ram': 2048, 'disk': 20}
#: Seconds in which allocations have to be as they should.
SETTLE = 5


class Story:
    """Tell the story with a cloud that nothing else uses.

    :param cloud: nova_coldmig.tests.sandbox.cloud.Cloud with three hosts.
    :param terminal: nova_coldmig.tests.sandbox.table.Terminal
    :param interrupt: callable that raises to end the story early.
    """

    def __init__(self, cloud, terminal, interrupt=lambda: None):
        self._cloud = cloud
        self._say = terminal.say
        self._terminal = terminal
        self._interrupt = interrupt
        self._admin = client.Client(cloud.admin)
        self._member = client.Client(cloud.member)
        self._image = cloud.image
        self._hosts = sorted(self._admin.services())
        self._names = {}
        self._microversion = None
        self._chapter = 0

    def tell(self):
        """Run all steps.

        :raises: nova_coldmig.tests.sandbox.exception.StoryError at the first
            that is not as it should be.
        """
        here, there, away = self._hosts
        self._discover()

        self._heading('A server is created on %s' % here)
        demo = self._create('demo', FLAVOR, here)

        self._heading('Checked: the scheduler lets it move to %s' % there)
        self._say('A host is named and "force" is not: the scheduler has to '
                  'agree.')
        demo = self._move(demo, there)

        self._heading('Checked: no move to %s, which is disabled' % away)
        self._admin.set_disabled(away, 'being taken into service')
        self._check('%s is disabled' % away,
                    self._admin.services()[away]['status'], 'disabled')
        self._refused(demo, away, None, 'No valid host')

        self._heading('Forced: it moves to %s all the same' % away)
        self._say('With "force" the scheduler is not asked. Placement is: '
                  'what the server needs is claimed there.')
        demo = self._move(demo, away, force=True)

        self._heading('Forced: not for everybody')
        self._forbidden(demo, there)

        self._heading('Forced: no move to %s, which is full' % here)
        self._say('A second server takes all the memory there is.')
        room = self._admin.inventories()[here]
        self._create('filler', {
            'name': 'story.filler', 'vcpus': 1, 'ram': room['MEMORY_MB'],
            'disk': 1}, here)
        self._refused(demo, here, True, 'full')
        self._admin.set_disabled(away)

    # Steps.

    def _discover(self):
        self._heading('Clients find the feature')
        extension = self._admin.extension(EXTENSION)
        self._check('/extensions/%s is there' % EXTENSION,
                    bool(extension), True)
        self._microversion = self._admin.max_microversion()
        self._say('It says: %s' % extension['description'])
        self._check('it names %s, the newest microversion'
                    % self._microversion,
                    self._microversion in extension['description'], True)

    def _create(self, name, flavor, host):
        before = self._admin.allocations()
        server = self._admin.create_server(
            name, self._admin.create_flavor(**flavor), self._image, host)
        self._names[server['id']] = 'server ' + name
        self._check_server(server, 'ACTIVE', host)
        self._check_allocations(
            '%s holds what its flavor says' % name,
            with_held(before, host, server['id'], needs(flavor)))
        return server

    def _request(self, server, host, force):
        forced = '' if force is None else ', "force": %s' % str(force).lower()
        self._say('POST /servers/%s/action {"migrate": {"host": "%s"%s}}' % (
            server['name'], host, forced))
        response = self._admin.migrate(
            server['id'], host, self._microversion, force)
        self._check('the answer is 202', response.status_code, 202)
        return response.headers['x-openstack-request-id']

    def _move(self, server, host, force=None):
        source = server['OS-EXT-SRV-ATTR:host']
        before = self._admin.allocations()
        resources = before[source][server['id']]
        asked = len(self._cloud.scheduler_calls)

        request_id = self._request(server, host, force)
        server = self._admin.wait_for_migration(server['id'], request_id)
        self._check_server(server, 'VERIFY_RESIZE', host)
        self._check_scheduler(asked, [] if force else [host])
        migration = self._admin.migrations(server['id'])[0]
        self._check('the migration is finished',
                    migration['status'], 'finished')
        self._names[migration['uuid']] = 'migration'
        # Each consumer whole on one provider, and nothing else changed.
        during = with_held(
            without_held(before, source, server['id']),
            source, migration['uuid'], resources)
        during = with_held(during, host, server['id'], resources)
        self._check_allocations(
            'the migration holds %s, the server %s' % (source, host), during)

        server = self._admin.confirm(server['id'])
        self._check_server(server, 'ACTIVE', host)
        self._check('the migration is confirmed', self._admin.migrations(
            server['id'])[0]['status'], 'confirmed')
        after = without_held(during, source, migration['uuid'])
        self._check_allocations('the server holds %s alone' % host, after)
        self._show([('before', before), ('VERIFY_RESIZE', during),
                    ('confirmed', after)])
        return server

    def _refused(self, server, host, force, reason):
        source = server['OS-EXT-SRV-ATTR:host']
        before = self._admin.allocations()
        asked = len(self._cloud.scheduler_calls)

        request_id = self._request(server, host, force)
        action = self._admin.action(server['id'], request_id)
        reasons = client.reasons(action)
        self._check('the action of the server has failed', bool(reasons), True)
        for details in reasons:
            self._say('Its event says: %s' % details)
        self._check('it says why ("%s")' % reason, any(
            reason in details for details in reasons), True)
        self._check_scheduler(asked, [] if force else [host])
        self._check_server(self._admin.wait_for(server['id'], 'ACTIVE'),
                           'ACTIVE', source)
        migration = self._admin.migrations(server['id'])[0]
        self._check('the migration is an error', migration['status'], 'error')
        self._check_allocations('no allocation has changed', before)
        self._show([('before and after', before)])

    def _forbidden(self, server, host):
        before = self._admin.allocations()
        asked = len(self._cloud.scheduler_calls)
        self._say('The member asks to force %s to %s.' % (
            server['name'], host))
        response = self._member.migrate(
            server['id'], host, self._microversion, force=True)
        self._check('the answer is 403', response.status_code, 403)
        self._say('It says: %s' % response.json()['forbidden']['message'])
        self._check_scheduler(asked, [])
        self._check_server(self._admin.server(server['id']), 'ACTIVE',
                           server['OS-EXT-SRV-ATTR:host'])
        self._check_allocations('no allocation has changed', before)

    # Checks.

    def _heading(self, text):
        self._interrupt()
        self._chapter += 1
        self._terminal.heading('%d. %s' % (self._chapter, text))

    def _check(self, what, actual, wanted):
        self._interrupt()
        self._terminal.check(what, actual == wanted)
        if actual != wanted:
            raise exception.StoryError('%s: this should be %r and is %r.' % (
                what, wanted, actual))

    def _check_server(self, server, status, host):
        self._check(
            '%s is %s on %s, with no task' % (server['name'], status, host),
            (server['status'], server['OS-EXT-SRV-ATTR:host'],
             server['OS-EXT-SRV-ATTR:hypervisor_hostname'],
             server['OS-EXT-STS:task_state']),
            (status, host, host, None))

    def _check_scheduler(self, asked, wanted):
        self._check('the scheduler was asked about %s' % wanted[0] if wanted
                    else 'the scheduler was not asked',
                    self._cloud.scheduler_calls[asked:], wanted)

    def _check_allocations(self, what, wanted):
        # Nova shows a server as confirmed before it lets go of the source.
        give_up = time.monotonic() + SETTLE
        allocations = self._admin.allocations()
        while allocations != wanted and time.monotonic() < give_up:
            time.sleep(0.1)
            allocations = self._admin.allocations()
        self._check('Placement: ' + what, allocations, wanted)

    def _show(self, phases):
        self._terminal.table(
            ['Allocations'] + self._hosts,
            [[phase] + table.holdings(allocations, self._hosts, self._label)
             for phase, allocations in phases])

    def _label(self, consumer):
        name = self._names.get(consumer, consumer)
        return self._terminal.paint(
            name, 'yellow' if name == 'migration' else 'cyan')


def needs(flavor):
    """Say what a server of a flavor needs of Placement.

    :param flavor: dict
    :returns: dict of resource class to amount
    """
    return {'VCPU': flavor['vcpus'], 'MEMORY_MB': flavor['ram'],
            'DISK_GB': flavor['disk']}


def with_held(allocations, provider, consumer, resources):
    """Return allocations with one more.

    :param allocations: dict of provider name to dict of consumer id to dict
        of resource class to amount
    :param provider: str
    :param consumer: str
    :param resources: dict of resource class to amount
    :returns: dict
    """
    return dict(allocations, **{
        provider: dict(allocations[provider], **{consumer: resources})})


def without_held(allocations, provider, consumer):
    """Return allocations with one less.

    :param allocations: dict of provider name to dict of consumer id to dict
        of resource class to amount
    :param provider: str
    :param consumer: str
    :returns: dict
    """
    return dict(allocations, **{provider: {
        held_by: resources
        for held_by, resources in allocations[provider].items()
        if held_by != consumer}})
