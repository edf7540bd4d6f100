# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe leaves nothing behind on a server, however it ends."""

from __future__ import annotations

import http.client
import itertools
import json
import time
import typing as t

import pytest

from .conftest import SHORT, Server
from .rows import Row
from .test_wire import BOTH, INITIALIZE, LIST

# The Python SDK leaks, or did, where others do not.
PROBES = {"python": 500, "fastmcp": 500, "typescript": 100, "go": 100}

# Good ones, and ones that fail at every level and in every way that a user can bring about.
KINDS: dict[str, dict[str, t.Any]] = {
    "auto": {},
    "legacy": {"era": "legacy"},
    "modern": {"era": "modern"},
    "sse": {"era": "sse"},
    "wrong version expected": {"expect_version": "9.9.9"},
    "isError": {"calls": [{"tool": "broken"}]},
    "no such tool": {"calls": [{"tool": "nowhere"}]},
    "assertion": {"calls": [{"tool": "measure", "that": ["structuredContent.temperature == `0`"]}]},
    "slow": {"stability": {"rounds": 2, "max_p95": 0.000001}},
    "no credentials": {"auth": {"expect_401": True}},
    "step of 1 ms": {"step_timeout": 0.001},
    "step of 2 ms": {"step_timeout": 0.002},
    "step of 4 ms": {"step_timeout": 0.004, "era": "legacy"},
    "Host": {"host": "mcp.example.com"},
}


def _keeps_something(row: Row) -> bool:
    return row.session_mode in ("stateful", "sse") and row.mode in ("stateful", "sse")


@pytest.mark.rows(only=_keeps_something)
def test_probes_leave_no_session_and_no_stream(server: Server) -> None:
    row = server.row
    _settled(server)
    before = server.counts()["sessions"]
    probes = PROBES[row.name.partition("-")[0]] if row.session_mode == "stateful" else 100
    kinds = list(itertools.islice(itertools.cycle(KINDS), min(probes, 100) if SHORT else probes))
    for kind in kinds:
        found = server.probe(**KINDS[kind])
        assert found["healthy"] or found["reason"], kind
    left = _settled(server)["sessions"] - before
    # 1.26 keeps one for each request whose Host it refuses, and does not give its id away.
    assert left == (kinds.count("Host") if row.name == "python-1.26-stateful" else 0)


@pytest.mark.rows(only=_keeps_something)
def test_a_probe_whose_time_is_over_ends_its_session(server: Server) -> None:
    server.probe()  # the first one takes longer
    before = _settled(server)["sessions"]
    for _probe in range(2):
        assert not server.probe(timeout=1, stability={"rounds": 100_000})["healthy"]
    # A busy machine may end the session a moment after we stopped waiting for its answer.
    deadline = time.monotonic() + 10
    while (left := _settled(server)["sessions"]) != before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert left == before


@pytest.mark.rows(only=lambda row: (row.session_mode, row.mode) == ("stateful", "stateful"))
def test_what_naive_probes_leave(server: Server) -> None:
    """For comparison: these are what the probe must not be."""
    row = server.row
    started = _settled(server)["sessions"]
    left = []
    for method, message in (("POST", LIST), ("GET", None), ("POST", INITIALIZE)):
        before = server.counts()["sessions"]
        for _round in range(20):
            connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
            connection.request(
                method,
                row.path,
                json.dumps(message) if message else None,
                {"Content-Type": "application/json", "Accept": BOTH},
            )
            connection.getresponse()
            connection.close()
        left.append(_settled(server)["sessions"] - before)
    assert left == ([20, 20, 20] if row.name.startswith("python-1.26") else [0, 0, 20])
    assert server.counts()["sessions"] == started + sum(left)


def _settled(server: Server) -> dict[str, int]:
    """What the server counts once it is done with all requests and has not changed for a tenth of a second."""
    deadline = time.monotonic() + 5
    counts = server.counts()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        before, counts = counts, server.counts()
        if counts == before and not counts["open"]:
            return counts
    raise AssertionError(f"requests are still being answered: {counts}")
