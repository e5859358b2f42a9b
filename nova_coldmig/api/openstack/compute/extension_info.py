# SPDX-License-Identifier: Apache-2.0

"""Advertise the feature where its microversion can not."""

ALIAS = 'os-migrate-server-force'


def entry(_extensions, tree):
    """Return the entry that is added to the list of extensions.

    :param _extensions: list of dict, Nova's.
    :param tree: nova_coldmig.series.Series
    :returns: dict
    """
    return {
        'alias': ALIAS,
        'description': 'Cold migrate a server to a named host with force, '
                       'at microversion %s.' % tree.microversion,
        'links': [],
        'name': 'MigrateServerForce',
        'namespace': 'http://docs.openstack.org/compute/ext/fake_xml',
        'updated': '2026-11-22T00:00:00Z',
    }
