# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import (
    NO_MESSAGE,
    deployment_failure,
    failure_message,
    release_failure,
    release_refusal,
    rollback_failure,
    statuses,
    watched_pool,
)

BACK = "All traffic of prod/x is back on blue. Another run took over and does the rest. max took over."
LOST = {"failed": True, "msg": "max took over.", "taken_over": True}


@pytest.mark.parametrize(
    ("failed", "message"),
    [
        ({"msg": "It crashed.", "failed": True}, "It crashed."),
        ({"msg": ""}, NO_MESSAGE),
        ({}, NO_MESSAGE),
        (None, NO_MESSAGE),
    ],
)
def test_why_a_task_failed(failed, message):
    assert failure_message(failed) == message


@pytest.mark.parametrize(
    ("causes", "version", "sentence"),
    [
        (["One.", "Two."], "v2", "Release of v2 refused, nothing was deployed: One. Two."),
        ("One.", "v2", "Release of v2 refused, nothing was deployed: One."),
        ("version is missing.", None, "Release refused, nothing was deployed: version is missing."),
        ({"msg": "Sessions end."}, "v2", "Release of v2 refused, nothing was deployed: Sessions end."),
        ("It is a number.", 1.1, "Release of 1.1 refused, nothing was deployed: It is a number."),
    ],
)
def test_a_release_that_is_refused(causes, version, sentence):
    assert release_refusal(causes, version) == sentence


def test_a_release_that_fails_before_its_first_weight_says_where_the_traffic_is_and_why():
    assert release_failure("Pod x crashed.", "v2", "blue") == (
        "Release of v2 failed before it got any traffic; all traffic is on blue. Cause: Pod x crashed."
    )


@pytest.mark.parametrize(
    ("restored", "rest"),
    [
        (None, ""),
        ({"changed": True}, ""),
        ({"skipped": True, "msg": "Conditional result was False"}, ""),
        ({"failed": False, "msg": "No rights."}, " Pool green could not be restored either: No rights."),
    ],
)
def test_a_named_version_that_could_not_be_deployed(restored, rest):
    assert deployment_failure("Pod x crashed.", "green", "r/x:v1", restored) == (
        "Rollback to r/x:v1 failed, and the traffic was not changed. Cause: Pod x crashed." + rest
    )


@pytest.mark.parametrize(
    ("failed", "sent", "verified", "message", "taken_over", "success"),
    [
        # Another run took over: after the weights were written, after they were verified, and before both
        (LOST, {"pool": "blue", "written": True}, None, BACK, True, True),
        (LOST, {"pool": "blue", "written": True}, {"failed": True, "msg": "m"}, BACK, True, True),
        (LOST, {"skipped": True}, {"pool": "blue"}, BACK, True, True),
        (LOST, {"pool": "green", "written": True}, {"pool": "blue"}, BACK, True, True),
        (LOST, {"pool": "blue", "written": False}, None, "max took over.", True, False),
        (LOST, {"failed": True}, {"pool": "blue", "failed": True}, "max took over.", True, False),
        (LOST, None, None, "max took over.", True, False),
        # Anything else is a rollback that failed, wherever the traffic is
        ({"msg": "No rights."}, {"pool": "blue", "written": True}, {"pool": "blue"}, "No rights.", False, False),
        ({}, None, None, NO_MESSAGE, False, False),
    ],
)
def test_what_became_of_a_rollback(failed, sent, verified, message, taken_over, success):
    outcome = rollback_failure(failed, "prod/x", sent, verified)
    assert outcome == {"message": message, "taken_over": taken_over, "success": success}


@pytest.mark.parametrize(
    ("green", "origin", "pool", "possible"),
    [
        (100, "blue", "green", True),
        (100, "green", "green", False),
        (100, None, "green", False),
        (0, "green", "blue", True),
        (0, "blue", "blue", False),
        (51, "blue", "green", True),
        (50, "green", "blue", True),
    ],
)
def test_the_pool_that_a_watch_judges(green, origin, pool, possible):
    record = {"from": {"pool": origin}} if origin else None
    judged = watched_pool({"weights": {"blue": 100 - green, "green": green}, "record": record})
    weight = green if pool == "green" else 100 - green
    assert (judged["pool"], judged["weight"], judged["can_roll_back"]) == (pool, weight, possible)
    assert ("mcp_rollback_version" in judged["advice"]) is not possible


def test_the_servers_of_a_play_with_what_was_read_of_each():
    hostvars = {
        "a": {"mcp_namespace": "prod", "status_result": {"state": "ok", "lines": ["x"], "invocation": {}}},
        "b": {"mcp_namespace": "prod"},
        "c": {"mcp_namespace": "prod", "status_result": "odd"},
        "web": {"status_result": {"state": "ok"}},
    }
    assert statuses(["a", "b", "c", "web"], hostvars) == [
        {"host": "a", "status": {"state": "ok"}},
        {"host": "b", "status": {}},
        {"host": "c", "status": {}},
    ]
    assert statuses(["a"], {"a": {"mcp_namespace": "x", "other": {"state": "ok"}}}, "other")[0]["status"]
