# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide by a server's health document whether it is healthy. Pure."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

# Words that servers use; what else a status may be, only its own health_checks can tell.
GOOD = frozenset({"healthy", "ok", "okay", "up", "pass", "passed", "passing", "alive", "ready", "green", "success"})
BAD = frozenset(
    {"unhealthy", "down", "fail", "failed", "failing", "error", "critical", "dead", "red", "out_of_service"}
)
MAX_AGE = 300.0  # seconds, where the option does not say
AHEAD = 60.0  # seconds that a server's clock may be ahead
MILLISECONDS = 1e11  # seconds since 1970 from which on a number must be in milliseconds


def judged(name: str, document: t.Any, now: datetime, *, declared: bool = False, max_age: float | None = None) -> str:
    """Return a sentence on a healthy document. Raise Failure for a sick one, CannotMeasure where it does not tell.

    name: of the address. declared: whether health_checks have judged it already. max_age: seconds, None where nobody
    said that its timestamp is the time of the answer.
    """
    if not isinstance(document, dict):
        if declared:
            return f"{name} answers as health_checks say."
        return f"{name} answers; it has no document, so nothing more is known."
    said = [] if declared else [_status(name, document.get("status"))]
    said += [f"version {printable(str(document['version']), 100)}"] if document.get("version") is not None else []
    said += _fresh(name, document.get("timestamp"), now, max_age)
    return f"{name} is healthy: {', '.join(one for one in said if one) or 'as health_checks say'}."


def _status(name: str, status: t.Any) -> str:
    if status is None or isinstance(status, (dict, list)):
        return ""
    if status is True or str(status).strip().lower() in GOOD:
        return f"status {printable(str(status), 40)}"
    if status is False or str(status).strip().lower() in BAD:
        raise Failure(
            f"The health document of {name} has status {printable(str(status), 40)}. Find out why by diagnose.yml, or "
            "go back with rollback.yml."
        )
    raise CannotMeasure(
        f"The health document of {name} has status {printable(str(status), 40)}, and nothing says whether that is "
        "good: set health_checks (mcp_health_checks), such as [\"status == 'HEALTHY'\"]."
    )


def _fresh(name: str, timestamp: t.Any, now: datetime, max_age: float | None) -> list[str]:
    at = time_of(timestamp)
    if at is None:
        if max_age is not None:
            raise Failure(
                f"The health document of {name} has no timestamp that can be read, but health_max_age "
                "(mcp_health_max_age) is set. Correct the server, or remove that."
            )
        return []
    age = (now - at).total_seconds()
    if -AHEAD <= age <= (MAX_AGE if max_age is None else max_age):
        return [f"{max(age, 0):.0f} s old"]
    what = f"is {_times.duration(age)} old" if age > 0 else f"is {_times.duration(-age)} in the future"
    if max_age is None:
        raise CannotMeasure(
            f"The timestamp in the health document of {name} {what}. If it is meant to be the time of the answer, "
            "something before the server keeps answers, or its clock is wrong: set health_max_age "
            "(mcp_health_max_age), so that this fails."
        )
    raise Failure(
        f"The timestamp in the health document of {name} {what}; at most {max_age:g} s are allowed (health_max_age). "
        "Look for a cache before the server, and at its clock."
    )


def time_of(value: t.Any) -> datetime | None:
    """Return a time in ISO 8601 or in seconds or milliseconds since 1970; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            return datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, UTC)
        except (OverflowError, ValueError, OSError):
            return None
    return _times.parse(value)
