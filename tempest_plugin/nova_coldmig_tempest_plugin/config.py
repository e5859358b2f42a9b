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

from oslo_config import cfg

group = cfg.OptGroup(
    'nova_coldmig', title='Cold migration to a named host, with force')

OPTS = [
    cfg.BoolOpt(
        'force', default=False,
        help='Whether nova-api and the super conductors run with '
             'nova-coldmig, so that a cold migration can be forced.'),
    cfg.StrOpt(
        'microversion', default='auto',
        help='The compute API microversion that has force. The default is '
             'the maximum of the cloud.'),
    cfg.ListOpt(
        'hosts', default=[],
        help='The hosts that take part, if not all that are up: such that '
             'servers of the tests can be on, and all in one cell, which the '
             'API does not tell. Tests whose server is elsewhere are '
             'skipped.'),
    cfg.StrOpt(
        'force_role',
        help='A role, other than admin, whose users may force by the policy '
             'of the cloud. Tests of it are skipped without.'),
    cfg.StrOpt(
        'host_role',
        help='A role, other than admin, whose users may cold migrate to a '
             'host they name, but not force, by the policy of the cloud. '
             'Tests of it are skipped without.'),
]
