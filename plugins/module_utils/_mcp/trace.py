# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record the steps of a probe, each with its time limit; report them one by one and by level."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._errors import subject
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

# In the order in which they are reached. END, of a session, says nothing about the server's health.
LEVELS = ("transport", "health", "handshake", "list", "call", "stability")
END = "end"


class Trace:
    """timeout: seconds for all steps together. cleanup: more seconds for each step that ends a session."""

    def __init__(self, timeout: float, step_timeout: float, cleanup: float) -> None:
        self.deadline = Deadline(timeout)
        self._step_timeout = step_timeout
        self._cleanup = cleanup
        self.steps: list[dict[str, t.Any]] = []

    @contextmanager
    def step(self, level: str, name: str) -> t.Iterator[Deadline]:
        """Time the step, and turn its Fault into a Failure that names the step."""
        with self._timed(
            level, name, Deadline(self._cleanup if level == END else min(self._step_timeout, self.deadline.left))
        ) as bound:
            yield bound

    @contextmanager
    def rounds(self) -> t.Iterator[Deadline]:
        """Time the stability rounds as one step; each round limits itself."""
        with self._timed("stability", "stability", Deadline(self.deadline.left)) as bound:
            yield bound

    @contextmanager
    def _timed(self, level: str, name: str, bound: Deadline) -> t.Iterator[Deadline]:
        ok = False
        try:
            with subject(name):
                yield bound
            ok = True
        finally:
            self.steps.append({"level": level, "name": name, "ok": ok, "seconds": round(bound.elapsed, 4)})

    def failed_level(self) -> str | None:
        return next((step["level"] for step in self.steps if not step["ok"] and step["level"] != END), None)


def by_level(steps: t.Sequence[dict[str, t.Any]]) -> dict[str, dict[str, t.Any] | None]:
    """Return for each level whether its steps succeeded, and their seconds; None for a level that was not reached."""
    levels: dict[str, dict[str, t.Any] | None] = dict.fromkeys(LEVELS)
    for level in LEVELS:
        of_level = [step for step in steps if step["level"] == level]
        if of_level:
            levels[level] = {
                "ok": all(step["ok"] for step in of_level),
                "seconds": round(sum(step["seconds"] for step in of_level), 4),
            }
    return levels
