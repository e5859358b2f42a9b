# SPDX-License-Identifier: Apache-2.0

"""What figures are made of."""

import math
import statistics


def summary(seconds):
    """Sum up measured times.

    :param seconds: list of float
    :returns: dict of median and p95 in milliseconds, and how many there are.
    """
    ordered = sorted(seconds)
    return {
        'median_ms': round(1000 * statistics.median(ordered), 3),
        'p95_ms': round(1000 * ordered[math.ceil(0.95 * len(ordered)) - 1], 3),
        'moves': len(ordered),
    }


def ratio(ours, theirs):
    return round(ours / theirs, 3)
