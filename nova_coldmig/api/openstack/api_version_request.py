# SPDX-License-Identifier: Apache-2.0

"""Raise the maximum microversion of the tree by one."""


def maximum(_current, tree):
    """Return the new maximum microversion.

    :param _current: str, the tree's.
    :param tree: nova_coldmig.series.Series
    :returns: str, such as ``2.105``.
    """
    return tree.microversion


def is_supported_defaults(current, tree):
    """Return new defaults for the arguments of is_supported.

    :param current: tuple of str, minimum and maximum.
    :param tree: nova_coldmig.series.Series
    :returns: tuple of str
    """
    minimum, _maximum = current
    return (minimum, tree.microversion)
