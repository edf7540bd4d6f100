# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tracemalloc
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._diagnose import counting, patterns
from ansible_collections.mcp.server.plugins.module_utils._workload import logs

SEARCHED = patterns.searched([])
PLANTED = ["hunter2-planted", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.c2ln", "planted-token-0815"]


def test_how_often_first_and_last_and_a_few_lines() -> None:
    lines = [(f"2026-11-27T22:00:{second:02}Z", f"database refused, try {second}") for second in range(30)]
    found, number, _end = counting.count([*lines, ("", "all is well")], SEARCHED)
    (name, tally), *others = found.items()
    assert (name, others, number) == ("database", [], 31)
    assert (tally.count, tally.first, tally.last) == (30, "2026-11-27T22:00:00Z", "2026-11-27T22:00:29Z")
    assert tally.lines() == [f"database refused, try {number}" for number in (0, 28, 29)]


def test_lines_are_shown_without_secrets_and_on_one_line() -> None:
    lines = [
        ("", f"unauthorized: password={PLANTED[0]} \x1b[2J{{{{ 7*7 }}}}"),
        ("", f"unauthorized, Authorization: Bearer {PLANTED[1]}"),
        # The end of the part that is shown would cut it
        ("", f"unauthorized {'x' * 170} token: {PLANTED[2]}"),
    ]
    shown = counting.count(lines, SEARCHED)[0]["authentication"].lines()
    assert not [secret for secret in PLANTED for line in shown if secret[:8] in line]
    assert all(line.isprintable() and len(line) <= counting.SHOWN for line in shown)


def test_of_a_gateway_only_lines_about_the_server_count() -> None:
    lines = [("", f'"POST /mcp HTTP/1.1" 404 - "{host}"') for host in ("MCP.example", "other.example", "mcp.example")]
    found, _number, _end = counting.count(lines, SEARCHED, {"mcp.example"})
    assert found["session_not_found"].count == 2


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ('421 "mcp.example"', True),
        ("421 at mcp.example.", True),
        ('421 "10.2.0.9:8080"', True),
        ('421 "x.mcp.example"', False),
        ('421 "mcp.example.com"', False),
        ('421 "my-mcp.example"', False),
        ('421 "10.2.0.90:8080"', False),
        ('421 "110.2.0.9:8080"', False),
        ("421", False),
    ],
)
def test_a_name_that_only_contains_the_servers_is_another_one(line: str, counts: bool) -> None:
    found, _number, _end = counting.count([("", f"Misdirected Request {line}")], SEARCHED, {"mcp.example", "10.2.0.9"})
    assert bool(found) is counts


@pytest.mark.parametrize("line", ["A" * 10_000 + " unauthorized", "\ufffd" * 5000, ""])
def test_only_the_beginning_of_a_line_is_searched(line: str) -> None:
    assert counting.count([("", line)], SEARCHED)[0] == {}


def test_memory_does_not_grow_with_the_log() -> None:
    """100 MiB, as pieces of a stream: the same count as of its lines, in little memory."""
    piece = b"".join(
        b"2026-11-27T22:00:00.000000000Z GET /mcp 200 in 3 ms for client %05d\n" % n for n in range(15_000)
    )
    piece += b"2026-11-27T22:00:01.000000000Z database connection refused\n"
    times = 100 * 2**20 // len(piece) + 1

    def lines() -> t.Iterator[tuple[str, str]]:
        for line in logs.split(piece for _number in range(times)):
            at, _space, text = line.partition(" ")
            yield at, text

    tracemalloc.start()
    try:
        # Tracing takes its time: a part of it here, and all of it in test_streams.py.
        found, _number, _end = counting.count((one for _n, one in zip(range(40_000), lines(), strict=False)), SEARCHED)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["database"].count == 2 and peak < 8 * 2**20
