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
        help="""
Whether to start on a Nova in which a function that nova-coldmig replaces or
relies on differs from the one it was tested with.

Without this, nova-api and nova-coldmig-conductor refuse to start on such a
tree and name the function. Set it only if you have read what changed there.
Read by nova-api and the super conductor.
"""),
]


def register_opts(conf):
    conf.register_group(coldmig_group)
    conf.register_opts(coldmig_opts, group=coldmig_group)


def list_opts():
    return {coldmig_group: coldmig_opts}
