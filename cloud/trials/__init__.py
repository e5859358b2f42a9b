# SPDX-License-Identifier: Apache-2.0

"""What is tried on a cloud that runs."""
