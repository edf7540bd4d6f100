# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Poll and judge as the watch of a release does, over a past interval and by the clock of that time."""

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
EARLIER = 60.0  # seconds before the longest window: a violation that fills it now began in them


@dataclass(frozen=True)
class Step:
    """A time in which the weights stayed the same."""

    begin: float  # epoch seconds
    end: float  # epoch seconds
    weight: int | None = None  # percent of the judged pool; None: the record does not say


@dataclass(frozen=True)
class Poll:
    """The verdicts of one poll."""

    at: float  # epoch seconds
    step: int  # the position of its step
    last: bool  # whether it is the last poll of that step
    triggers: t.Sequence[Verdict]
    gates: t.Sequence[Verdict]


def polls(
    reader: MetricsReader,
    playback: Playback,
    triggers: t.Sequence[Gate],
    gates: t.Sequence[Gate],
    steps: t.Sequence[Step],
    since: float | None,
    seconds: float,
) -> t.Iterator[Poll]:
    """Yield each poll of the steps, which are in order and don't overlap.

    since: epoch seconds at which a violation of a trigger may have begun; None: as long ago as its window is.
    seconds: gates without a window are judged over the last so many seconds of a step.
    """
    # The distances of polls are multiples of EVERY (see Playback.values).
    times = [
        (number, steps[0].begin + EVERY * position)
        for number, step in enumerate(steps)
        for position in _positions(step, steps[0].begin)
    ]
    longest = max([0.0, *(gate.window or 0.0 for gate in triggers)]) + EARLIER
    for (number, at), following in zip(times, [*times[1:], (-1, 0.0)], strict=True):
        step = steps[number]
        playback.at = at
        reader.read([*triggers, *gates])
        judged = gates_at_weight(step.weight, gates)
        lasted, whole = min(at - step.begin, seconds), min(step.end - step.begin, seconds)
        # A poll costs the same in an interval of any length.
        earliest = None if since is None else max(since, at - lasted - longest)
        of_triggers, of_gates = poller.judge_poll(reader, triggers, judged, at, lasted, whole, earliest)
        yield Poll(at, number, following[0] != number, of_triggers, of_gates)


def _positions(step: Step, start: float) -> range:
    return range(math.ceil((step.begin - start) / EVERY), math.floor((step.end - start) / EVERY) + 1)
