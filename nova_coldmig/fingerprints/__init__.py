# SPDX-License-Identifier: Apache-2.0

"""Fingerprints of the Nova series, one file each, see tools/fingerprints."""
