# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch of a release over a past interval: the same reading and judging at the same distance, by the clock of then."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._gates import poller
from ansible_collections.mcp.server.plugins.module_utils._gates.decide import gates_at_weight
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Verdict
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._replay.playback import Playback

EVERY = 5.0  # seconds between polls
EARLIER = 60.0  # seconds before the longest window: a streak that is full now began in them


@dataclass(frozen=True)
class Step:
    """begin, end: epoch seconds. weight: percent of the judged pool, None where the record doesn't tell."""

    begin: float
    end: float
    weight: int | None = None


@dataclass(frozen=True)
class Poll:
    """One poll. step: the number of the one that it is in. last: of that step's."""

    at: float
    step: int
    last: bool
    triggers: t.Sequence[Verdict]
    gates: t.Sequence[Verdict]


def polls(
    source: MetricsReader,
    playback: Playback,
    triggers: t.Sequence[Gate],
    gates: t.Sequence[Gate],
    steps: t.Sequence[Step],
    since: float | None,
    seconds: float,
) -> t.Iterator[Poll]:
    """Every poll of the steps, which are in order and don't overlap.

    since: epoch seconds when the windows of the triggers may have begun, None for as long as they are.
    seconds: what is judged at once is judged over the last so many of a step.
    """
    # All are a whole number of polls apart (see Playback.values).
    polls = [
        (number, steps[0].begin + EVERY * position)
        for number, step in enumerate(steps)
        for position in _positions(step, steps[0].begin)
    ]
    longest = max([0.0, *(gate.window or 0.0 for gate in triggers)]) + EARLIER
    for (number, at), following in zip(polls, [*polls[1:], (-1, 0.0)], strict=True):
        step = steps[number]
        playback.at = at
        source.read([*triggers, *gates])
        judged = gates_at_weight(step.weight, gates)
        lasted, whole = min(at - step.begin, seconds), min(step.end - step.begin, seconds)
        # So a poll costs the same in an interval of any length.
        begun = None if since is None else max(since, at - longest)
        yield Poll(
            at, number, following[0] != number, *poller.verdicts(source, triggers, judged, at, lasted, whole, begun)
        )


def _positions(step: Step, start: float) -> range:
    return range(math.ceil((step.begin - start) / EVERY), math.floor((step.end - start) / EVERY) + 1)
