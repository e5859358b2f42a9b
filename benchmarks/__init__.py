# SPDX-License-Identifier: Apache-2.0

"""Measures a forced move against one that Nova schedules."""
