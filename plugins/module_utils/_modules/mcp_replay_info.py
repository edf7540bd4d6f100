# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_replay_info: judge a past release, or any interval, by its metrics."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._gates import connect, options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_report import find
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record, summary
from ansible_collections.mcp.server.plugins.module_utils._replay import table
from ansible_collections.mcp.server.plugins.module_utils._replay.outcome import result_of
from ansible_collections.mcp.server.plugins.module_utils._replay.page import page
from ansible_collections.mcp.server.plugins.module_utils._replay.playback import Playback
from ansible_collections.mcp.server.plugins.module_utils._replay.polls import EVERY, Poll, Step, polls
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "prometheus": {**options.OPTION, "required": True},
        "release_id": {"type": "str"},
        "from": {"type": "str"},
        "to": {"type": "str"},
        "pool": {"type": "str", "choices": list(POOLS)},
        "checks": {
            "type": "list",
            "elements": "str",
            "choices": ["shift", "triggers"],
            "default": ["shift", "triggers"],
        },
        "gates": {"type": "dict", "default": {}},
        "triggers": {"type": "dict", "default": {}},
        "seconds": {"type": "float", "default": 600.0},
    },
    mutually_exclusive=[("release_id", "from"), ("release_id", "pool")],
    required_by={"from": ["pool"], "to": ["from"], "pool": ["from"]},
)
LONGEST = 12.0  # hours of an interval
PROGRESS = 5.0  # seconds between lines of progress


def run(task: Task) -> dict[str, t.Any]:
    """Return what RETURN of mcp_replay_info lists. Raise Failure."""
    params = task.params
    if params["seconds"] <= 0:
        raise Failure(f"seconds is {params['seconds']:g}: it must be more than 0.")
    server = Server.from_params(params)
    triggers = (
        options.gates(thresholds.TRIGGERS, params["triggers"], "triggers") if "triggers" in params["checks"] else []
    )
    gates = options.gates(thresholds.SHIFT, params["gates"], "gates") if "shift" in params["checks"] else []
    prometheus = connect.connect(params)
    now = prometheus.now()
    release = None
    if not params["from"]:
        release = find(record.read(connection.connect(params), server)[0], params["release_id"], server)
    pool = release["to"]["pool"] if release else params["pool"]
    steps = _steps(release, params, now)
    hours = (steps[-1].end - steps[0].begin) / 3600
    if hours > LONGEST:
        raise Failure(
            f"Cannot replay {_times.iso_of(steps[0].begin)} to {_times.iso_of(steps[-1].end)}: "
            f"it is {hours:.1f} hours, {LONGEST:g} are allowed. Choose a shorter interval."
        )

    # As in a release, what came before it does not roll it back.
    since = started(release) if release else None
    back = params["seconds"] + max([0.0, *(gate.window or 0.0 for gate in triggers)])
    playback = Playback(prometheus, steps[0].begin, steps[-1].end)
    reader = MetricsReader(
        playback, server, pool, params["prometheus"], back, lambda: connect.memory_limit(params, server, pool)
    )
    replayed = polls(reader, playback, triggers, gates, steps, since, params["seconds"])
    seen = list(_with_progress(replayed, task))
    if not seen:
        raise Failure(
            f"Cannot replay {_times.iso_of(steps[0].begin)} to {_times.iso_of(steps[-1].end)}: it is shorter than "
            f"the {EVERY:g} s "
            "between polls. Choose a longer interval."
        )
    result: dict[str, t.Any] = {
        "changed": False,
        "pool": pool,
        "from": _times.iso_of(steps[0].begin),
        "to": _times.iso_of(steps[-1].end),
        "release": {key: release.get(key) for key in ("id", "started", "ended", "outcome")} if release else None,
        "polls": len(seen),
        **result_of(seen, steps),
    }
    lines = table.lines(result)
    for line in lines:
        task.progress(line)
    return {**result, "lines": lines, "html": page(result, seen, steps, str(server))}


def _steps(release: record.Release | None, params: dict[str, t.Any], now: float) -> list[Step]:
    if release:
        return steps_of(summary.readable(release), now)
    return [Step(*interval(params["from"], params["to"], now))]


def _with_progress(replayed: t.Iterable[Poll], task: Task) -> t.Iterator[Poll]:
    last = time.monotonic()
    for poll in replayed:
        if time.monotonic() - last >= PROGRESS:
            last = time.monotonic()
            task.progress(f"replayed until {_times.clock(_times.iso_of(poll.at))}")
        yield poll


def interval(begin: str, end: str | None, now: float) -> tuple[float, float]:
    """Return two times in ISO 8601 as epoch seconds. Raise Failure if they are no interval of the past."""
    first, last = _time(begin, "from"), _time(end, "to") if end else now
    if not first < last <= now:
        raise Failure(
            f"The interval from {begin} to {end or 'now'} is not one of the past: "
            f"from must be before to, and to must not be after {_times.iso_of(now)}."
        )
    return first, last


def _time(text: str, option: str) -> float:
    moment = _times.parse(text)
    if moment is None:
        raise Failure(f"{option} is {text!r}: it must be a time in ISO 8601, such as 2026-11-24T06:00:00Z.")
    return moment.timestamp()


def steps_of(release: record.Release, now: float) -> list[Step]:
    """Return the steps at which the new pool had traffic; each lasts until the next one. Raise Failure."""
    pool = release["to"]["pool"]
    at = [
        (moment.timestamp(), step["weights"].get(pool))
        for step in release["steps"]
        if (moment := _times.parse(step.get("at")))
    ]
    ended = _times.parse(release.get("ended"))
    last = min(now, ended.timestamp()) if ended else now
    steps = [
        Step(begin, end, weight)
        for (begin, weight), end in zip(at, [*(begin for begin, _weight in at[1:]), last], strict=False)
    ]
    steps = [step for step in steps if isinstance(step.weight, int) and step.weight > 0 and step.begin < step.end]
    if not steps:
        raise Failure(
            f"Cannot replay release {release['id']}: it gave pool {pool} no traffic. "
            "To replay an interval, set from, to and pool."
        )
    if release.get("outcome") == record.ROLLED_BACK:
        # The breach may have been seen after the last of these polls.
        steps[-1] = replace(steps[-1], end=min(now, steps[-1].end + EVERY))
    return steps


def started(release: record.Release) -> float | None:
    """Return when the release began, in epoch seconds; None if the record does not say."""
    moment = _times.parse(release.get("started"))
    return moment.timestamp() if moment else None
