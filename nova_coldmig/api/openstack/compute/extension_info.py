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
