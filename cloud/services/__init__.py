# SPDX-License-Identifier: Apache-2.0

"""The services of a cloud: what they need, how they are configured."""
