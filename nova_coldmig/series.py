# SPDX-License-Identifier: Apache-2.0

"""The Nova series this package supports, and all in which they differ.

One row a series. Whatever else differs between the trees is left to the
trees: what is not replaced is called.
"""

import dataclasses
from importlib import metadata
from importlib import util
import re
import typing as ty


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
    :ivar threaded_tests: bool, whether Nova's test fixtures run with native
        threads, the default of the series; if not, tests run with eventlet.
    :ivar tested: str, the release of Nova that the tests of this package run
        with.
    """

    name: str
    major: int
    max_microversion: str
    maximum_in_defaults: bool = False
    threaded_tests: bool = False
    tested: ty.Optional[str] = None

    @property
    def microversion(self) -> str:
        """The microversion that this package adds: the maximum plus one."""
        head, minor = self.max_microversion.split('.')
        return '%s.%d' % (head, int(minor) + 1)


SERIES = (
    Series('2024.1', 29, '2.96', maximum_in_defaults=True, tested='29.4.0'),
    Series('2024.2', 30, '2.96', maximum_in_defaults=True, tested='30.3.0'),
    Series('2025.1', 31, '2.100', maximum_in_defaults=True, tested='31.3.1'),
    Series('2025.2', 32, '2.100', tested='32.2.1'),
    Series('2026.1', 33, '2.103', tested='33.0.2'),
    Series('2026.2', 34, '2.104', threaded_tests=True, tested='34.0.0'),
)

NEWEST = SERIES[-1]


def installed() -> str:
    """Tell which Nova is installed, without importing it.

    :returns: str, the version of the ``nova`` distribution.
    :raises: UnsupportedNova if there is none, or if it does not tell.
    """
    try:
        version = metadata.version('nova')
    except metadata.PackageNotFoundError:
        version = None
    if version:
        return version
    if util.find_spec('nova') is None:
        raise UnsupportedNova(
            'nova-coldmig found no Nova to work on: install it into the '
            'Python environment that Nova is installed in.')
    raise UnsupportedNova(
        'The Nova of this Python environment does not tell its version. '
        'Install it with the metadata of its distribution.')


def describe() -> str:
    """Name the version of the installed Nova, for messages.

    :returns: str
    """
    try:
        return installed()
    except Exception:
        # It is part of the message of another error.
        return 'of unknown version'


def is_development(version: str) -> bool:
    """Tell whether a version is one between two releases, as pbr makes them.

    :param version: str, such as ``33.0.3.dev9``.
    :returns: bool
    """
    return re.search(r'\.dev\d+', version) is not None


def detect() -> Series:
    """Find the row of the installed Nova.

    :returns: Series
    :raises: UnsupportedNova if the series is unknown.
    """
    version = installed()
    for series in SERIES:
        if version.split('.')[0] == str(series.major):
            return series
    raise UnsupportedNova(
        'nova-coldmig supports Nova %s (%d.x) to %s (%d.x) and this is Nova '
        '%s. Install a nova-coldmig release made for it.' % (
            SERIES[0].name, SERIES[0].major, NEWEST.name, NEWEST.major,
            version))
