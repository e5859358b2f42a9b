# SPDX-License-Identifier: Apache-2.0

"""Force a cold migration with keystoneauth: SERVER-ID HOST."""

import os
import re
import sys
import time

from keystoneauth1 import adapter
from keystoneauth1.identity import v3
from keystoneauth1 import session


def connect(environment):
    auth = v3.Password(
        environment['OS_AUTH_URL'], username=environment['OS_USERNAME'],
        password=environment['OS_PASSWORD'],
        project_name=environment['OS_PROJECT_NAME'],
        user_domain_id='default', project_domain_id='default')
    return adapter.Adapter(
        session.Session(auth), service_type='compute',
        region_name=environment.get('OS_REGION_NAME'), raise_exc=False)


EXTENSION = '/extensions/os-migrate-server-force'


def ask(nova, method, path, microversion='2.84', **kwargs):
    response = nova.request(path, method, microversion=microversion, **kwargs)
    if response.status_code >= 400:
        sys.exit('%d %s' % (response.status_code, response.text))
    # Below 2.56 Nova ignores the host and moves the server anywhere.
    taken = response.headers.get('OpenStack-API-Version')
    if taken != 'compute ' + microversion:
        sys.exit('%s %s was taken at "%s" and not at %s' % (
            method, path, taken, microversion))
    return response.json() if response.content else None


def force(nova, server_id, host):
    extension = ask(nova, 'GET', EXTENSION, '2.1')['extension']
    microversion = re.search(r'microversion (\d+\.\d+)',
                             extension['description']).group(1)
    # A header that is lost on the way is not missed at 2.1.
    ask(nova, 'GET', EXTENSION, microversion)
    ask(nova, 'POST', '/servers/%s/action' % server_id, microversion,
        json={'migrate': {'host': host, 'force': True}})


def why(nova, server_id):
    url = '/servers/%s/os-instance-actions' % server_id
    # The newest action is the first. Its events have details from 2.84 on.
    action = ask(nova, 'GET', url)['instanceActions'][0]
    action = ask(nova, 'GET', url + '/' + action['request_id'])
    failed = {event['event']: event['details']
              for event in action['instanceAction']['events']
              if event['result'] == 'Error'}
    # Of several the last one listed is the first, and the cause.
    return failed.get('coldmig_refused') or list(failed.values())[-1]


def main(server_id, host):
    nova = connect(os.environ)
    force(nova, server_id, host)
    url = '/servers/%s' % server_id
    server = ask(nova, 'GET', url)['server']
    while server['OS-EXT-STS:task_state']:
        time.sleep(1)
        server = ask(nova, 'GET', url)['server']
    if server['status'] == 'ERROR' or (
            server['OS-EXT-SRV-ATTR:host'] != host):
        # The state is reset before the event is written.
        time.sleep(2)
        sys.exit(why(nova, server_id))
    print('%s is on %s' % (server_id, host))


if __name__ == '__main__':
    main(*sys.argv[1:])
