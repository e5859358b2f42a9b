# SPDX-License-Identifier: Apache-2.0

from oslo_config import cfg

DISABLE = 'disable'
REFUSE = 'refuse'
RUN = 'run'

coldmig_group = cfg.OptGroup(
    'coldmig',
    title='Cold migration to a named host',
    help="""
Options of nova-coldmig, read by nova-api and the super conductor.
""")

coldmig_opts = [
    cfg.BoolOpt(
        'relax_traits',
        default=True,
        help="""
Whether a forced cold migration may override the traits that a flavor
(``trait:NAME``) or an image (``trait:NAME`` properties) ask for explicitly.

The traits are asked for first. Only if the destination can not serve the
server with them, they are left out and a warning names them, in the log of
nova-conductor and in the events of the instance action. Traits that the guest
needs to run (those Nova derives from CPU policy, secure boot, vTPM, image
properties and so on), and those of numbered flavor groups, ports and PCI
devices, are never left out.

Related options: none. Read by the super conductor.
"""),
    cfg.IntOpt(
        'max_claim_attempts',
        default=10,
        min=1,
        help="""
How many allocation candidates of the destination a forced cold migration may
try to claim in Placement before it gives up.

More than one is tried only when another request takes what the candidate
needs between the query and the claim. Read by the super conductor.
"""),
    cfg.IntOpt(
        'max_waiting_claims',
        default=24,
        min=0,
        help="""
How many claims of forced cold migrations may wait for their turn in one
process of the super conductor.

A claim changes the resource providers of both hosts, so that claims of one
host collide in Placement, which repeats them. Those of one process are made
one after the other where they share a provider, and reach Placement once each.
One claim more than this is made at once, and may collide. Each that waits
takes one of the ``[DEFAULT]executor_thread_pool_size`` threads of the process:
keep it well below that. With 0 none waits.

Related options: ``claim_turn_timeout``. Read by the super conductor.
"""),
    cfg.IntOpt(
        'claim_turn_timeout',
        default=30,
        min=1,
        help="""
How long, in seconds, the claim of a forced cold migration waits for its turn.

Then it is made all the same, and may collide with another.

Related options: ``max_waiting_claims``. Read by the super conductor.
"""),
    cfg.StrOpt(
        'on_unknown_tree',
        default=DISABLE,
        choices=[
            (DISABLE, 'The service starts as Nova does without nova-coldmig, '
                      'and its log has an error that names the functions.'),
            (REFUSE, 'The service does not start.'),
            (RUN, 'The service starts with nova-coldmig, and its log has a '
                  'warning for each function. Set it only if you have read '
                  'what changed there.'),
        ],
        help="""
What nova-api and nova-coldmig-conductor do on a Nova in which a function that
nova-coldmig replaces or relies on differs from those it knows, or in which
that can not be told.

``nova-coldmig-status upgrade check`` fails on such a Nova. Where nova-coldmig
can not be put into such a Nova at all, ``run`` does what ``disable`` does.
Read by nova-api and the super conductor.
"""),
    cfg.BoolOpt(
        'guard_checked_moves',
        default=False,
        help="""
Whether nova-coldmig-conductor also refuses a cold migration or resize that is
not forced while an earlier one of the server has not ended or still holds a
host.

Nova takes the record that an earlier move left behind for that of the new one,
with the old source host, and can clean up or revert on a host where the server
is not. A forced move is always refused then. With this option so is one that
the scheduler chooses the host for, with the reason in the event
``coldmig_refused``. A server without such a record is moved as before, at the
cost of one query. Read by the super conductor.
"""),
    cfg.BoolOpt(
        'allow_untested_tree',
        default=False,
        advanced=True,
        deprecated_for_removal=True,
        deprecated_reason="""
``[coldmig]on_unknown_tree`` replaces it. True means ``run`` unless that
option is set.
""",
        help="""
Whether to start on a Nova in which a function that nova-coldmig replaces or
relies on differs from the one it was tested with.
"""),
]


def register_opts(conf):
    conf.register_group(coldmig_group)
    conf.register_opts(coldmig_opts, group=coldmig_group)


def list_opts():
    return {coldmig_group: coldmig_opts}
