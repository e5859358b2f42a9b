# SPDX-License-Identifier: Apache-2.0

"""Tests of what the programs in tools are made of."""

from pathlib import Path
import sys

ROOT = Path(__file__).parents[4]
TOOLS = ROOT / 'tools'
sys.path.append(str(TOOLS))
