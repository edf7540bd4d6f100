# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
import time
import typing as t
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, BadRequest, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._workload import logs
from ansible_collections.mcp.server.plugins.module_utils._workload.logs import Container, Part, read, split
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, Log
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving

settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")

NAMESPACE = "shop"
ALL = Part()


def fake(**written: Log) -> ApiServer:
    """Return an API server with pods of one container each, by what it has written."""
    api = ApiServer({paths.pods(NAMESPACE, pod): {"spec": {"containers": [{"name": "mcp"}]}} for pod in written})
    api.logs = {f"{pod}/mcp": log for pod, log in written.items()}
    return api


def containers(*pods: str) -> list[Container]:
    return [Container(pod, "mcp") for pod in pods]


def taken(
    api: Api, wanted: t.Sequence[Container], part: Part = ALL, seconds: float = 10.0, max_bytes: int = logs.MAX_BYTES
) -> tuple[dict[str, list[str]], dict[str, logs.Ending]]:
    found: dict[str, list[str]] = defaultdict(list)
    endings = read(
        api,
        NAMESPACE,
        wanted,
        part,
        lambda container, line: found[str(container)].append(line),
        seconds=seconds,
        max_bytes=max_bytes,
    )
    return dict(found), {str(ending.container): ending for ending in endings}


@given(st.lists(st.binary(max_size=8) | st.just(b"\n"), max_size=12))
def test_lines_are_the_same_however_the_pieces_come(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    lines = text.split(b"\n")
    expected = [line.decode("utf-8", "replace").removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]
    assert list(split(pieces)) == expected


def test_a_line_without_an_end_takes_no_memory() -> None:
    pieces = (b"x" * 65536 for _piece in range(160))
    (line,) = split(pieces)
    assert line == "x" * logs.MAX_LINE + logs.CUT
    assert [len(one) for one in split([b"y" * logs.MAX_LINE + b"\n", b"z"])] == [logs.MAX_LINE, 1]


def test_logs_come_over_http_as_they_are() -> None:
    text = "one\r\ntwo \N{EURO SIGN}\n".encode() + b"\xff three"
    with serving(fake(a=text, b=b"")) as url:
        found, endings = taken(Cluster(Access(url)), containers("a", "b"))
    assert found == {"a/mcp": ["one", "two \N{EURO SIGN}", "\N{REPLACEMENT CHARACTER} three"]}
    assert [(one.reason, one.lines, one.bytes) for one in endings.values()] == [("", 3, len(text)), ("", 0, 0)]


def test_the_part_is_asked_for() -> None:
    api = fake(a=b"1\n2\n3\n")
    found, _endings = taken(api, containers("a"), Part(tail_lines=2, since_seconds=60, limit_bytes=3, timestamps=True))
    assert found == {"a/mcp": ["2", "3"]}
    assert api.log[-1].query == {
        "container": "mcp",
        "timestamps": "true",
        "tailLines": "2",
        "sinceSeconds": "60",
        "limitBytes": "3",
    }


def test_what_cannot_be_read_is_data_and_the_rest_is_read() -> None:
    api = fake(a=b"fine\n", b=b"")
    del api.logs["b/mcp"]
    api.objects[paths.pods(NAMESPACE, "b")]["status"] = {
        "containerStatuses": [{"name": "mcp", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]
    }
    api.fail(Unreachable("It is away."), "GET", "/pods/c/log")
    wanted = [*containers("a", "b", "c", "gone"), Container("a", "mcp", previous=True)]
    for through in ("memory", "http"):
        if through == "memory":
            found, endings = taken(api, wanted)
        else:
            api.fail(Unreachable("It is away."), "GET", "/pods/c/log")
            with serving(api) as url:
                found, endings = taken(Cluster(Access(url)), wanted)
        assert found == {"a/mcp": ["fine"]}
        assert {name: one.reason for name, one in endings.items()} == {
            "a/mcp": "",
            "b/mcp": logs.NONE,
            "c/mcp": logs.CUT_SHORT,
            "gone/mcp": logs.GONE,
            "a/mcp (previous)": logs.NONE,
        }
        assert "waiting to start: ImagePullBackOff" in endings["b/mcp"].message
    api.refused = {"get pods/log"}
    assert taken(api, containers("a"))[1]["a/mcp"].reason == logs.FORBIDDEN


def test_one_log_alone_raises_what_the_api_server_answers() -> None:
    api = fake(a=b"fine\n")
    with serving(api) as url:
        cluster = Cluster(Access(url))
        assert list(logs.lines(cluster, NAMESPACE, Container("a", "mcp"), ALL, 5.0)) == ["fine"]
        with pytest.raises(NotFound, match='pods "b" not found'):
            list(logs.lines(cluster, NAMESPACE, Container("b", "mcp"), ALL, 5.0))
        with pytest.raises(BadRequest, match="container other is not valid"):
            list(logs.lines(cluster, NAMESPACE, Container("a", "other"), ALL, 5.0))


def endless() -> t.Iterator[bytes]:
    while True:
        yield b"again\n" * 100


def dripping() -> t.Iterator[bytes]:
    while True:
        time.sleep(0.05)
        yield b"."


def cut() -> t.Iterator[bytes]:
    yield b"first\n"
    raise OSError


def test_all_together_are_bounded_in_bytes() -> None:
    with serving(fake(a=endless, b=endless)) as url:
        found, endings = taken(Cluster(Access(url)), containers("a", "b"), max_bytes=100_000)
    assert {one.reason for one in endings.values()} == {logs.CUT_SHORT}
    assert sum(one.bytes for one in endings.values()) == 100_000
    assert sum(len(line) + 1 for lines in found.values() for line in lines) <= 100_002


def test_all_together_are_bounded_in_time() -> None:
    pods = [f"p{number}" for number in range(20)]
    started = time.monotonic()
    with serving(fake(**dict.fromkeys(pods, dripping))) as url:
        _found, endings = taken(Cluster(Access(url), patience=60.0), containers(*pods), seconds=0.5)
        took = time.monotonic() - started
    assert {one.reason for one in endings.values()} == {logs.CUT_SHORT} and len(endings) == 20
    assert took < 2.0


def test_a_log_that_is_cut_keeps_what_there_was() -> None:
    with serving(fake(a=cut)) as url:
        found, endings = taken(Cluster(Access(url)), containers("a"))
    assert found == {"a/mcp": ["first"]} and endings["a/mcp"].reason == logs.CUT_SHORT


def test_an_api_server_that_is_away_is_no_longer_waited_for_than_the_logs() -> None:
    started = time.monotonic()
    _found, endings = taken(Cluster(Access("http://127.0.0.1:9"), patience=60.0), containers("a"), seconds=0.3)
    assert endings["a/mcp"].reason == logs.CUT_SHORT and time.monotonic() - started < 2.5


READER = """
import sys
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster
from ansible_collections.mcp.server.plugins.module_utils._workload.logs import Container, Part, read
count = 0
def take(container, line):
    global count
    count += len(line) + 1
pods = [Container(name, "mcp") for name in "abcd"]
endings = read(Cluster(Access(sys.argv[1])), "shop", pods, Part(), take, seconds=120.0, max_bytes=1 << 30)
# Not ru_maxrss, which begins with what the parent had.
(peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(sum(one.bytes for one in endings), peak)
"""


def test_100_mib_are_read_in_60_mib_of_memory() -> None:
    def large() -> t.Iterator[bytes]:
        piece = (b"x" * 119 + b"\n") * 546  # 65520 bytes
        return (piece for _piece in range(400))

    with serving(fake(a=large, b=large, c=large, d=large)) as url:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", READER, url], capture_output=True, text=True, env=environment, check=True
        )
    read_bytes, kilobytes = map(int, done.stdout.split())
    assert read_bytes == 4 * 400 * 65520 >= 100_000_000
    assert kilobytes <= 60 * 1024, kilobytes
