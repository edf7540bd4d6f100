# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether Prometheus has loaded the rules of alerts, and evaluates them. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

INTERVALS = 3  # without an evaluation
LEAST_AGE = 60.0  # seconds that an evaluation may be old, however short the interval is
CURE = "Load the file that has them (rule_files, or a PrometheusRule that its selector selects), and correct the rule."


def judged(groups: t.Sequence[Object], wanted: t.Sequence[str], now: float) -> str:
    """Return the sentence of rules that are all loaded and evaluated. Raises Failure.

    groups: as Prometheus' API has them. wanted: the names of alerts. now: its own time.
    """
    by_name: dict[str, list[tuple[Object, Object]]] = {name: [] for name in wanted}
    for group in groups:
        for rule in items(group, "rules"):
            if rule.get("type") in (None, "alerting") and rule.get("name") in by_name:
                by_name[rule["name"]].append((group, rule))
    missing = [name for name, found in by_name.items() if not found]
    problems = [f"{', '.join(printable(name, 80) for name in missing)} not loaded"] if missing else []
    for name, found in by_name.items():
        problems += [
            f"{printable(name, 80)} (group {printable(str(group.get('name')), 40)}) {why}"
            for group, rule in found
            if (why := problem(group, rule, now))
        ]
    if problems:
        raise Failure(f"Of {len(by_name)} alerts, Prometheus has {'; '.join(problems)}. {CURE}")
    return f"Prometheus evaluates the rules of all {len(by_name)} alerts ({printable(', '.join(by_name), 300)})."


def problem(group: Object, rule: Object, now: float) -> str:
    """Return what is wrong with a rule, a clause; empty when nothing is."""
    if rule.get("health") == "err":
        said = printable(redact(str(rule.get("lastError") or "no reason given")), 200).rstrip(".")
        return f"with an error: {said}"
    at = _times.parse(rule.get("lastEvaluation"))
    if at is None or at.year < 1970 or rule.get("health") == "unknown":
        return "loaded, but not evaluated yet"
    try:
        interval = float(group.get("interval") or 0)
    except (TypeError, ValueError):
        interval = 0.0
    age = now - at.timestamp()
    if age > max(INTERVALS * interval, LEAST_AGE):
        return f"evaluated last {_times.duration(age)} ago"
    return ""
