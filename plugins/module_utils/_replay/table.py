# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show a replay as lines of text, for a terminal of 120 columns. Pure.

result: of result_of(), with pool, from and to.
"""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import evaluate
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, INCONCLUSIVE, Gate
from ansible_collections.mcp.server.plugins.module_utils._release import summary
from ansible_collections.mcp.server.plugins.module_utils._replay.outcome import SHIFT, TRIGGER
from ansible_collections.mcp.server.plugins.module_utils._table import table
from ansible_collections.mcp.server.plugins.module_utils._text import verdict_text

KINDS = {TRIGGER: ("TRIGGER", "WINDOW FULL"), SHIFT: ("GATE OF A STEP", "BREACH")}
WIDTH = 104  # columns; the host's name before each line takes the rest
HEAD = ("LIMIT", "WINDOW", "VERDICT", "WORST", "PAST LIMIT", "NO DATA", "UNSEEN")


def lines(result: dict[str, t.Any]) -> list[str]:
    """Return all lines."""
    return [*textwrap.wrap(headline(result), WIDTH), "", *details(result)]


def details(result: dict[str, t.Any]) -> list[str]:
    """Return all lines but the headline."""
    steps = [
        [
            f"{_weight(step['weight'])}{_times.clock(step['from'])} to {_times.clock(step['to'])}: {step['verdict']}",
            *_folded(step["reason"]),
        ]
        for step in result["steps"]
    ]
    return [
        *(line for kind in KINDS for line in _gates(kind, result["gates"])),
        "At the end of each step:",
        *(line for step in steps for line in step),
    ]


def _gates(kind: str, gates: t.Sequence[dict[str, t.Any]]) -> list[str]:
    rows = [_row(gate) for gate in gates if gate["kind"] == kind]
    name, when = KINDS[kind]
    return [*table([(name, *HEAD, when), *rows]), ""] if rows else []


def headline(result: dict[str, t.Any]) -> str:
    """Return how the release would have ended, and how it ended."""
    about = f"Pool {result['pool']}, {_times.day(result['from'])} to {_times.clock(result['to'])}"
    release = result.get("release")
    ended = ""
    if release:
        at = f" at {_times.clock(release['ended'])}" if release["ended"] else ""
        ended = f" Release {release['id']} {summary.outcome(release)}{at}."
    return f"{about}: {_verdict(result)}.{ended}"


def _verdict(result: dict[str, t.Any]) -> str:
    first = result["first_breach"]
    if first is None and result["verdict"] == INCONCLUSIVE:
        return "would have been inconclusive: no limit was violated, but not everything could be judged"
    if first is None:
        return "would have passed"
    full = f"window full at {_times.clock(first['window_full'])}, " if first["window_full"] else ""
    step = "" if first["weight"] is None else f" at {first['weight']} %"
    reported = f"{full}reported at {_times.clock(first['reported'])}"
    return f"would have been rolled back{step} by the {first['kind']} {first['gate']}, {reported}: {first['reason']}"


def _row(gate: dict[str, t.Any]) -> list[str]:
    of = Gate(gate["gate"], "", gate["limit"], gate["unit"])
    breach = gate["breach"]
    return [
        gate["gate"],
        evaluate.format_limit(of),
        "-" if gate["window"] is None else f"{gate['window']:g} s",
        verdict_text(gate["verdict"]) if gate["outcome"] != BREACH else BREACH,
        "-" if gate["worst"] is None else evaluate.format_value(gate["worst"], of),
        _length(gate["seconds_past"]),
        _length(gate["seconds_no_data"]),
        _length(gate["seconds_cannot_measure"]),
        _times.clock(breach["window_full"] or breach["reported"]) if breach else "-",
    ]


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds else "-"


def _weight(weight: int | None) -> str:
    return "" if weight is None else f"{weight} %, "


def _folded(reason: str) -> list[str]:
    return textwrap.wrap(reason, WIDTH, initial_indent="    ", subsequent_indent="    ")
