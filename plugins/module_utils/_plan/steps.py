# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The validation of a release's steps. Pure."""

from __future__ import annotations

import typing as t


def problems(weights: t.Sequence[int]) -> list[str]:
    """Return a sentence for each problem with steps of these weights in percent, in this order."""
    found = [
        f"A step has weight {weight}: set a percentage from 0 to 100." for weight in weights if not 0 <= weight <= 100
    ]
    shown = ", ".join(map(str, weights)) or "none"
    if list(weights) != sorted(weights):
        found.append(f"The weights of the steps decrease ({shown}): put them in ascending order.")
    elif not found and (not weights or weights[-1] < 100):
        # After a split it would be unclear which pool is live, and the next release would start from the split.
        found.append(
            f"The steps ({shown}) do not end at 100 %: add a step of weight 100. "
            "To stay at a lower weight for longer, raise its seconds."
        )
    return found
