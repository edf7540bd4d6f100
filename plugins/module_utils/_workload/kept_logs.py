# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The logs of a bad pool, kept in the release record's ConfigMap before a rollback ends its pods.

Only the last rollback's are kept, under a data key of their own, which writes of the record leave as it is. They have
no secrets in them (_redact.py), and their size is bounded far below the 1 MiB of a ConfigMap. A rollback goes on
without them whatever happens: keep() never raises.
"""

from __future__ import annotations

import json
import typing as t
from collections import deque
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._redact import is_secret_name, redact, redacted_tail
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task, without_secrets
from ansible_collections.mcp.server.plugins.module_utils._text import SHORTEST_WORD, escaped, hide, printable
from ansible_collections.mcp.server.plugins.module_utils._workload import logs
from ansible_collections.mcp.server.plugins.module_utils._workload.logs import Container, Ending, Part
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import Object, is_ready, name_of

KEY = "logs"  # in the ConfigMap's data
PODS = 10
LINES = 200  # of a container
BYTES = 32 * 1024  # of a container, as JSON
ALL_BYTES = 200 * 1024  # of all, likewise
LINE = 2000  # characters
LEAST = 8 * 1024  # characters of a container from which secrets are removed, as that of a hostile log takes time
SECONDS = 5.0  # for all of it: the pods are not ended before
READ_SECONDS = 3.0  # until what has not been read is left out
REQUEST_SECONDS = 2.0  # of each other request
WRITE_SECONDS = 1.0  # that are kept for the write
READ_BYTES = 8 * 1024 * 1024  # that are read of all logs for that
PROBLEM = 300  # characters


@dataclass(frozen=True)
class Log:
    """The last lines of one container."""

    pod: str
    container: str
    previous: bool
    lines: tuple[str, ...]
    # Why there are none, or not all of the last ones; empty otherwise.
    problem: str = ""

    @property
    def title(self) -> str:
        return str(Container(self.pod, self.container, self.previous))


@dataclass(frozen=True)
class Kept:
    """What was kept of a pool. release: the id of the one that was rolled back; empty without a record."""

    release: str
    pool: str
    at: str
    logs: tuple[Log, ...] = field(default=())
    # Pods of the pool that were too many.
    pods_left_out: int = 0

    @property
    def lines(self) -> int:
        return sum(len(log.lines) for log in self.logs)


def keep(task: Task, cluster: Api, server: Server, pool: str) -> dict[str, t.Any] | None:
    """Keep the last lines of the pool's containers. Return what a result says of it; None when nothing was kept.

    What fails is a warning: the pods are ended all the same.
    """
    try:
        return _keep(task, cluster, server, pool, Deadline(SECONDS))
    except Failure as failure:
        why = failure.msg
    except Exception as error:
        why = f"{type(error).__name__}."
    task.warn(f"The logs of pool {pool} of {server} were not kept. {why}")
    return None


def _soon(cluster: Api, bound: Deadline) -> Api:
    """Return the API server for one request, which must not take longer than the time that is left."""
    if not bound.left:
        raise Failure(f"It would have taken more than {bound.seconds:g} s: the API server is slow.")
    return cluster.limited(0.0, min(REQUEST_SECONDS, bound.left))


def _keep(task: Task, cluster: Api, server: Server, pool: str, bound: Deadline) -> dict[str, t.Any] | None:
    workload = _soon(cluster, bound).get(server.workload_path(pool))
    selector = selectors.labels(mapping(workload, "spec", "selector", "matchLabels"))
    listed = _soon(cluster, bound).get(paths.pods(server.namespace), labelSelector=selector) if selector else {}
    pods = items(listed, "items")
    chosen = worst_first(pods)[:PODS]
    wanted = [container for pod in chosen for container in containers(pod, server.container or server.name)]
    if not wanted:
        return None
    found: dict[Container, deque[str]] = {container: deque(maxlen=LINES) for container in wanted}
    endings = logs.read(
        _soon(cluster, bound),
        server.namespace,
        wanted,
        Part(tail_lines=LINES, timestamps=True),
        lambda container, line: found[container].append(line),
        seconds=min(READ_SECONDS, max(bound.left - WRITE_SECONDS, 0.0)),
        max_bytes=READ_BYTES,
    )
    if endings and all(ending.reason == logs.FORBIDDEN for ending in endings):
        raise Failure(
            f"{endings[0].message} To keep the logs of a bad pool, it needs get on pods/log (docs/rollback.md)."
        )
    secrets = {value for pod in pods for value in written_secrets(pod)}
    room = min(max(2 * ALL_BYTES // len(wanted), LEAST), 2 * BYTES)
    shown = []
    for ending in endings:
        # To remove the secrets from hostile lines takes time.
        if bound.left < WRITE_SECONDS:
            shown.append(
                _log(replace(ending, message=f"There was no time for its lines in {SECONDS:g} s."), (), secrets)
            )
        else:
            shown.append(_log(ending, recent(found[ending.container], room), secrets))
    release = _release_id(_soon(cluster, bound), server, pool)
    kept = Kept(release, pool, record.now(cluster), fitting(shown), len(pods) - len(chosen))
    _write(_soon(cluster, bound), server, kept)
    count = f"{len(wanted)} log{'' if len(wanted) == 1 else 's'}"
    task.progress(f"kept the last {kept.lines} lines of {count} of pool {pool}, before its pods end")
    return {"pool": pool, "logs": len(kept.logs), "lines": kept.lines, "pods_left_out": kept.pods_left_out}


def worst_first(pods: t.Iterable[Object]) -> list[Object]:
    """Return the pods, those that are not ready first, then by their restarts. Pure."""

    def restarts(pod: Object) -> int:
        counts = [one.get("restartCount") for one in items(pod, "status", "containerStatuses")]
        return max((count for count in counts if isinstance(count, int)), default=0)

    return sorted(pods, key=lambda pod: (is_ready(pod), -restarts(pod), name_of(pod)))


def containers(pod: Object, own: str) -> list[Container]:
    """Return the logs that a pod may have: of its containers, its own first, and of the runs before a restart. Pure.

    own: the name of the server's container. Of init containers, those that failed.
    """
    statuses = items(pod, "status", "containerStatuses")
    begun = {str(one.get("name")): one for one in statuses}
    names = [str(one.get("name")) for one in items(pod, "spec", "containers")]
    failed = [one for one in items(pod, "status", "initContainerStatuses") if one.get("ready") is not True]
    for status in failed:
        begun[str(status.get("name"))] = status
    found = []
    for name in [*sorted(names, key=lambda name: name != own), *(str(one.get("name")) for one in failed)]:
        found.append(Container(name_of(pod), name))
        if begun.get(name, {}).get("restartCount"):
            found.append(Container(name_of(pod), name, previous=True))
    return found


def written_secrets(pod: Object) -> set[str]:
    """Return the values of a pod's environment that have the name of a secret and are written into the pod. Pure."""
    variables = [one for container in items(pod, "spec", "containers") for one in items(container, "env")]
    return {
        value
        for one in variables
        if is_secret_name(str(one.get("name") or ""))
        and isinstance(value := one.get("value"), str)
        and len(value) >= SHORTEST_WORD
    }


def _log(ending: Ending, lines: t.Sequence[str], secrets: set[str]) -> Log:
    container = ending.container
    shown = [_cut(escaped(without_secrets(hide(line, secrets)), keep="\t")) for line in redacted_tail(list(lines))]
    return Log(container.pod, container.name, container.previous, tuple(shown), printable(ending.message, PROBLEM))


def recent(lines: t.Sequence[str], room: int) -> list[str]:
    """Return as many of the last lines as there is room for, in characters, each cut to twice what is kept. Pure."""
    found: deque[str] = deque()
    for line in reversed(lines):
        line = line[: 2 * LINE]
        room -= len(line) + 1
        if room < 0:
            break
        found.appendleft(line)
    return list(found)


def _cut(line: str) -> str:
    return line if len(line) <= LINE else f"{line[: LINE - 3]}..."


def fitting(found: t.Sequence[Log]) -> tuple[Log, ...]:
    """Return the logs with as many of their last lines as there is room for. Pure.

    The logs share the room evenly, and what some do not need goes to the others.
    """
    left, share = ALL_BYTES, {}
    wanted = sorted(range(len(found)), key=lambda index: _size(found[index].lines))
    for position, index in enumerate(wanted):
        share[index] = min(BYTES, left // (len(wanted) - position), _size(found[index].lines))
        left -= share[index]
    return tuple(_last(log, share[index]) for index, log in enumerate(found))


def _size(lines: t.Iterable[str]) -> int:
    return sum(map(_size_of, lines))


def _size_of(line: str) -> int:
    return len(json.dumps(line, ensure_ascii=False).encode("utf-8", errors="replace")) + 2  # comma and space


def _last(log: Log, room: int) -> Log:
    lines: deque[str] = deque()
    for line in reversed(log.lines):
        room -= _size_of(line)
        if room < 0:
            break
        lines.appendleft(line)
    return Log(log.pod, log.container, log.previous, tuple(lines), log.problem)


def _release_id(cluster: Api, server: Server, pool: str) -> str:
    """Return the id of the newest release, when it went to this pool; empty otherwise."""
    try:
        current = record.read(cluster, server)[0].current
    except Failure:
        return ""
    return current["id"] if current and current["to"]["pool"] == pool else ""


def _write(cluster: Api, server: Server, kept: Kept) -> None:
    text = json.dumps(asdict(kept), ensure_ascii=False)
    name = record.name_of_map(server)
    try:
        cluster.patch(paths.config_maps(server.namespace, name), {"data": {KEY: text}})
    except NotFound:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": record.LABELS},
            "data": {KEY: text},
        }
        cluster.create(paths.config_maps(server.namespace), body)


def read(cluster: Api, server: Server) -> Kept | None:
    """Return what the last rollback kept; None without it. Raises Failure when the ConfigMap can't be read."""
    try:
        found = cluster.get(paths.config_maps(server.namespace, record.name_of_map(server)))
    except NotFound:
        return None
    return parse(mapping(found, "data").get(KEY))


def parse(text: t.Any) -> Kept | None:
    """Return what was kept, by the text in the ConfigMap, which anybody may have edited; None when it is not so. Pure.

    It is bounded and redacted once more.
    """
    try:
        document = json.loads(text or "null")
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("pool") not in POOLS:
        return None
    found = [
        Log(
            printable(str(one.get("pod") or ""), PROBLEM),
            printable(str(one.get("container") or ""), PROBLEM),
            one.get("previous") is True,
            tuple(redacted_tail([_cut(escaped(line, keep="\t")) for line in _texts(one.get("lines"))])),
            printable(redact(str(one.get("problem") or "")), PROBLEM),
        )
        for one in items(document, "logs")[: PODS * 8]
    ]
    left_out = document.get("pods_left_out")
    return Kept(
        printable(str(document.get("release") or ""), PROBLEM),
        document["pool"],
        printable(str(document.get("at") or ""), PROBLEM),
        fitting(found),
        left_out if isinstance(left_out, int) else 0,
    )


def _texts(found: t.Any) -> list[str]:
    return [one for one in found[-LINES:] if isinstance(one, str)] if isinstance(found, list) else []
