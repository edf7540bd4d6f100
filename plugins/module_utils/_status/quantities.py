# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quantities as Kubernetes writes them, such as 500m or 128Mi. Pure.

Own code, as the library C(kubernetes) takes most of a second to import.
"""

from __future__ import annotations

import math
import re
import typing as t

_FORM = re.compile(r"([+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30}))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?")
_FACTORS = {
    **{letter: 1000.0**power for power, letter in zip((-3, -2, -1), "num", strict=True)},
    **{letter: 1000.0**power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)},
}
_MIB = 1024.0**2


def number(text: t.Any) -> float | None:
    """Return a quantity as a number of cores or bytes; None for what is none."""
    match = _FORM.fullmatch(str(text).strip()[:80]) if isinstance(text, (str, int, float)) else None
    if match is None or isinstance(text, bool):
        return None
    digits, suffix, exponent = match.groups()
    found = float(digits) * (_FACTORS[suffix] if suffix else 10.0 ** int(exponent or 0))
    return found if math.isfinite(found) else None


def memory(used: float | None, limit: float | None) -> str:
    """Return bytes for people, with their limit: 51 of 256 MiB (20 %)."""
    if used is None:
        return "-"
    return f"{used / _MIB:.0f} of {limit / _MIB:.0f} MiB{_percent(used, limit)}" if limit else f"{used / _MIB:.0f} MiB"


def cpu(used: float | None, limit: float | None) -> str:
    """Return cores for people, with their limit, in thousandths: 20m of 500m (4 %)."""
    if used is None:
        return "-"
    # As kubectl top does: what is used is not shown as nothing.
    shown = f"{math.ceil(1000 * used - 1e-6)}m"
    return f"{shown} of {1000 * limit:.0f}m{_percent(used, limit)}" if limit else shown


def _percent(used: float, limit: float) -> str:
    return f" ({100 * used / limit:.0f} %)"
