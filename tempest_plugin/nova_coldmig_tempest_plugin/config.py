# SPDX-License-Identifier: Apache-2.0

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
