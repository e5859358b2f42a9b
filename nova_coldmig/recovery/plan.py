# SPDX-License-Identifier: Apache-2.0

"""Which repair a server needs."""

import dataclasses
import typing

from nova.compute import task_states
from nova.compute import vm_states

from nova_coldmig.recovery import attached

GIVE_BACK = 'give-back'
REVERT = 'revert'
FINISH = 'finish'
FINISH_REVERT = 'finish-revert'
CONFIRM = 'confirm'
TAKE_OVER = 'take-over'
RELEASE = 'release'
HEAL = 'heal'
RELEASE_DELETED = 'release-deleted'
END = 'end'
REOPEN = 'reopen'


@dataclasses.dataclass(frozen=True)  # pragma: no mutate
class Plan:
    """What to do about a server.

    :ivar repair: one of the names above, or None if only a person can tell
    :ivar text: what the repair does, or what the person has to do
    :ivar hosts: those whose nova-compute could still work on the server, and
        has to be fenced or restarted before, a frozenset
    :ivar needs_word: whether no record can tell that nobody works on it, so
        that the operator has to say so
    :ivar no_guest_on: host on which the repair destroys what there is of the
        server, so that a person has to see that nothing is; or None
    :ivar copied_by: the nova.objects.Migration whose copy of the disk was
        given up, so that a person may have to see to the disk; or None
    :ivar connections: what a person has to see to of volumes and ports, one of
        the names of nova_coldmig.recovery.attached, or None
    """

    repair: typing.Optional[str]
    text: str
    hosts: typing.FrozenSet[str] = frozenset()
    needs_word: bool = False
    no_guest_on: typing.Optional[str] = None
    copied_by: typing.Any = None
    connections: typing.Optional[str] = None


#: Where the source died while it copied the disk. What it leaves was seen with
#: libvirt, and disks that are files of the host.
_COPYING = (
    'The source %(source)s may still copy the disk to %(destination)s, or has '
    'stopped in the middle. Do not evacuate the server, rebuild it or reset '
    'its state: the whole disk may be %(uuid)s_resize on %(source)s, and what '
    'is on %(destination)s a part of it, which Nova would start. Have '
    '%(source)s come back and restart nova-compute there: it takes the guest '
    'back when it starts. Then run this again.')

TEXTS = {
    GIVE_BACK: 'Give the source allocation back to the server, set the '
               'migration to error and clear the task state.',
    REVERT: 'Have nova-compute of the destination revert the move.',
    FINISH: 'Write down that the move is done, to be confirmed or reverted.',
    FINISH_REVERT: 'Have nova-compute of the source finish the revert.',
    CONFIRM: 'Confirm the move again.',
    TAKE_OVER: 'Move the allocation of the ended migration to the server.',
    RELEASE: 'Delete what ended migrations hold.',
    HEAL: 'Run the heal_allocations of nova-manage for the server.',
    RELEASE_DELETED: 'Delete what is held for the deleted server.',
    END: 'Set the migration that is left over to error.',
    REOPEN: 'Put the server back to VERIFY_RESIZE. Then confirm it; a revert '
            'would lose what the guest has written since. nova-compute '
            'confirms it by itself if [DEFAULT]resize_confirm_window is set.',
}


def make(facts):
    """Choose the repair.

    :param facts: Facts of a server that has a finding
    :returns: Plan
    """
    if facts.instance.deleted:
        if any(m.cross_cell_move for m in facts.migrations):
            return _by_hand('It was moved between cells. See that no other '
                            'cell has the server, and delete what is held.')
        return _plan(RELEASE_DELETED, facts.hosts_of(facts.open_moves))
    migration = facts.migration
    task = facts.instance.task_state
    if facts.left_over and ended(facts):
        return dataclasses.replace(_plan(END), text='%s %s' % (
            TEXTS[END], _told(ended(facts))), needs_word=True)
    if task is not None or facts.open_migrations or facts.failed_revert:
        if migration is None and task in (task_states.RESIZE_PREP,
                                          task_states.RESIZE_MIGRATING):
            # A repair that was cut short, a conductor that died before it
            # wrote anything, or a source that was restarted before it was
            # asked: starting took the task away, and the move then failed.
            return _give_back(facts, None, task)
        if migration is None or len(facts.open_migrations) > 1:
            return _by_hand('It is not clear which move this is. %s' %
                            _told(facts.open_migrations))
        if migration.cross_cell_move or (
                migration.migration_type != 'migration'):
            return _by_hand('This is a resize or a move between cells, which '
                            'is not repaired.')
        return _of_move(facts, migration, task)
    return _of_allocations(facts)


def ended(facts):
    """List what is left over of moves that are over, by the operator's word.

    A move that never began and holds nothing: its message may be queued, but
    that is all. One that was finished, of a server that went on to another
    host: what its source has is old.

    :param facts: Facts of the server
    :returns: list of nova.objects.Migration
    """
    return [m for m in facts.left_over if not m.cross_cell_move and (
        m.status == 'pre-migrating' and not facts.held[m.uuid] and
        not _is_only_and_on_source(facts, m) or
        m.status == 'finished' and
        not _is_on(facts, m.source_compute, m.source_node) and
        not _is_on(facts, m.dest_compute, m.dest_node))]


def _is_only_and_on_source(facts, migration):
    # That one is given back, which puts the server right as well.
    return (len(facts.open_migrations) == 1 and not facts.moves and
            _is_on(facts, migration.source_compute, migration.source_node))


def _is_on(facts, host, node):
    return (facts.instance.host, facts.instance.node) == (host, node)


def _told(migrations):
    """Say which migrations these are."""
    return ' '.join(
        'Migration %d (%s) is from %s to %s.' % (
            m.id, m.status, m.source_compute,
            m.dest_compute or 'a host that it does not name')
        for m in sorted(migrations, key=lambda one: one.id))


def _of_move(facts, migration, task):
    instance = facts.instance
    on_source = _is_on(
        facts, migration.source_compute, migration.source_node)
    if task == task_states.RESIZE_REVERTING:
        if on_source and migration.status == 'reverted':
            return _of_source(facts, migration)
        if on_source or migration.status == 'reverted':
            return _by_computes(facts, migration, FINISH_REVERT)
        return _by_computes(facts, migration, REVERT)
    if migration is facts.failed_revert or migration.status == 'reverting':
        return _of_failed_revert(facts, migration, on_source)
    if facts.wrong_source:
        return _by_hand(
            'Do not revert it: it would end on %s, and the disk that the '
            'server had before is on the host that the migration holds. A '
            'confirmation leaves that disk where it is, for a person to look '
            'at. %s' % (migration.source_compute, _told([migration])))
    if migration.status == 'confirming':
        if instance.vm_state != vm_states.RESIZED or task is not None:
            return _by_hand('The server is not in VERIFY_RESIZE, so Nova '
                            'does not confirm it.')
        return _by_computes(facts, migration, CONFIRM)
    if task in (task_states.RESIZE_MIGRATED, task_states.RESIZE_FINISH):
        return _of_destination(facts, migration, on_source)
    if task == task_states.RESIZE_MIGRATING:
        return _by_hand(_COPYING % {
            'source': migration.source_compute,
            'destination': migration.dest_compute or 'the destination',
            'uuid': instance.uuid})
    if migration.status == 'finished' and not facts.moves:
        return _of_finished(facts, migration)
    if not on_source:
        return _by_hand('The server is not on the source of its move. See on '
                        'which host the guest runs. %s' % _told([migration]))
    if facts.held[migration.uuid] - {facts.node}:
        return _by_hand('The migration holds another host than the source.')
    if task is None and migration.status == 'migrating':
        return _after_copy(facts, migration)
    return _give_back(facts, migration, task)


def _after_copy(facts, migration):
    """Give the source back if its disk is seen to be in its place.

    Nova takes the guest back when nova-compute of the source starts. If
    somebody has reset the state before, it does not, and looks the same. Then
    the disk is still set aside, and the next move away from there deletes it:
    this one is kept open, so that there is none.
    """
    chosen = dataclasses.replace(
        _give_back(facts, migration, None), connections=attached.CONNECT)
    if not facts.asked:
        return dataclasses.replace(
            chosen, copied_by=migration, text='%s With --yes, and only if the '
            'guest is seen to run on its host, which is asked.' % chosen.text)
    if facts.guest_runs:
        return chosen
    return dataclasses.replace(_by_hand(
        'The copy of the disk was given up, and the guest is not seen to run '
        'on host %(host)s, so that its disk may not be in its place: look '
        'whether %(uuid)s_resize is there. If it is not, start the server or '
        'reboot it hard; when its guest runs with its files, run this '
        'again.' % {'host': migration.source_compute,
                    'uuid': facts.instance.uuid}),
        copied_by=migration, connections=attached.CONNECT)


def _give_back(facts, migration, task):
    """Give the source back to the server.

    Not after a copy that nobody ended: Nova's own recovery, when nova-compute
    of the source starts, needs the task and the context that this clears.
    """
    hosts = facts.hosts_of([migration] if migration else [])
    # Without a destination there is no nova-compute that was told, only a
    # conductor that may yet tell one.
    told = task == task_states.RESIZE_MIGRATING or (
        migration and migration.status != 'pre-migrating')
    if not told and hosts == {facts.instance.host}:
        hosts = frozenset()
    return dataclasses.replace(
        _plan(GIVE_BACK, hosts),
        needs_word=task == task_states.RESIZE_PREP or bool(
            migration and not facts.moves and
            migration.status == 'pre-migrating'),
        connections=(attached.CONNECT if task == task_states.RESIZE_MIGRATING
                     else None))


def _of_finished(facts, migration):
    """A move that was neither confirmed nor reverted, its server reset."""
    if (_is_on(facts, migration.dest_compute, migration.dest_node) and
            migration.id == max(m.id for m in facts.migrations) and
            # Nova ends any finished move of a server. If it was one from this
            # host, the source has no disk to go back to.
            not facts.end_asked and
            # Without either there is no confirmation.
            facts.held[migration.uuid] and
            facts.instance.old_flavor is not None):
        if facts.instance.vm_state in (vm_states.ACTIVE, vm_states.STOPPED):
            return _plan(REOPEN)
        return _by_hand("The move was neither confirmed nor reverted. Set the "
                        "state of the server to active when its guest is in "
                        "order, then run this again. %s" % _told([migration]))
    return _by_hand('The move was neither confirmed nor reverted, and the '
                    'server was changed since. See on which host the guest '
                    'and its disk are. %s' % _told([migration]))


def _of_destination(facts, migration, on_source):
    if on_source or migration.status not in ('post-migrating', 'finished'):
        return _by_hand('The server and its migration disagree about where it '
                        'is. See on which host the guest runs.')
    if facts.instance.task_state == task_states.RESIZE_FINISH:
        # The guest is started before it is written down, and a revert would
        # destroy what it has written since.
        if facts.guest_runs:
            return dataclasses.replace(
                _plan(FINISH), connections=attached.COMPLETE)
        if migration.status == 'finished':
            return _by_hand('The migration is finished, and the guest does '
                            'not run on the destination, or that is not known '
                            'yet. See whether it does, and why not.')
        return _unless_guest(facts, migration, REVERT)
    if migration.status == 'finished':
        return _by_hand('The migration is finished, and the guest does not '
                        'run on the destination. See why.')
    return _by_computes(facts, migration, REVERT)


def _of_source(facts, migration):
    """Have the source finish the revert, if it has not started the guest.

    nova.compute.manager.ComputeManager._finish_revert_resize fails if it has,
    and leaves the server in ERROR.
    """
    if facts.guest_runs:
        return dataclasses.replace(_by_hand(
            'The guest runs on host %(host)s, where it was before the move, '
            'and only the record of that is missing: openstack server set '
            '--state active %(uuid)s.' % {
                'host': migration.source_compute,
                'uuid': facts.instance.uuid}), connections=attached.COMPLETE)
    chosen = _by_computes(facts, migration, FINISH_REVERT)
    if not chosen.repair or facts.asked:
        return chosen
    return dataclasses.replace(
        chosen, text='%s Only if the guest is not seen to run there: with '
        '--yes the host is asked, which leaves a fault on the server if it '
        'does not.' % chosen.text)


def _unless_guest(facts, migration, repair):
    """Revert, if a person has seen that the destination has no guest."""
    host = migration.dest_compute
    if facts.guest_runs and repair == REVERT and not facts.down:
        # Nothing of it is lost yet. Whether it is to be, its user says.
        return _plan(REOPEN, facts.hosts_of([migration]))
    if facts.guest_runs:
        return _by_hand('The guest runs on host %s, and a revert would '
                        'destroy it with what it has written since. See '
                        'whether the server can stay there.' % host)
    chosen = _by_computes(facts, migration, repair)
    if chosen.repair:
        if facts.guest_runs is None and facts.asked:
            return _by_hand('Host %s does not tell whether the guest runs '
                            'there. See whether it does: what it has written '
                            'would be lost if the move is reverted.' % host)
        if not facts.asked:
            chosen = dataclasses.replace(chosen, text='%s %s' % (
                chosen.text, 'With --yes the host is asked whether the guest '
                'runs there, which leaves a fault on the server if it does '
                'not. If it does, it is not reverted: the server is put to '
                'VERIFY_RESIZE.'))
    if chosen.repair == REVERT:
        chosen = dataclasses.replace(chosen, no_guest_on=host)
    return chosen


def _of_failed_revert(facts, migration, on_source):
    # What Nova leaves if nobody acts on the server. A revert destroys the disk
    # of the destination, which must not be in use again.
    vm_state, repair = {
        'reverting': (vm_states.RESIZED, REVERT),
        'reverted': (vm_states.RESIZED, FINISH_REVERT),
        'error': (vm_states.ERROR, REVERT),
    }[migration.status]
    if (not on_source and not facts.touched and
            facts.instance.vm_state == vm_state and
            # The source drops it when it fails; there is no revert without.
            facts.instance.old_flavor is not None):
        return _unless_guest(facts, migration, repair)
    return _by_hand('A revert of this move has failed, and either somebody '
                    'has acted on the server since, or it can not be done '
                    'again. See on which host the guest and its disk are, '
                    'before the source is given away.')


def _of_allocations(facts):
    mine = facts.held[facts.instance.uuid]
    if facts.strangers and not mine or not facts.has_provider:
        return _of_providers(facts)
    if facts.two_hosts:
        return _by_hand('See on which host the guest runs, and remove what '
                        'the server holds on the other.')
    if facts.node is None:
        return _by_hand('The compute node of the server is not known.')
    if facts.node in mine:
        if [m for m in facts.holders if m.migration_type == 'resize' and
                m.status != 'confirmed' and facts.node in facts.held[m.uuid]]:
            return _by_hand('The server and a resize that was not confirmed '
                            'hold the same host, each for another flavor. '
                            'Remove what is not for the flavor that the '
                            'server has.')
        return _plan(RELEASE)
    if facts.holder:
        return _plan(TAKE_OVER)
    if mine:
        return _by_hand('The server holds only a host that it is not on. Run '
                        'nova-manage placement heal_allocations --force for '
                        'it.')
    if facts.instance.vm_state == vm_states.SOFT_DELETED:
        return _by_hand('Nova does not heal a server that is soft deleted. '
                        'Delete it for good, or restore it and run the repair '
                        'again.')
    return _plan(HEAL)


def _of_providers(facts):
    """Its node or what it holds is unknown to Placement or to Nova."""
    text = ''
    if not facts.has_provider:
        text = ('Compute node %s of host %s has no resource provider. See the '
                'log of its nova-compute, which makes one when it can. '
                % (facts.node, facts.instance.host))
        if facts.strangers:
            text += ('If the host was registered anew, its old provider has '
                     "the name: rename that one ('openstack resource provider "
                     "set --name', of osc-placement), and wait. ")
    if facts.strangers:
        text += ('The server holds resource providers that are no compute '
                 'nodes: %s. ' % ', '.join(sorted(facts.strangers)))
    return _by_hand('%sWhen the compute node has its provider, run '
                    "'nova-manage placement heal_allocations --force "
                    "--instance %s'." % (text, facts.instance.uuid))


def _by_computes(facts, migration, repair):
    """Have nova-compute of both hosts do it, if they are able to.

    Without a resource provider it fails, and not before it has begun.
    """
    if facts.down:
        return _by_hand('Nova does this on both hosts: start nova-compute on '
                        '%s.' % ', '.join(sorted(facts.down)))
    held = facts.held[migration.uuid] | facts.held[facts.instance.uuid]
    if facts.source is not None and facts.source not in held:
        return _by_hand('Neither the migration nor the server holds its '
                        'source %s, which a revert gives back to the server: '
                        'it would end there and hold nothing. See what became '
                        'of the resource provider of that host.' %
                        migration.source_compute)
    if not facts.has_provider:
        return _by_hand('The compute node of host %s has no resource '
                        'provider, without which nova-compute there fails '
                        'halfway. See what became of it.' %
                        facts.instance.host)
    return _plan(repair, facts.hosts_of([migration]))


def _plan(repair, hosts=frozenset()):
    return Plan(repair, TEXTS[repair], hosts)


def _by_hand(text):
    return Plan(None, text)
