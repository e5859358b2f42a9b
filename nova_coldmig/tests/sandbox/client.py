# SPDX-License-Identifier: Apache-2.0

"""Talk to the sandbox over HTTP, from any process."""

import dataclasses
import shlex
import time

from keystoneauth1 import adapter
from keystoneauth1.identity import v3
from keystoneauth1 import session

from nova_coldmig.tests.sandbox import exception

#: Placement's allocations of migrations have been consumers of their own
#: since long before this; consumer types are not needed to tell them apart.
PLACEMENT_MICROVERSION = '1.36'
#: Microversion of requests that do not name one: GET of an instance action
#: shows what an event failed with since 2.84.
COMPUTE_MICROVERSION = '2.84'
#: The event of what the super conductor refuses. The others of the action say
#: what the owner of the server may read.
REFUSED = 'coldmig_refused'


def reasons(action):
    """Tell why an instance action failed.

    :param action: dict, with its events.
    :returns: list of str, without repetitions.
    """
    failed = [event for event in action['events']
              if event['result'] == 'Error']
    refused = [event for event in failed if event['event'] == REFUSED]
    return sorted({event['details'] for event in refused or failed})


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What a user needs to use the sandbox.

    :ivar auth_url: str, of the identity service, with its version.
    :ivar username: str
    :ivar password: str
    :ivar project_name: str
    """

    auth_url: str
    username: str
    password: str
    project_name: str

    def environment(self):
        """Return the variables that OpenStack clients read, as a dict."""
        return {
            'OS_AUTH_TYPE': 'password',
            'OS_AUTH_URL': self.auth_url,
            'OS_USERNAME': self.username,
            'OS_PASSWORD': self.password,
            'OS_PROJECT_NAME': self.project_name,
            'OS_USER_DOMAIN_ID': 'default',
            'OS_PROJECT_DOMAIN_ID': 'default',
            'OS_IDENTITY_API_VERSION': '3',
            'OS_REGION_NAME': 'sandbox',
        }

    def openrc(self):
        """Return a script for a shell to source, as a str."""
        lines = ['# %s of the nova-coldmig sandbox' % self.username]
        # Let none of another cloud's settings meet these.
        lines.append(
            r"for name in $(env | sed -n 's/^\(OS_[A-Z_]*\)=.*/\1/p')")
        lines.append('do unset "$name"; done')
        lines += ['export %s=%s' % (name, shlex.quote(value))
                  for name, value in sorted(self.environment().items())]
        lines.append('export no_proxy=127.0.0.1${no_proxy:+,$no_proxy}')
        return '\n'.join(lines) + '\n'


class Client:
    """The requests that the story and tests make.

    :param credentials: Credentials
    """

    def __init__(self, credentials):
        auth = v3.Password(
            credentials.auth_url, username=credentials.username,
            password=credentials.password,
            project_name=credentials.project_name,
            user_domain_id='default', project_domain_id='default')
        made = session.Session(auth)
        # The sandbox is on the loopback interface: no proxy can reach it.
        made.session.trust_env = False
        #: keystoneauth1.adapter.Adapter of Nova, raising nothing.
        self.compute = adapter.Adapter(
            made, service_type='compute', raise_exc=False,
            default_microversion=COMPUTE_MICROVERSION)
        #: keystoneauth1.adapter.Adapter of Placement, raising nothing.
        self.placement = adapter.Adapter(
            made, service_type='placement', raise_exc=False,
            default_microversion=PLACEMENT_MICROVERSION)
        #: keystoneauth1.adapter.Adapter of Glance, raising nothing.
        self.image = adapter.Adapter(
            made, service_type='image', raise_exc=False)

    @staticmethod
    def body(response, *statuses):
        """Take the body of a response that must be a good one.

        :param response: requests.Response
        :param statuses: int, the good ones; 200 if none is named.
        :returns: the body, or None if it is empty.
        :raises: nova_coldmig.tests.sandbox.exception.SandboxError
        """
        if response.status_code not in (statuses or (200,)):
            raise exception.SandboxError('%s %s: %d %s' % (
                response.request.method, response.request.url,
                response.status_code, response.text))
        return response.json() if response.content else None

    def _get(self, path, **kwargs):
        return self.body(self.compute.get(path, **kwargs))

    def _post(self, path, body, *statuses, **kwargs):
        return self.body(
            self.compute.post(path, json=body, **kwargs), *statuses)

    def curlrc(self, microversion):
        """Return a configuration of curl with a token, as a str.

        :param microversion: str, of Nova.
        """
        return ''.join('%s\n' % line for line in (
            'silent', 'show-error', 'noproxy = "*"',
            'header = "X-Auth-Token: %s"' % self.compute.get_token(),
            'header = "Content-Type: application/json"',
            'header = "OpenStack-API-Version: compute %s"' % microversion))

    # What there is.

    def max_microversion(self):
        """Return the newest microversion that Nova advertises, as a str."""
        # Not the version list of the root: it is another path.
        document = self._get(
            self.compute.get_endpoint().rstrip('/') + '/')
        return document['version']['version']

    def extension(self, alias):
        """Return an entry of the list of extensions, as a dict, or None."""
        response = self.compute.get('/extensions/' + alias)
        return self.body(response, 200, 404).get('extension')

    def services(self):
        """Return the nova-compute services, as a dict by host."""
        services = self._get('/os-services?binary=nova-compute')['services']
        return {service['host']: service for service in services}

    def set_disabled(self, host, reason=None):
        """Disable a nova-compute service, or enable it again.

        :param host: str
        :param reason: str, or None to enable.
        """
        body = {'status': 'enabled'}
        if reason:
            body = {'status': 'disabled', 'disabled_reason': reason}
        self.body(self.compute.put(
            '/os-services/%s' % self.services()[host]['id'], json=body))

    def create_flavor(self, name, vcpus, ram, disk):
        """Create a flavor.

        :param name: str
        :param vcpus: int
        :param ram: int, MiB
        :param disk: int, GiB
        :returns: str, its id.
        """
        return self._post('/flavors', {'flavor': {
            'name': name, 'vcpus': vcpus, 'ram': ram,
            'disk': disk}})['flavor']['id']

    def image_id(self, name):
        """Return the id of an image, as a str."""
        return self.body(self.image.get(
            '/v2/images?name=%s' % name))['images'][0]['id']

    # Servers.

    def create_server(self, name, flavor_id, image, host):
        """Create a server without networks and wait until it is active.

        :param name: str
        :param flavor_id: str
        :param image: str, the name of the image.
        :param host: str, the host to create it on.
        :returns: dict, as Nova shows it.
        """
        server = self._post('/servers', {'server': {
            'name': name, 'flavorRef': flavor_id, 'host': host,
            'imageRef': self.image_id(image), 'networks': 'none'}},
            202)['server']
        return self.wait_for(server['id'], 'ACTIVE')

    def server(self, server_id):
        """Return a server, as a dict."""
        return self._get('/servers/%s' % server_id)['server']

    def wait_for(self, server_id, status, timeout=60, failed=lambda: None):
        """Wait until a server has a status and no task.

        :param server_id: str
        :param status: str
        :param timeout: int, seconds
        :param failed: callable that returns why there is nothing to wait for
            any more, or nothing.
        :returns: dict, the server.
        :raises: nova_coldmig.tests.sandbox.exception.SandboxError if it does
            not, or is in ERROR.
        """
        give_up = time.monotonic() + timeout
        while True:
            server = self.server(server_id)
            if not server['OS-EXT-STS:task_state'] and (
                    server['status'] == status):
                return server
            reason = failed() or server.get('fault', {}).get('message')
            if reason or time.monotonic() > give_up:
                raise exception.SandboxError('%s is %s (%s) and not %s: %s' % (
                    server['name'], server['status'],
                    server['OS-EXT-STS:task_state'], status, reason))
            time.sleep(0.1)

    def migrate(self, server_id, host, microversion, force=None):
        """Cold migrate a server.

        :param server_id: str
        :param host: str
        :param microversion: str
        :param force: bool, or None not to send it.
        :returns: requests.Response
        """
        body = {'host': host}
        if force is not None:
            body['force'] = force
        return self.compute.post('/servers/%s/action' % server_id,
                                 json={'migrate': body},
                                 microversion=microversion)

    def wait_for_migration(self, server_id, request_id):
        """Wait until a server that was told to cold migrate has done so.

        :param server_id: str
        :param request_id: str, of the request to migrate.
        :returns: dict, the server, in VERIFY_RESIZE.
        :raises: nova_coldmig.tests.sandbox.exception.SandboxError if it does
            not, with the reason if Nova gives one.
        """
        def failed():
            return '; '.join(reasons(self._get(
                '/servers/%s/os-instance-actions/%s' % (
                    server_id, request_id))['instanceAction']))

        return self.wait_for(server_id, 'VERIFY_RESIZE', failed=failed)

    def confirm(self, server_id):
        """Confirm a cold migration and wait until it is.

        :param server_id: str
        :returns: dict, the server.
        """
        self._post('/servers/%s/action' % server_id,
                   {'confirmResize': None}, 204)
        return self.wait_for(server_id, 'ACTIVE')

    def migrations(self, server_id):
        """Return the migrations of a server as dicts, the newest first."""
        # Sorted and with uuids since 2.59.
        return self._get(
            '/os-migrations?instance_uuid=%s' % server_id)['migrations']

    def action(self, server_id, request_id, timeout=60):
        """Wait until an instance action has failed or all events ended.

        :param server_id: str
        :param request_id: str
        :param timeout: int, seconds
        :returns: dict, with its events.
        :raises: nova_coldmig.tests.sandbox.exception.SandboxError if they do
            not end.
        """
        give_up = time.monotonic() + timeout
        while True:
            action = self._get('/servers/%s/os-instance-actions/%s' % (
                server_id, request_id))['instanceAction']
            events = action['events']
            if events and all(event['finish_time'] for event in events):
                return action
            if time.monotonic() > give_up:
                raise exception.SandboxError('%s does not end' % action)
            time.sleep(0.1)

    # Placement.

    def providers(self):
        """Return the ids of the resource providers, as a dict by name."""
        providers = self.body(self.placement.get('/resource_providers'))
        return {provider['name']: provider['uuid']
                for provider in providers['resource_providers']}

    def allocations(self):
        """Return all allocations.

        :returns: dict of provider name to dict of consumer id to dict of
            resource class to amount; providers without any are there.
        """
        return {
            name: {consumer: held['resources'] for consumer, held in self.body(
                self.placement.get('/resource_providers/%s/allocations'
                                   % uuid))['allocations'].items()}
            for name, uuid in self.providers().items()}

    def inventories(self):
        """Return what can be allocated.

        :returns: dict of provider name to dict of resource class to amount.
        """
        return {
            name: {resource_class: int(
                (inventory['total'] - inventory['reserved'])
                * inventory['allocation_ratio'])
                for resource_class, inventory in self.body(
                    self.placement.get('/resource_providers/%s/inventories'
                                       % uuid))['inventories'].items()}
            for name, uuid in self.providers().items()}
