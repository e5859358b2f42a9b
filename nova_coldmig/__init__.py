# SPDX-License-Identifier: Apache-2.0

"""Cold migrate a server to the host the operator names.

Importing this package imports nothing of Nova and changes nothing; see
:mod:`nova_coldmig.seams` for what is installed, where and when.
"""
