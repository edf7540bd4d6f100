# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether steps make a release. Pure."""

from __future__ import annotations

import typing as t


def problems(weights: t.Sequence[int]) -> list[str]:
    """A sentence for each thing that is wrong with steps of these weights in percent, in this order."""
    found = [
        f"A step has weight {weight}: it is a percentage, from 0 to 100."
        for weight in weights
        if not 0 <= weight <= 100
    ]
    shown = ", ".join(map(str, weights)) or "none"
    if list(weights) != sorted(weights):
        found.append(f"The steps' weights go up and down ({shown}): put them in order.")
    elif not found and (not weights or weights[-1] < 100):
        # Of a split nobody could tell afterwards which pool is live, and the next release would start from it.
        found.append(
            f"The steps ({shown}) don't end with all the traffic: add one of weight 100; to stay at a share, make its seconds longer."
        )
    return found
