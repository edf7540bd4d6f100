# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._announce.status import lines
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.tests.unit.fakes.records import Store, old, release

POD = {
    "name": "mcp-blue-1",
    "image_ref": "x:v1.1.5",
    "digest": "sha256:0123456789abcdef",
    "ready": True,
    "health_version": "1.1.5",
    "problem": None,
}
POOLS = {
    "blue": {
        "image_ref": "x:v1.1.5",
        "replicas": 2,
        "ready": 1,
        "pods": [POD, {**POD, "name": "b", "ready": False, "digest": None, "health_version": None}],
    },
    "green": {"image_ref": "x:v1.2.0@sha256:0123456789abcdef", "replicas": 0, "ready": 0, "pods": []},
}


def status(release, pools, answers=None, releases=5):
    return lines(release, pools, answers or {}, releases)


def read(**more):
    return {"live": "blue", "weights": {"blue": 90, "green": 10}, "record": None, "history": [], "holder": None, **more}


def test_all_of_it():
    holder = {"by": "kim@runner", "since": "2026-11-24T05:00:00+00:00", "until": "2026-11-24T05:01:00+00:00"}
    book = {
        "record": release("running"),
        "history": ["broken", release("rolled_back", reason="5xx\nof green")] + [release("failed")] * 9,
        "holder": holder,
    }
    assert status(read(**book), POOLS, {"blue": 87.5, "green": 12.5, "requests": 40}, 2) == [
        "POOL         WEIGHT  ANSWERS  READY  VERSION  IMAGE",
        "blue (live)  90 %    87.5 %   1/2    1.1.5    x:v1.1.5",
        "green        10 %    12.5 %   0/0    -        x:v1.2.0@sha256:0123456789ab",
        "of 40 answers",
        "",
        "POD         READY  VERSION  DIGEST",
        "mcp-blue-1  yes    1.1.5    sha256:0123456789ab",
        "b           no     -        -",
        "",
        "release in progress, by kim@runner since 2026-11-24 05:00:00 UTC",
        "",
        "STARTED                  VERSION  POOL   OUTCOME      BY",
        "2026-11-24 05:00:00 UTC  v1.2.0   green  running      kim@runner",
        "2026-11-24 05:00:00 UTC  v1.2.0   green  rolled back  kim@runner",
        "    5xx of green",
    ]


def test_a_record_with_the_names_of_before():
    server = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
    shown = []
    for made in (release, lambda *given: old(release(*given))):
        book, _version = record.read(Store(made("running"), [made("failed")]), server)
        shown.append(status(read(record=book.current, history=list(book.history)), POOLS))
    assert shown[0] == shown[1] and "v1.2.0" in shown[0][-1]


@pytest.mark.parametrize(
    ("paused", "outcome", "reason"),
    [
        ({"at": "T", "reason": "no metrics"}, "paused", ["    no metrics"]),
        ({}, "running", []),
        ("broken", "running", []),
    ],
)
def test_a_release_that_is_paused(paused, outcome, reason):
    told = status(read(record=release("running", paused=paused)), POOLS)[-1 - len(reason) :]
    assert outcome in told[0] and told[1:] == reason


@pytest.mark.parametrize(
    ("answers", "line"),
    [({"msg": "The watch ended with breach.", "requests": 3}, "The watch ended with breach."), ({"skipped": True}, "")],
)
def test_answers(answers, line):
    assert status(read(), POOLS, answers)[3] == line


def test_nothing_released_yet():
    assert status(read(), {}, None) == [
        "POOL  WEIGHT  ANSWERS  READY  VERSION  IMAGE",
        "",
        "POD  READY  VERSION  DIGEST",
        "",
        "no release in progress",
        "",
        "no release recorded",
    ]
