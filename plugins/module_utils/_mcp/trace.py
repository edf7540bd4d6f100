# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a probe: each has its time, and is reported on its own and as a part of its level."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._errors import subject
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

# In the order in which they are reached; C(end), of a session, is no verdict on the server.
LEVELS = ("transport", "health", "handshake", "list", "call", "stability")
END = "end"


class Trace:
    """timeout: seconds for all steps together. farewell: seconds for each step that ends a session, beyond them."""

    def __init__(self, timeout: float, step_timeout: float, farewell: float) -> None:
        self.deadline = Deadline(timeout)
        self._step_timeout = step_timeout
        self._farewell = farewell
        self.steps: list[dict[str, t.Any]] = []

    @contextmanager
    def step(self, level: str, name: str) -> t.Iterator[Deadline]:
        """Turns a Fault of the step into a Failure that names it."""
        with self._timed(
            level, name, Deadline(self._farewell if level == END else min(self._step_timeout, self.deadline.left))
        ) as bound:
            yield bound

    @contextmanager
    def rounds(self) -> t.Iterator[Deadline]:
        """The one step that is made of many: they bound themselves, and the probe bounds them all."""
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
    """Whether the steps of each level went well, and their seconds; None for a level that was not reached or not asked for."""
    levels: dict[str, dict[str, t.Any] | None] = dict.fromkeys(LEVELS)
    for level in LEVELS:
        ours = [step for step in steps if step["level"] == level]
        if ours:
            levels[level] = {
                "ok": all(step["ok"] for step in ours),
                "seconds": round(sum(step["seconds"] for step in ours), 4),
            }
    return levels
