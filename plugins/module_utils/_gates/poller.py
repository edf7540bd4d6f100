# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Poll Prometheus and judge, in a thread: a Prometheus that hangs must not hold up the rest of a watch."""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    CANNOT_MEASURE,
    Gate,
    Period,
    Verdict,
    judge_watch,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader, unless_lost
from ansible_collections.mcp.server.plugins.module_utils._gates.series import longest_gap
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SOON = 2.0  # seconds between polls while a trigger's limit is violated


@dataclass(frozen=True)
class Poll:
    """The verdicts of one poll. Times are on the monotonic clock."""

    begun: float  # before Prometheus was read
    triggers: list[Verdict]
    gates: list[Verdict]
    ended: float = 0.0  # when it was judged; 0: at its beginning


class Poller:
    """Polls from the beginning of its block until its end."""

    def __init__(
        self,
        reader: MetricsReader,
        triggers: t.Sequence[Gate],
        gates: t.Sequence[Gate],
        seconds: float,
        since: float | None,
        every: float,
    ) -> None:
        """Poll every so many seconds for a watch of so many seconds.

        since: how many seconds ago a violation of a trigger may have begun; None: as long as its window is.
        """
        self._latest: Poll | None = None
        self._reader = reader
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
        # The thread may be waiting for Prometheus, so it is not waited for.
        self._over = True
        self._wake.set()

    @property
    def latest(self) -> Poll | None:
        """Return the newest poll, None before the first one. One that is too old measures nothing any more."""
        return self._latest and current(self._latest, time.monotonic(), self._every)

    def poll_now(self) -> None:
        """Begin the next poll at once, or when the current one ends."""
        self._wake.set()

    def _work(self) -> None:
        while not self._over:
            begun = time.monotonic()
            self._wake.clear()
            try:
                self._reader.read([*self._triggers, *self._gates])
            except Failure:
                pass  # the verdicts are cannot_measure, with the reason
            except Exception as error:
                # An unforeseen kind of samples must not end the thread: then nothing can be measured.
                self._reader.fail(f"the samples of Prometheus can't be read ({type(error).__name__}: {error})")
            self._latest = poll = self._judge(begun)
            violated = any(verdict.since for verdict in poll.triggers)
            every = min(SOON, self._every) if violated else self._every
            self._wake.wait(max(0.0, every - (time.monotonic() - begun)))

    def _judge(self, begun: float) -> Poll:
        now = self._reader.prometheus.known_now or 0.0  # 0: Prometheus never answered
        lasted = time.monotonic() - self._start
        since = None if self._since is None else now - lasted - self._since
        try:
            triggers, gates = judge_poll(self._reader, self._triggers, self._gates, now, lasted, self._seconds, since)
        except Exception as error:
            # Neither must samples that were read, but that nobody thought of.
            reason = f"the samples of Prometheus can't be judged ({type(error).__name__}: {error})"
            triggers, gates = (
                [Verdict(gate, CANNOT_MEASURE, reason=reason) for gate in each]
                for each in (self._triggers, self._gates)
            )
        return Poll(begun, triggers, gates, time.monotonic())


def current(poll: Poll, now: float, every: float) -> Poll:
    """Return the poll; when several should have come since, with verdicts that can't be measured.

    now: on the monotonic clock. every: seconds between polls.
    """
    age = now - poll.begun
    if age <= longest_gap(max(every, poll.ended - poll.begun)):
        return poll
    lost = f"Prometheus was last read {age:.0f} s ago, and has not answered since. Check its load"
    triggers, gates = ([unless_lost(verdict, lost) for verdict in each] for each in (poll.triggers, poll.gates))
    return Poll(poll.begun, triggers, gates, poll.ended)


def judge_poll(
    reader: MetricsReader,
    triggers: t.Sequence[Gate],
    gates: t.Sequence[Gate],
    now: float,
    lasted: float,
    seconds: float,
    since: float | None,
) -> tuple[list[Verdict], list[Verdict]]:
    """Return the verdicts of the triggers and of the gates on what was read.

    now: epoch seconds. lasted: seconds since the watch began. seconds: how long it is meant to last.
    since: epoch seconds at which a violation of a trigger may have begun; None: as long ago as its window is.
    """

    def judge_last(gate: Gate, last: float) -> Verdict:
        return reader.judge([gate], Period(now - last, now, min(last, seconds)))[0]

    of_triggers = reader.judge(triggers, Period(now - min(lasted, seconds), now, 0.0, since))
    return of_triggers, [judge_watch(functools.partial(judge_last, gate), lasted, seconds) for gate in gates]
