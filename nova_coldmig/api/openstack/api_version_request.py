#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

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
