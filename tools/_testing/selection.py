# SPDX-License-Identifier: Apache-2.0

"""Which tests run when nothing more is said.

The short set tells in minutes whether a change broke the job of the package.
It has all that needs no Nova at work, and of the tests on a real Nova what a
user of the API can see go right or be refused:

* all unit tests, of the package and of its client,
* the way forward: what a forced move does to the server, to the allocations on
  every provider, to the migration and to the events, with one server of each
  kind, and how often it asks Placement,
* the contract of the API at and below the microversion, and its policy,
* what the conductor refuses, one test for each reason.

It leaves out what is about trouble, or says more of the same: what is left
when a service, Placement or a message fails, generated requests and crowds,
the hardware that libvirt fakes, ports and networks, the repair of what was
left, mixed versions, and the programs of the client on a cloud. ``--all`` runs
those too.
"""

# Regular expressions for the ids of tests, by the environment of tox, without
# the series, that they are of: all of them if there is none.
SHORT = {
    'unit': (),
    'functional': (
        r'\.functional\.api\.',
        r'\.conductor\.test_forced_move\.',
        r'\.conductor\.test_kinds\.',
        r'\.conductor\.test_refusals\.',
        r'\.conductor\.test_requests\.',
    ),
    'client': (r'\.tests\.unit\.',),
}
