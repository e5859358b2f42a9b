# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a server, judged by what there is.

No record is believed by itself: where the guest runs and where its disks are
is what the driver remembers, and what is held is what Placement has.
"""

import collections

from nova_coldmig.tests.functional.histories import driver

#: Statuses in which a cold migration is under way, or waits to be confirmed.
OPEN = ('accepted', 'queued', 'pre-migrating', 'migrating', 'post-migrating',
        'finished', 'confirming', 'reverting')
COLD = ('migration', 'resize')

#: What there is of a server.
#:
#: server: dict, as the API tells, or None if it is deleted.
#: records: list of dict, its migrations, the newest first.
#: held: dict of consumer (the server or a migration) to dict of the name of a
#: provider to resources.
#: disks: dict, as driver.Disks.of tells.
#: disks_wrong: set of str, what was done to them.
#: running: hosts on which the guest runs, a list.
#: known: names of providers whose compute node Nova knows, a set.
#: fenced: str, the host that has no power, or None.
Seen = collections.namedtuple(
    'Seen', 'server records held disks disks_wrong running known fenced')

#: What 'nova-coldmig-manage migration check' has to find: it reads records
#: and allocations.
IN_THE_BOOKS = frozenset((
    'stuck', 'record-open', 'record-twice', 'record-wrong', 'held-missing',
    'held-elsewhere', 'held-by-ended', 'held-by-other', 'held-deleted'))
#: Of these, those about a record that has not ended.
OPEN_RECORDS = frozenset(('record-open', 'record-twice', 'record-wrong'))
#: What it reads and does not tell: that a move which waits to be confirmed
#: holds nothing, or a host beside its source, and that something is held of a
#: provider that no compute node has any more.
UNTOLD = frozenset(('held-not-by-move', 'held-unknown'))


def cold(seen):
    """List the open cold migrations of a server, the newest first."""
    return [record for record in seen.records
            if record['migration_type'] in COLD and record['status'] in OPEN]


def lost_hosts(seen):
    """List the hosts it was evacuated from that are not back."""
    return {record['source_compute'] for record in seen.records
            if record['migration_type'] == 'evacuation' and
            record['status'] in ('accepted', 'pre-migrating', 'done')}


def wrong(seen, flavors):
    """Tell what is wrong with a server at rest.

    :param seen: Seen
    :param flavors: list of dict, the resources of each flavor it may have.
    :returns: set of str
    """
    if seen.server is None:
        found = set()
        if any(seen.held.values()):
            found.add('held-deleted')
        if seen.running:
            found.add('guest-of-deleted')
        if seen.disks:
            found.add('disk-of-deleted')
        return found
    return (_books(seen, flavors) | _guest(seen) | _disks(seen) |
            set(seen.disks_wrong))


def _host(seen):
    return seen.server['OS-EXT-SRV-ATTR:host']


def _moved(seen):
    """The record of the move that waits to be confirmed, if it is one."""
    found = cold(seen)
    if (seen.server['status'] == 'VERIFY_RESIZE' and len(found) == 1 and
            found[0]['status'] == 'finished' and
            found[0]['dest_compute'] == _host(seen)):
        return found[0]
    return None


def _books(seen, flavors):
    found = set()
    if seen.server['OS-EXT-STS:task_state'] is not None:
        found.add('stuck')
    records = cold(seen)
    moved = _moved(seen)
    if len(records) > 1:
        # With one of them ended, one is open.
        found |= {'record-open', 'record-twice'}
    elif seen.server['status'] == 'VERIFY_RESIZE':
        if moved is None:
            found.add('record-wrong')
    elif records:
        found.add('record-open')
    lost = lost_hosts(seen)
    held = set(seen.held.get(seen.server['id'], {})) & seen.known
    if _host(seen) not in held:
        found.add('held-missing')
    if held - {_host(seen)} - lost:
        found.add('held-elsewhere')
    for record in seen.records:
        of_record = seen.held.get(record['uuid'], {})
        if record is moved:
            # A host it was evacuated from may be held with the source.
            source = moved['source_compute']
            others = set(of_record) & seen.known - lost - {source}
            missing = source not in set(of_record) | lost
            if missing and others:
                found.add('held-by-other')
            elif missing or others:
                found.add('held-not-by-move')
        elif of_record and record['status'] not in OPEN:
            found.add('held-by-ended')
    for providers in seen.held.values():
        for provider, resources in providers.items():
            if resources not in flavors:
                found.add('held-amount')
            # Whoever holds it: a move hands it to its migration.
            if provider not in seen.known:
                found.add('held-unknown')
    return found


def _guest(seen):
    found = set()
    if len(seen.running) > 1:
        found.add('guest-twice')
    if set(seen.running) - {_host(seen)}:
        found.add('guest-elsewhere')
    if (seen.server['status'] == 'ACTIVE' and
            _host(seen) not in seen.running + [seen.fenced]):
        found.add('guest-off')
    if seen.server['status'] == 'SHUTOFF' and seen.running:
        found.add('guest-on')
    return found


def _disks(seen):
    mine = seen.disks.get((_host(seen), driver.ACTIVE))
    if mine is None:
        return {'disk-missing'}
    found = set()
    if mine < max(seen.disks.values()):
        found.add('disk-old')
    moved = _moved(seen)
    expected = {(_host(seen), driver.ACTIVE)}
    expected |= {(host, driver.ACTIVE) for host in lost_hosts(seen)}
    backup = (moved['source_compute'], driver.BACKUP) if moved else None
    if backup is not None:
        if backup not in seen.disks:
            found.add('backup-missing')
        expected.add(backup)
    if set(seen.disks) - expected:
        found.add('disk-left')
    return found
