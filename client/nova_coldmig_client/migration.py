# SPDX-License-Identifier: Apache-2.0

"""Ask for a cold migration, without a command around it."""

import re
import typing as ty

from keystoneauth1 import adapter
from keystoneauth1 import discover as ksa_discover

from nova_coldmig_client import api
from nova_coldmig_client import exceptions

EXTENSION = '/extensions/os-migrate-server-force'
# From this one on Nova reads the host.
HOST_MICROVERSION = '2.56'


def discover(client: adapter.Adapter) -> str:
    """Ask Nova for the microversion of force.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :returns: str, such as 2.105
    :raises: nova_coldmig_client.exceptions.NotSupported,
        nova_coldmig_client.exceptions.MicroversionLost,
        nova_coldmig_client.exceptions.RequestFailed
    """
    try:
        extension = api.get(client, EXTENSION, 'extension',
                            microversion='2.1')
    except exceptions.RequestFailed as exc:
        if exc.missing:
            raise exceptions.NotSupported()
        raise
    found = re.search(r'microversion (\d+\.\d+)',
                      str(extension.get('description')))
    if not found:
        raise exceptions.NotSupported()
    microversion = found.group(1)
    # A header that is lost on the way is not missed at 2.1.
    api.get(client, EXTENSION, 'extension', exact=True,
            microversion=microversion)
    return microversion


def _number(microversion: str) -> tuple[int, ...]:
    return ksa_discover.normalize_version_number(microversion)


def outcome(exc: exceptions.RequestFailed) -> exceptions.ClientError:
    """Return what it means that the request for a migration failed.

    :param exc: nova_coldmig_client.exceptions.RequestFailed
    :returns: nova_coldmig_client.exceptions.ClientError
    """
    if exc.lost:
        return exceptions.NotKnown(
            'The answer of Nova was lost (%s), so whether it took the request '
            'is not known.' % exc)
    return exceptions.Refused(str(exc))


def _request(client: adapter.Adapter, server_id: str,
             body: ty.Optional[dict[str, ty.Any]],
             microversion: ty.Optional[str]) -> ty.Optional[str]:
    """Ask once, and return the microversion that Nova took it at, or None."""
    try:
        return api.act(client, server_id, {'migrate': body},
                       microversion=microversion)
    except exceptions.RequestFailed as exc:
        raise outcome(exc)


def _check_host(sent: str, taken: ty.Optional[str]) -> None:
    """Check that Nova read the host that it was sent."""
    if taken is None:
        raise exceptions.NotKnown(
            'Nova accepted the migration, but the answer does not say at '
            'which microversion, so whether it goes to the host that was '
            'named is not known.')
    if _number(taken) < _number(HOST_MICROVERSION):
        raise exceptions.Misdirected.at(sent, taken)


def force(client: adapter.Adapter, server_id: str, host: str) -> None:
    """Migrate a server past the scheduler.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str
    :raises: nova_coldmig_client.exceptions.Refused,
        nova_coldmig_client.exceptions.NotKnown,
        nova_coldmig_client.exceptions.Misdirected,
        nova_coldmig_client.exceptions.RequestFailed if Nova could not be
        asked for the microversion.
    """
    sent = discover(client)
    taken = _request(client, server_id, {'host': host, 'force': True}, sent)
    _check_host(sent, taken)
    if taken != sent:
        raise exceptions.NotKnown(
            'Nova accepted the migration at microversion %s and not at %s, '
            'so whether it is forced is not known.' % (taken, sent))


def migrate(client: adapter.Adapter, server_id: str,
            host: ty.Optional[str] = None,
            microversion: ty.Optional[str] = None) -> None:
    """Migrate a server as the scheduler decides.

    :param client: keystoneauth1.adapter.Adapter of the compute service.
    :param server_id: str
    :param host: str, which the scheduler checks, or None for any.
    :param microversion: str or None for the oldest one that does.
    :raises: nova_coldmig_client.exceptions.Refused,
        nova_coldmig_client.exceptions.NotKnown,
        nova_coldmig_client.exceptions.Misdirected
    """
    if not host:
        _request(client, server_id, None, microversion)
        return
    sent = microversion or HOST_MICROVERSION
    _check_host(sent, _request(client, server_id, {'host': host}, sent))
