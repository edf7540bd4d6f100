# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read releases that were recorded before 1.0.0: give them the current names. Pure."""

from __future__ import annotations

import typing as t

# Old values in the note of a guard, and the current ones.
GUARD = {("action", "hold"): "pause", ("state", "watching"): "running", ("state", "held"): "paused"}
VERDICTS = {
    **{verdict.replace("_", " "): verdict for verdict in ("no_data", "cannot_measure", "not_measured", "not_verified")},
    "held": "inconclusive",
}


def current_names(document: t.Any) -> t.Any:
    """Return a release with the current names. Anything else stays as it is."""
    if not isinstance(document, dict):
        return document
    renamed = _renamed(document, {"run": "run_id", "held": "paused"})
    parts: dict[str, t.Any] = {
        side: _renamed(renamed[side], {"image": "image_ref"})
        for side in ("from", "to")
        if isinstance(renamed.get(side), dict)
    }
    guard, steps = renamed.get("guard"), renamed.get("steps")
    if isinstance(guard, dict):
        parts["guard"] = {key: GUARD.get((key, str(value)), value) for key, value in guard.items()}
    if isinstance(steps, list):
        parts["steps"] = [_step(step) if isinstance(step, dict) else step for step in steps]
    return {**renamed, **parts}


def _step(step: dict[str, t.Any]) -> dict[str, t.Any]:
    found = dict(step)
    share, verdict = step.get("share"), step.get("verdict")
    if isinstance(share, dict):
        found["share"] = _renamed(share, {"answers": "requests"})
    if isinstance(verdict, str):
        found["verdict"] = VERDICTS.get(verdict, verdict)
    return found


def _renamed(found: dict[str, t.Any], names: dict[str, str]) -> dict[str, t.Any]:
    """Return it with other names for these keys, unless there is a key of that name already."""
    return {
        new if (new := names.get(key, key)) == key or new not in found else key: value for key, value in found.items()
    }
