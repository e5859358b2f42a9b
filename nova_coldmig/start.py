# SPDX-License-Identifier: Apache-2.0

"""Install a half when a service starts, or leave Nova as it is.

The configuration of Nova has to be parsed: it says what is done on a tree that
is not known. Nothing of a half is imported before that is decided.
"""

from oslo_log import log as logging

import nova_coldmig.conf
from nova_coldmig.conf import coldmig
from nova_coldmig import seams
from nova_coldmig import series

CONF = nova_coldmig.conf.CONF
LOG = logging.getLogger(__name__)

_left_out: set[str] = set()


def on_unknown_tree():
    """Tell what is to be done on a Nova that is not known.

    :returns: str, of nova_coldmig.conf.coldmig.DISABLE, REFUSE and RUN.
    """
    try:
        # Whatever follows, for the warning that it is deprecated.
        untested = CONF.coldmig.allow_untested_tree
        choice = CONF.coldmig.on_unknown_tree
    except Exception as e:
        LOG.error('What [coldmig] says of unknown trees can not be read and '
                  'is taken for on_unknown_tree = disable: %s', e)
        return coldmig.DISABLE
    if untested and not CONF.get_location(
            'on_unknown_tree', 'coldmig').location.is_user_controlled:
        return coldmig.RUN
    return choice


def install(half):
    """Install a half if the tree is known, or as on_unknown_tree says.

    What was decided for a half stays decided.

    :param half: str, of nova_coldmig.seams.API and CONDUCTOR.
    :returns: bool, whether the half is installed. If not, Nova is as it was.
    :raises: nova_coldmig.series.UnsupportedNova if it is not, and the service
        shall not start then.
    """
    if not decided(half):
        reason = _try_to_install(half, on_unknown_tree() == coldmig.RUN)
        if reason:
            leave_out(half, reason)
    return half in seams.installed()


def _try_to_install(half, untested):
    """Install a half.

    :returns: str, why that was not possible, or None.
    """
    try:
        if (half == seams.API and not untested and
                seams.CONDUCTOR not in seams.installed()):
            # The API does not offer what the conductor of the same Nova would
            # not do. What is installed was checked, and is changed.
            seams.check(seams.CONDUCTOR)
        seams.install(half, untested=untested)
    except series.UnsupportedNova as e:
        return str(e)


def leave_out(half, reason):
    """Say that a half is not installed, or keep the service from starting.

    :param half: str, of nova_coldmig.seams.API and CONDUCTOR.
    :param reason: sentences that say why, and what to do.
    :raises: nova_coldmig.series.UnsupportedNova if the service shall not
        start.
    """
    if on_unknown_tree() == coldmig.REFUSE:
        error = series.UnsupportedNova(
            '%s [coldmig]on_unknown_tree = refuse keeps the service from '
            'starting until then.' % reason)
        LOG.critical('%s', error)
        raise error
    _left_out.add(half)
    LOG.error('%(reason)s Until then Nova runs as it is, without the '
              '%(half)s half of forced cold migration, see '
              '[coldmig]on_unknown_tree.', {'reason': reason, 'half': half})


def decided(half):
    """Tell whether it is decided if a half is installed.

    :param half: str, of nova_coldmig.seams.API and CONDUCTOR.
    :returns: bool
    """
    return half in _left_out or half in seams.installed()


def reset(half):
    """Take out a half, and forget what was decided about it.

    :param half: str, of nova_coldmig.seams.API and CONDUCTOR.
    """
    seams.uninstall(half)
    _left_out.discard(half)
