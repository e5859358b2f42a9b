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
