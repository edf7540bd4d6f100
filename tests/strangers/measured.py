# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the last releases of the servers were like, as the test measured them: rows for docs/servers.md."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from pathlib import Path

from ..matrix import fleet

FILE = Path(__file__).with_name("measured.json")
# The test runs in a copy of the checkout, so it leaves them here; tests/tools/servers.py collects them.
CACHE = fleet.venv.CACHE / "strangers"
COUNTS = ("sent", "rate", "failed", "lost", "outdated", "opened")


def keep(name: str, row: dict[str, t.Any]) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / f"{name}.json").write_text(json.dumps(row))


def shares(said: str) -> dict[str, t.Any]:
    """Return the share that each step of a release set, with the one that was measured, and by what; of its output."""
    found = re.findall(r"(\d+) %: measured ([\d.]+) % of \d+ answers, by (.+)", said)
    return {
        "shares": [[int(planned), float(measured)] for planned, measured, _by in found],
        "measured_by": sorted({by.strip() for _planned, _measured, by in found}),
    }


def switches(left: t.Collection[t.Sequence[t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Return how clients left each pool (see Tally in official.py): how many in which way, and within what seconds."""
    found: dict[str, dict[str, t.Any]] = {}
    for pool in sorted({pool for _at, _how, pool in left}):
        here = [(at, how) for at, how, its in left if its == pool]
        times = [at for at, _how in here]
        found[pool] = {**Counter(how for _at, how in here), "seconds": round(max(times) - min(times), 1)}
    return found
