# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault of a drill: the pods of the live pool are no longer ready. Pure.

The Deployment's pods get a readiness gate that nobody sets, and all of them are replaced at once. So they run and
answer, as in many outages, and the Service sends them nothing. Nothing of the server is read, replaced or lost: neither
its image nor its probes, whose headers may be secret. The mark has what the repair needs. It is written in the same
request, and stays until all is as before, so that the next drill finds what a killed one has left.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Operation, place_of

ANNOTATION = "mcp.server/drill"
CONDITION = "mcp.server/drill"  # of pods
GATES, STRATEGY = "/spec/template/spec/readinessGates", "/spec/strategy"
# All pods are replaced at once, and none is left that is ready.
AT_ONCE: Object = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}
USUAL: Object = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}


class Mark(t.NamedTuple):
    """What a drill notes on the Deployment that it breaks."""

    since: str  # ISO 8601, empty where it can't be read
    by: str
    strategy: Object  # the Deployment's own


def mark_of(deployment: Object) -> Mark | None:
    """Return the mark of a drill that is not over; None without one. Anybody may have edited it."""
    found = mapping(deployment, "metadata", "annotations").get(ANNOTATION)
    if found is None:
        return None
    try:
        note = mapping(json.loads(found))
    except (TypeError, ValueError, RecursionError):
        note = {}
    since, strategy = note.get("since"), note.get("strategy")
    is_strategy = isinstance(strategy, dict) and strategy.get("type") in ("RollingUpdate", "Recreate")
    return Mark(
        since if isinstance(since, str) and _times.parse(since) else "",
        printable(str(note.get("by") or "an unknown user"), 100),
        strategy if isinstance(strategy, dict) and is_strategy else USUAL,
    )


def broken(deployment: Object, since: str, by: str) -> list[Operation]:
    """Return the patch that breaks a Deployment as it was read."""
    mark = {"since": since, "by": by, "strategy": mapping(deployment, "spec", "strategy") or USUAL}
    return [
        *_unchanged(deployment),
        *_annotated(deployment, json.dumps(mark, sort_keys=True)),
        {"op": "add", "path": STRATEGY, "value": AT_ONCE},
        {"op": "add", "path": GATES, "value": [*_gates(deployment), {"conditionType": CONDITION}]},
    ]


def repaired(deployment: Object, mark: Mark) -> list[Operation]:
    """Return the patch that takes the fault away; empty when it is away. The mark stays, see unmarked()."""
    gates = _gates(deployment)
    kept = [one for one in gates if one.get("conditionType") != CONDITION]
    operations: list[Operation] = []
    # Somebody's own strategy stays.
    if _is_at_once(mapping(deployment, "spec", "strategy")) and not _is_at_once(mark.strategy):
        operations.append({"op": "add", "path": STRATEGY, "value": mark.strategy})
    if kept != gates:
        operations.append({"op": "add", "path": GATES, "value": kept} if kept else {"op": "remove", "path": GATES})
    return [*_unchanged(deployment), *operations] if operations else []


def unmarked(deployment: Object) -> list[Operation]:
    """Return the patch that removes the mark."""
    if ANNOTATION not in mapping(deployment, "metadata", "annotations"):
        return []
    return [*_unchanged(deployment), {"op": "remove", "path": place_of(ANNOTATION)}]


def _is_at_once(strategy: t.Mapping[str, t.Any]) -> bool:
    rolling = mapping(strategy, "rollingUpdate")
    return rolling.get("maxUnavailable") == "100%" and rolling.get("maxSurge") in (0, "0")


def _gates(deployment: Object) -> list[Object]:
    return items(deployment, "spec", "template", "spec", "readinessGates")


def _unchanged(deployment: Object) -> list[Operation]:
    """Return the test that makes a write of somebody else in between a conflict."""
    return [{"op": "test", "path": "/metadata/generation", "value": mapping(deployment, "metadata").get("generation")}]


def _annotated(deployment: Object, text: str) -> list[Operation]:
    if mapping(deployment, "metadata").get("annotations") is None:
        return [{"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: text}}]
    return [{"op": "add", "path": place_of(ANNOTATION), "value": text}]
