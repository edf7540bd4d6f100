# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._diagnose import patterns, streams
from ansible_collections.mcp.server.plugins.module_utils._diagnose.sources import Sources
from ansible_collections.mcp.server.plugins.module_utils._diagnose.streams import Log
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving

SEARCHED = patterns.searched([])
REFUSED = ("2026-11-27T22:00:00Z", "database connection refused")


def log(name: str, **more: t.Any) -> Log:
    return Log(f"log of pod {name}", "prod", name, "mcp", **more)


def read(opened: dict[str, t.Any], seconds: float = 5.0) -> tuple[streams.Counted, Sources, list[str]]:
    """Return what is read of logs, each of which has lines, fails, or is slow."""
    sources, shown = Sources(), list[str]()

    def open_one(one: Log) -> t.Iterable[tuple[str, str]]:
        given = opened[one.pod]
        if isinstance(given, Exception):
            raise given
        return t.cast("t.Iterable[tuple[str, str]]", given() if callable(given) else given)

    logs = [log(name, optional="get it, which is optional") for name in opened]
    return streams.read(logs, open_one, SEARCHED, Deadline(seconds), sources, shown.append), sources, shown


def test_what_fails_is_noted_and_the_rest_goes_on() -> None:
    found, sources, _shown = read(
        {
            "a": [REFUSED, REFUSED],
            "b": Forbidden("no"),
            "c": NotFound("pod c is gone"),
            "d": ZeroDivisionError(),
            "e": [("", "well")],
        }
    )
    (one,) = found.findings
    assert (one.cause, one.count, one.where, found.logs, found.lines) == ("database", 2, "log of pod a", 2, 3)
    assert one.said == "2 times, last: database connection refused"
    assert sorted(sources.not_read) == [
        "Log of pod b: not read, as this user has no right to (get it, which is optional); see docs/diagnose.md.",
        "Log of pod c: not read. pod c is gone",
        "Log of pod d: not read. ZeroDivisionError",
    ]


def at(seconds: int, text: str = "GET /health 503") -> tuple[str, str]:
    return f"2026-11-27T22:{seconds // 60:02}:{seconds % 60:02}Z", text


BAD = "database connection refused"


@pytest.mark.parametrize(
    ("times", "others", "ready", "over"),
    [
        # Not of a start: what clients do comes and goes
        ([70, 71], range(0, 200, 5), "", ""),
        ([1, 2, 3], range(0, 60, 5), "", "not in its last 52 s"),
        ([1, 2, 3], range(0, 60, 5), "2026-11-27T22:00:05Z", "not since the pod is ready"),
        ([1, 2, 3], [], "2026-11-27T22:00:05Z", "not since the pod is ready"),
        ([1, 20, 40, 58], range(0, 60, 5), "", ""),
        ([1, 20, 40], range(0, 60, 5), "", ""),
        # Its last words, before it ends or while it waits
        ([1, 2, 3], [], "", ""),
        ([50], range(0, 60, 5), "2026-11-27T22:00:05Z", ""),
        ([1], range(0, 60, 5), "", "not in its last 54 s"),
    ],
)
def test_lines_of_a_start_have_stopped(times: list[int], others: t.Iterable[int], ready: str, over: str) -> None:
    lines = sorted([*(at(one, BAD) for one in times), *map(at, others)])
    found = streams.read(
        [log("a", ready=ready, started="2026-11-27T22:00:00Z")],
        lambda _log: lines,
        SEARCHED,
        Deadline(5),
        Sources(),
        str,
    )
    (one,) = found.findings
    assert one.over is bool(over) and over in one.said


def test_what_is_slow_is_not_waited_for() -> None:
    def slow() -> t.Iterator[tuple[str, str]]:
        time.sleep(20)
        yield REFUSED

    begin = time.monotonic()
    found, sources, _shown = read({**dict.fromkeys("wxyz", slow), "a": [REFUSED]}, seconds=0.5)
    assert time.monotonic() - begin < 3 and found.logs == 0
    (noted,) = sources.not_read
    assert noted.endswith("and 2 more: not read within 0.5 s (timeout, mcp_diagnose_timeout).")


def test_no_logs() -> None:
    found, sources, _shown = read({})
    assert (found.logs, found.findings, sources.not_read) == (0, [], [])


def status(**more: t.Any) -> dict[str, t.Any]:
    return {"name": "mcp", "ready": True, "state": {"running": {}}, **more}


def test_the_sick_pods_come_first_and_logs_from_before_restarts_count() -> None:
    def pod(name: str, ready: str, *statuses: dict[str, t.Any]) -> dict[str, t.Any]:
        conditions = [{"type": "Ready", "status": ready}]
        return {
            "metadata": {"name": name, "namespace": "prod"},
            "status": {"conditions": conditions, "containerStatuses": list(statuses)},
        }

    restarted = status(lastState={"terminated": {"exitCode": 1}})
    never = {"name": "mcp", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    pods = [
        pod("well", "True", status(), status(name="sidecar")),
        pod("sick", "False", restarted),
        pod("new", "False", never),
    ]
    found = streams.of_pods(Sources(pods={"blue": pods}))
    assert [(one.pod, one.container, one.previous, one.pool) for one in found] == [
        ("sick", "mcp", False, "blue"),
        ("sick", "mcp", True, "blue"),
        ("well", "mcp", False, "blue"),
        ("well", "sidecar", False, "blue"),
    ]


class Node:
    """An API server that has the log of a node."""

    def __init__(self, text: bytes) -> None:
        self.text, self.asked = text, dict[str, str]()

    def now(self) -> t.Any:
        return ApiServer({}).now()

    def stream(self, _path: str, *, seconds: float, max_bytes: int, **query: str) -> t.Iterator[bytes]:
        self.asked = query
        yield self.text


def of_node(text: bytes) -> list[tuple[str, str]]:
    one = Log("log of the kubelet", "", "", "", path="/api/v1/nodes/n/proxy/logs/")
    return list(streams.lines(t.cast(t.Any, Node(text)), one, 60, 5, 1 << 20))


def test_the_log_of_a_kubelet() -> None:
    assert of_node(b"one\ntwo\n") == [("", "one"), ("", "two")]
    with pytest.raises(Failure, match="NodeLogQuery"):
        of_node(b"<!doctype html>\n<pre>\n<a href='x'>x</a>\n")


def test_times_are_taken_off_lines() -> None:
    api = ApiServer({"/api/v1/namespaces/prod/pods/a": {"spec": {"containers": [{"name": "mcp"}]}}})
    api.logs["a/mcp"] = b"2026-11-27T22:00:00.1Z one two\nunable to retrieve logs\n"
    assert list(streams.lines(api, log("a"), 60, 5, 1 << 20)) == [
        ("2026-11-27T22:00:00.1Z", "one two"),
        ("", "unable to retrieve logs"),
    ]
    assert api.log[0].query["sinceSeconds"] == "60"


READER = """
import sys
from ansible_collections.mcp.server.plugins.module_utils._diagnose import patterns, streams
from ansible_collections.mcp.server.plugins.module_utils._diagnose.sources import Sources
from ansible_collections.mcp.server.plugins.module_utils._diagnose.streams import Log
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
cluster, sources = Cluster(Access(sys.argv[1])), Sources()
logs = [Log(name, "prod", name, "mcp") for name in "abcd"]
found = streams.read(
    logs,
    lambda log: streams.lines(cluster, log, 3600, 100, 1 << 30),
    patterns.searched([]),
    Deadline(100),
    sources,
    lambda line: None,
)
# Not ru_maxrss, which begins with what the parent had.
(peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(found.lines, sum(one.count for one in found.findings), len(sources.not_read), peak)
"""


def test_100_mib_are_searched_in_60_mib_of_memory() -> None:
    line = b"2026-11-27T22:00:00.000000000Z " + b"GET /mcp answered in 3 ms for client 10.0.0.7 " * 3 + b"\n"
    piece, rare = line * 400, b"2026-11-27T22:00:01.000000000Z database connection refused\n"
    number = 27 * 2**20 // len(piece)

    def large() -> t.Iterator[bytes]:
        return (piece if each % 50 else piece + rare for each in range(number))

    pod = {"spec": {"containers": [{"name": "mcp"}]}}
    api = ApiServer({f"/api/v1/namespaces/prod/pods/{name}": pod for name in "abcd"})
    api.logs.update({f"{name}/mcp": large for name in "abcd"})
    with serving(api) as url:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", READER, url], capture_output=True, text=True, env=environment, check=True
        )
    lines, refused, not_read, kilobytes = map(int, done.stdout.split())
    rares = 4 * len(range(0, number, 50))
    assert 4 * number * len(piece) > 100_000_000
    assert (lines, refused, not_read) == (4 * number * 400 + rares, rares, 0)
    assert kilobytes <= 60 * 1024, kilobytes
