# SPDX-License-Identifier: Apache-2.0

"""Force a cold migration with openstacksdk: SERVER HOST."""

import re
import sys
import time

import openstack


EXTENSION = '/extensions/os-migrate-server-force'


def ask(compute, method, path, microversion, **kwargs):
    response = compute.request(path, method, microversion=microversion,
                               **kwargs)
    openstack.exceptions.raise_from_response(response)
    # Below 2.56 Nova ignores the host and moves the server anywhere.
    taken = response.headers.get('OpenStack-API-Version')
    if taken != 'compute ' + microversion:
        sys.exit('%s %s was taken at "%s" and not at %s' % (
            method, path, taken, microversion))
    return response


def force(compute, server, host):
    found = ask(compute, 'GET', EXTENSION, '2.1').json()['extension']
    microversion = re.search(r'microversion (\d+\.\d+)',
                             found['description']).group(1)
    # A header that is lost on the way is not missed at 2.1.
    ask(compute, 'GET', EXTENSION, microversion)
    # It is not to be sent again if the answer is lost.
    ask(compute, 'POST', '/servers/%s/action' % server.id, microversion,
        json={'migrate': {'host': host, 'force': True}}, connect_retries=0)


def why(compute, server):
    # The newest action is the first. Its events have details from 2.84 on.
    action = next(iter(compute.server_actions(server)))
    action = compute.get_server_action(action.request_id, server)
    failed = {event['event']: event['details'] for event in action.events
              if event['result'] == 'Error'}
    # Of several the last one listed is the first, and the cause.
    return failed.get('coldmig_refused') or list(failed.values())[-1]


def main(name, host):
    cloud = openstack.connect(compute_default_microversion='2.84')
    server = cloud.compute.find_server(name, ignore_missing=False)
    force(cloud.compute, server, host)
    server = cloud.compute.get_server(server)
    while server.task_state:
        time.sleep(1)
        server = cloud.compute.get_server(server)
    if server.status == 'ERROR' or server.compute_host != host:
        # The state is reset before the event is written.
        time.sleep(2)
        sys.exit(why(cloud.compute, server))
    print('%s is on %s' % (server.id, host))


if __name__ == '__main__':
    try:
        main(*sys.argv[1:])
    except openstack.exceptions.SDKException as exc:
        sys.exit(str(exc))
