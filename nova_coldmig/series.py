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

"""The Nova series this package supports, and all in which they differ.

One row a series. Whatever else differs between the trees is left to the
trees: what is not replaced is called.
"""

import dataclasses
from importlib import metadata


class UnsupportedNova(Exception):
    """The installed Nova is not one that this package knows."""


@dataclasses.dataclass(frozen=True)
class Series:
    """A Nova series.

    :ivar name: str, the coordinated release, such as ``2026.2``.
    :ivar major: int, the major version of the ``nova`` distribution.
    :ivar max_microversion: str, the tree's own ``_MAX_API_VERSION``.
    :ivar maximum_in_defaults: bool, whether
        nova.api.openstack.api_version_request.is_supported holds the maximum
        in the default of an argument (up to 2025.1).
    :ivar wsgi_backend: str or None, the backend nova.wsgi.osapi_compute asks
        nova.monkey_patch for; None where importing nova.api.openstack selects
        it (up to 2025.2).
    :ivar threaded_tests: bool, whether Nova's test fixtures run with native
        threads, the default of the series; if not, tests run with eventlet.
    :ivar wsgi_args: tuple of str, what follows the name in the arguments of
        nova.api.openstack.wsgi_app.init_application.
    """

    name: str
    major: int
    max_microversion: str
    maximum_in_defaults: bool = False
    threaded_tests: bool = False
    wsgi_backend: str = None
    wsgi_args: tuple = ()

    @property
    def microversion(self):
        """The microversion that this package adds: the maximum plus one."""
        head, minor = self.max_microversion.split('.')
        return '%s.%d' % (head, int(minor) + 1)


_THREADED = dict(wsgi_backend='threading', wsgi_args=('nova-api-os-compute',))

SERIES = (
    Series('2024.1', 29, '2.96', maximum_in_defaults=True),
    Series('2024.2', 30, '2.96', maximum_in_defaults=True),
    Series('2025.1', 31, '2.100', maximum_in_defaults=True),
    Series('2025.2', 32, '2.100'),
    Series('2026.1', 33, '2.103', **_THREADED),
    Series('2026.2', 34, '2.104', threaded_tests=True, **_THREADED),
)

NEWEST = SERIES[-1]


def installed():
    """Tell which Nova is installed, without importing it.

    :returns: str, the version of the ``nova`` distribution.
    :raises: UnsupportedNova if there is none.
    """
    try:
        return metadata.version('nova')
    except metadata.PackageNotFoundError:
        raise UnsupportedNova(
            'nova-coldmig found no Nova to work on: install it into the '
            'Python environment that Nova is installed in.')


def detect(allow_untested=False):
    """Find the row of the installed Nova.

    :param allow_untested: bool, whether to treat a Nova of an unknown series
        as one of the newest.
    :returns: Series
    :raises: UnsupportedNova if the series is unknown and not allowed.
    """
    version = installed()
    for series in SERIES:
        if version.split('.')[0] == str(series.major):
            return series
    if allow_untested:
        return NEWEST
    raise UnsupportedNova(
        'nova-coldmig supports Nova %s (%d.x) to %s (%d.x) and this is Nova '
        '%s. Install a nova-coldmig release made for it.' % (
            SERIES[0].name, SERIES[0].major, NEWEST.name, NEWEST.major,
            version))
