# SPDX-License-Identifier: Apache-2.0

"""Nova's own tests with nova-coldmig active; see tools/upstream-tests.

``active.json`` and ``forced.json`` list the tests that do not pass then, each
with the reason. A list that differs from what happens is a failure.
"""
