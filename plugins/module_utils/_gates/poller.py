# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and judging again and again, in a thread of its own: a Prometheus that hangs must not hold up what else is watched."""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period, Verdict, settled
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SOON = 2.0  # seconds between polls while a trigger is past its limit


@dataclass(frozen=True)
class Poll:
    """begun: when Prometheus was asked for it, on the monotonic clock."""

    begun: float
    triggers: list[Verdict]
    gates: list[Verdict]


class Poller:
    """Judges from now on, until the block is left. latest: the newest poll.

    gates: judged over the last C(seconds). since: seconds ago when the windows of the triggers may have begun, None for as long as they are.
    every: seconds between polls.
    """

    def __init__(
        self,
        source: MetricsReader,
        triggers: t.Sequence[Gate],
        gates: t.Sequence[Gate],
        seconds: float,
        since: float | None,
        every: float,
    ) -> None:
        self.latest: Poll | None = None
        self._source = source
        self._triggers = triggers
        self._gates = gates
        self._seconds = seconds
        self._start = time.monotonic()
        self._since = since
        self._every = every
        self._wake = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Poller:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        # Nobody waits for it: it may be waiting for Prometheus.
        self._over = True
        self._wake.set()

    def now(self) -> None:
        """Polls at once, or as soon as the one under way is done."""
        self._wake.set()

    def _work(self) -> None:
        while not self._over:
            begun = time.monotonic()
            self._wake.clear()
            try:
                self._source.read([*self._triggers, *self._gates])
            except Failure:
                pass  # each verdict tells
            except Exception as error:  # of samples that nobody thought of: then nothing can be measured, and that is no reason to take a release back
                self._source.fail(f"the samples of Prometheus can't be read ({type(error).__name__}: {error})")
            self.latest = self._judged(begun)
            past = any(verdict.since for verdict in self.latest.triggers)
            self._wake.wait(max(0.0, (min(SOON, self._every) if past else self._every) - (time.monotonic() - begun)))

    def _judged(self, begun: float) -> Poll:
        now = self._source.prometheus.known_now
        if now is None:  # it never answered
            now = 0.0
        lasted = time.monotonic() - self._start
        since = None if self._since is None else now - lasted - self._since
        return Poll(begun, *verdicts(self._source, self._triggers, self._gates, now, lasted, self._seconds, since))


def verdicts(
    source: MetricsReader,
    triggers: t.Sequence[Gate],
    gates: t.Sequence[Gate],
    now: float,
    lasted: float,
    seconds: float,
    since: float | None,
) -> tuple[list[Verdict], list[Verdict]]:
    """Of one poll, in a watch that has lasted so long of its seconds. since: epoch seconds when the windows of the triggers may have begun, or None."""

    def judged(gate: Gate, last: float) -> Verdict:
        return source.judge([gate], Period(now - last, now, min(last, seconds)))[0]

    return source.judge(triggers, Period(now, now, 0.0, since)), [
        settled(functools.partial(judged, gate), lasted, seconds) for gate in gates
    ]
