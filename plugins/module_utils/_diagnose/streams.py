# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the logs that may tell something, several at once, within one deadline, and count the patterns in them.

Logs are read as streams: memory does not grow with them.
"""

from __future__ import annotations

import queue
import re
import threading
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._diagnose.counting import Counts, Tally, count
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding
from ansible_collections.mcp.server.plugins.module_utils._diagnose.patterns import Searched
from ansible_collections.mcp.server.plugins.module_utils._diagnose.sources import Sources
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload import logs, pods

AT_ONCE = 4  # logs that are read side by side
MOST_PODS = 50  # of a pool, the sick ones first
EVERY = 5.0  # seconds between lines of progress
POLL = 0.2  # seconds
START = 60.0  # seconds after a container has started, in which it may say what passes by itself
SILENT = 15.0  # seconds for which its log then goes on without such a line, at least
GAPS = 3  # and this many times as long as it was silent between such lines
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
PAGE = ("<!doctype", "<pre", "<html")  # how the list of a folder begins


class Log(t.NamedTuple):
    """A log to read."""

    title: str
    namespace: str
    pod: str
    container: str
    previous: bool = False
    pool: str = ""
    # Lower-case texts, of which a line must contain one to count; empty for all lines.
    about: frozenset[str] = frozenset()
    # A path of the API in place of a container's log: of a node.
    path: str = ""
    # What says that the right to read it is optional.
    optional: str = ""
    # Since when the pod is ready, and the container runs; empty while it is not, or does not.
    ready: str = ""
    started: str = ""


# From a log to its lines, with the time of each. It ends early when the deadline is over. Raises Failure.
Opened = t.Callable[[Log], t.Iterable[tuple[str, str]]]


@dataclass
class Counted:
    """What was found in logs."""

    findings: list[Finding] = field(default_factory=list)
    lines: int = 0
    logs: int = 0


def of_pods(found: Sources) -> list[Log]:
    """Return the logs of the pods of both pools, and of their previous containers: the sick pods first. Pure."""
    found_logs = []
    for pool, its in found.pods.items():
        for pod in sorted(its, key=pods.is_ready)[:MOST_PODS]:
            name = pods.name_of(pod)
            ready = str(pods.condition(pod, "Ready").get("lastTransitionTime") or "") if pods.is_ready(pod) else ""
            statuses = [*items(pod, "status", "containerStatuses"), *items(pod, "status", "initContainerStatuses")]
            for status in statuses:
                container = str(status.get("name"))
                title = f"log of pod {printable(name, 100)}, container {printable(container, 100)}"
                namespace = str(mapping(pod, "metadata").get("namespace"))
                started = str(mapping(status, "state", "running").get("startedAt") or "")
                one = Log(title, namespace, name, container, pool=pool, ready=ready, started=started)
                if has_run(status):
                    found_logs.append(one)
                if mapping(status, "lastState", "terminated"):
                    found_logs.append(one._replace(title=f"{title}, before its restart", previous=True, started=""))
    return found_logs


def lines(
    cluster: Api, log: Log, since: float, seconds: float, max_bytes: int
) -> t.Generator[tuple[str, str], None, None]:
    """Yield time and text of the lines of a log that are not older than so many seconds.

    What was read of a log that is cut short counts. Raises Failure, when nothing was read.
    """
    if log.path:
        begin = _times.iso(cluster.now() - timedelta(seconds=since), "seconds")
        query = {"query": "kubelet", "sinceTime": begin}
        pieces = cluster.stream(log.path, seconds=seconds, max_bytes=max_bytes, **query)
        for number, line in enumerate(logs.split(pieces)):
            if not number and line.lstrip().lower().startswith(PAGE):
                raise Failure("The node does not answer queries (feature NodeLogQuery), only its folder /var/log.")
            yield "", line
        return
    part = logs.Part(since_seconds=max(int(since), 1), timestamps=True)
    one = logs.Container(log.pod, log.container, log.previous)
    begun = False
    try:
        for line in logs.lines(cluster, log.namespace, one, part, seconds, max_bytes):
            begun = True
            at, _space, text = line.partition(" ")
            yield (at, text) if STAMP.fullmatch(at) else ("", line)
    except Unreachable:
        if not begun:
            raise


def has_run(status: Object) -> bool:
    """Return whether a container has, or had, something to say."""
    state = mapping(status, "state")
    return status.get("ready") is True or any(state.get(one) is not None for one in ("running", "terminated"))


def of_gateway(its: t.Sequence[Object], about: t.Iterable[str]) -> list[Log]:
    """Return the logs of a gateway's pods, of which only the lines about the server count. Pure."""
    words = frozenset(one.lower() for one in about if one)
    return [
        Log(
            f"log of the gateway's pod {printable(pods.name_of(pod), 100)}, "
            f"container {printable(str(one.get('name')), 100)}",
            str(mapping(pod, "metadata").get("namespace")),
            pods.name_of(pod),
            str(one.get("name")),
            about=words,
        )
        for pod in its[:MOST_PODS]
        for one in items(pod, "status", "containerStatuses")
        if has_run(one)
    ]


def read(
    wanted: t.Sequence[Log],
    opened: Opened,
    patterns: t.Sequence[Searched],
    deadline: Deadline,
    sources: Sources,
    progress: t.Callable[[str], None],
) -> Counted:
    """Return what the logs say. Those that cannot be read, or not in time, are noted in sources."""
    waiting: queue.SimpleQueue[Log] = queue.SimpleQueue()
    for log in wanted:
        waiting.put(log)
    done: queue.SimpleQueue[tuple[Log, Counts, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        while deadline.left:
            try:
                log = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((log, count(opened(log), patterns, log.about), None))
            except Exception as error:  # one log must not end the others
                done.put((log, Counts({}), error))

    for _number in range(min(AT_ONCE, len(wanted))):
        threading.Thread(target=work, daemon=True).start()
    total, left, shown = Counted(), {log.title: log for log in wanted}, 0.0
    while left and deadline.left:
        if deadline.elapsed - shown >= EVERY:
            shown = deadline.elapsed
            progress(f"logs: {len(wanted) - len(left)} of {len(wanted)} read, {total.lines} lines")
        try:
            log, found, error = done.get(timeout=min(POLL, max(deadline.left, 0.01)))
        except queue.Empty:
            continue
        del left[log.title]
        if error is not None:
            sources.note(log.title[0].upper() + log.title[1:], error, log.optional)
            continue
        total.logs += 1
        total.lines += found.lines
        total.findings += [_finding(name, log, tally, found.end) for name, tally in found.tallies.items()]
    if left:
        sources.doubts += len(left)
        titles = sorted(left)
        more = f" and {len(titles) - 3} more" if len(titles) > 3 else ""
        sources.not_read.append(
            f"{'; '.join(titles[:3])}{more}: not read within {deadline.seconds:g} s (timeout, mcp_diagnose_timeout)."
        )
    return total


def _finding(name: str, log: Log, tally: Tally, end: str) -> Finding:
    shown = tally.lines()
    times = "once" if tally.count == 1 else f"{tally.count} times"
    over = has_stopped(tally, end, log.ready, log.started)
    if over and _is_before(tally.last, log.ready):
        times += ", not since the pod is ready"
    elif over:
        times += f", not in its last {_times.duration(_silence(tally, end))}"
    return Finding(
        name,
        log.title,
        f"{times}{'' if tally.count == 1 else ', last'}: {shown[-1]}",
        log.pool,
        tally.count,
        tally.first,
        tally.last,
        tuple(shown),
        over,
        facts={"pod": log.pod, "container": log.container} if log.pod else {},
    )


def has_stopped(tally: Tally, end: str, ready: str, started: str) -> bool:
    """Return whether a server has said this only while it started, so that it is no cause of what is wrong now. Pure.

    end: of the log. ready, started: of Log.
    """
    if _is_before(tally.last, ready):
        return True
    first, last, begun = (_times.parse(one) for one in (tally.first, tally.last, started))
    if last is None or begun is None or (last - begun).total_seconds() > START:
        return False
    gap = (last - (first or last)).total_seconds() / max(tally.count - 1, 1)
    return _silence(tally, end) > max(SILENT, GAPS * gap)


def _is_before(one: str, other: str) -> bool:
    times = _times.parse(one), _times.parse(other)
    return times[0] is not None and times[1] is not None and times[0] < times[1]


def _silence(tally: Tally, end: str) -> float:
    """Return for how many seconds a log went on after the last line of a kind."""
    ends: list[datetime | None] = [_times.parse(tally.last), _times.parse(end)]
    return max((ends[1] - ends[0]).total_seconds(), 0.0) if ends[0] and ends[1] else 0.0
