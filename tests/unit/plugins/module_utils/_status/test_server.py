# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._status import server
from ansible_collections.mcp.server.tests.unit.fakes.records import Store, old, release
from ansible_collections.mcp.server.tests.unit.fakes.statuses import instance, pool, status


def lines(count=5, **more):
    return server.lines(status(**more), count)


def test_all_of_it():
    holder = {"by": "kim@runner", "since": "2026-11-24T05:00:00+00:00", "until": "2026-11-24T05:01:00+00:00"}
    more = {
        "state": "degraded",
        "findings": ["1 of 2 pods of pool blue is not ready."],
        "unread": ["Memory is not known."],
        "route": {"name": "HTTPRoute prod/mcp", "weights": {"blue": 90, "green": 10}, "missing": False},
        "pools": {
            "blue": pool("blue", 1, replicas=2, endpoints={"ready": 1, "total": 2}, sessions=14),
            "green": pool("green", 0, image_ref="x:v1.2.0@sha256:0123456789abcdef"),
        },
        "instances": [
            instance(sessions=14),
            instance(
                "b",
                ready=False,
                state="CrashLoopBackOff",
                digest=None,
                health_version=None,
                restarts=3,
                restart_reason="OOMKilled, exit code 137",
                memory_bytes=None,
                cpu_cores=None,
                age_seconds=None,
                node=None,
            ),
        ],
        "share": {"blue": 87.5, "green": 12.5, "requests": 40},
        "triggers": [
            {"pool": "blue", "gate": "errors", "verdict": "pass", "reason": ""},
            {"pool": "blue", "gate": "latency", "verdict": "no_data", "reason": ""},
        ],
        "release": {
            "record": release("running"),
            "history": ["broken", release("rolled_back", reason="5xx\nof green")] + [release("failed")] * 9,
            "holder": holder,
        },
    }
    shown = [" ".join(line.split()) for line in lines(2, **more)]
    assert shown == [
        "prod/mcp: degraded",
        "1 of 2 pods of pool blue is not ready.",
        "not read: Memory is not known.",
        "",
        "HTTPRoute prod/mcp",
        "POOL WEIGHT ANSWERS ENDPOINTS READY SESSIONS VERSION IMAGE",
        "blue (live) 90 % 87.5 % 1 of 2 1/2 14 1.1.5 x:blue",
        "green 10 % 12.5 % 0 of 0 0/0 - - x:v1.2.0@sha256:0123456789ab",
        "of 40 answers",
        "",
        "POD POOL STATE VERSION DIGEST RESTARTS AGE MEMORY CPU SESSIONS NODE",
        "mcp-blue-1 blue ready 1.1.5 sha256:0123456789ab 0 60m 64 of 256 MiB (25 %) 20m of 500m (4 %) 14 n1",
        "b blue CrashLoopBackOff v1.1.5 - 3 (OOMKilled, exit code 137) - - - - -",
        "",
        "triggers of pool blue: 1 of 2 pass; latency no data",
        "release in progress, by kim@runner since 2026-11-24 05:00:00 UTC",
        "",
        "STARTED VERSION POOL OUTCOME BY",
        "2026-11-24 05:00:00 UTC v1.2.0 green running kim@runner",
        "2026-11-24 05:00:00 UTC v1.2.0 green rolled back kim@runner",
        "5xx of green",
    ]


def test_nothing_could_be_read():
    nothing = {"image_ref": None, "replicas": None, "ready": None, "endpoints": None}
    more = {
        "route": {"name": "HTTPRoute prod/mcp", "weights": None, "missing": False},
        "pools": {name: pool(name, **nothing) for name in ("blue", "green")},
        "instances": [],
        "release": {"live": None, "weights": None, "holder_known": False},
    }
    shown = [" ".join(line.split()) for line in lines(**more)]
    assert "blue - - - - - - -" in shown and "release in progress: -" in shown and shown[-1] == "no release recorded"


def test_a_record_with_the_names_of_before():
    where = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
    shown = []
    for made in (release, lambda *given: old(release(*given))):
        book, _version = record.read(Store(made("running"), [made("failed")]), where)
        shown.append(lines(release={"record": book.current, "history": list(book.history)}))
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
    told = lines(release={"record": release("running", paused=paused)})[-1 - len(reason) :]
    assert outcome in told[0] and told[1:] == reason


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (86400, "24h"), (259200, "3d")],
)
def test_ages(seconds, text):
    assert server.age(seconds) == text


def test_the_id_of_an_instance_is_shown_where_it_is_not_its_name():
    assert "INSTANCE" not in server.instances([instance(instance_id="mcp-blue-1")])[0]
    assert "INSTANCE" in server.instances([instance(instance_id="i-7")])[0]


def test_a_record_that_was_not_read_is_not_called_empty():
    assert "no release recorded" in lines()
    found = lines(release={"record_known": False})
    assert "releases: -" in found and "no release recorded" not in found


@pytest.mark.parametrize(("passed", "word"), [(True, "passed"), (False, "failed")])
def test_the_last_drill(passed, word):
    found = lines(last_drill={"at": "2026-11-20T06:00:00Z", "passed": passed})
    assert found[-1] == f"last drill: 2026-11-20 06:00:00 UTC, {word}"
    assert not [line for line in lines(last_drill={"at": None, "passed": None}) if "drill" in line]


def test_when_the_guide_was_last_validated():
    found = lines(last_guide={"at": "2026-11-20T06:00:00Z", "failed": 2})
    assert found[-1] == "guide last validated: 2026-11-20 06:00:00 UTC, 2 failed"
    assert not [line for line in lines(last_guide={"at": None, "failed": 0}) if "guide" in line]
