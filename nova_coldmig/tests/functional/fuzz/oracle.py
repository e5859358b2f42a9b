# SPDX-License-Identifier: Apache-2.0

"""What the contract of the migrate action says of a request.

Written from the contract, without a schema: it judges what the schemas of
Nova and of nova-coldmig let through.
"""

import collections
import re

from oslo_serialization import jsonutils

#: What the conductor has to be asked for.
Accepted = collections.namedtuple('Accepted', 'host force')

#: Nova reads what says nothing of itself, and plain text, as JSON: see
#: nova.api.openstack.wsgi.Request.get_content_type.
MEDIA_TYPES = ('application/json', 'application/vnd.openstack.compute+json',
               'text/plain', '')
TRUE = (True, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes',
        'yes')
FALSE = (False, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO',
         'No', 'no', None)
OLDEST_WITH_HOST = (2, 56)


def _is_one_of(value, values):
    # 1 and 1.0 equal True, and are not it.
    return any(type(value) is type(one) and value == one for one in values)


def microversion(headers, newest):
    """Find the microversion that a request asks for.

    :param headers: dict of str
    :param newest: tuple of two ints, the highest that is served.
    :returns: tuple of two ints, or None if the request has to be refused.
    """
    # One header is for all services, and the last word for one counts. What
    # names no version asks for none.
    for entry in reversed(headers.get('OpenStack-API-Version', '').split(',')):
        service, _space, asked = entry.strip().partition(' ')
        if service.lower() == 'compute' and asked.strip():
            break
    else:
        return 2, 1
    match = re.fullmatch(r'([1-9]\d*)\.([1-9]\d*|0)|latest', asked.strip())
    if match is None:
        return None
    if match.group(1) is None:
        return newest
    version = int(match.group(1)), int(match.group(2))
    return version if (2, 1) <= version <= newest else None


def judge(headers, body, newest, destinations):
    """Tell what has to become of a request.

    :param headers: dict of str
    :param body: bytes
    :param newest: tuple of two ints, the highest microversion.
    :param destinations: hosts that the server may be migrated to.
    :returns: Accepted, or None if it has to be refused.
    """
    version = microversion(headers, newest)
    media_type = headers.get('Content-Type', '').partition(';')[0].strip()
    if version is None or media_type not in MEDIA_TYPES:
        return None
    try:
        body = jsonutils.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or list(body) != ['migrate']:
        return None
    migrate = body['migrate']
    if version < OLDEST_WITH_HOST:
        return Accepted(None, False)
    if migrate is None:
        return Accepted(None, False)
    if not isinstance(migrate, dict):
        return None
    if version < newest:
        if set(migrate) - {'host'}:
            return None
    elif set(migrate) - {'host', 'force'} or 'host' not in migrate:
        return None
    host, force = migrate.get('host'), migrate.get('force')
    if not _is_one_of(host, (None, *destinations)):
        return None
    if not _is_one_of(force, TRUE + FALSE):
        return None
    force = _is_one_of(force, TRUE)
    if force and host is None:
        return None
    return Accepted(host, force)
