# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stamps of the guide against the fake API server, whose clock the tests set."""

from __future__ import annotations

import datetime
import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._guide import document
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_guide_stamp
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError

RECORD = "/api/v1/namespaces/ns/configmaps/x-release"
NOW = datetime.datetime(2026, 11, 28, 2, 0, tzinfo=datetime.UTC)
GOOD = _results.result("nodes", "nodes", "passed", "All are ready.")
BAD = _results.result("secrets", "secrets", "failed", "A key is missing: add it.")
CONTACTS = [{"name": "Platform Engineering On-Call"}]


@pytest.fixture
def cluster(monkeypatch):
    cluster = ApiServer()
    cluster.clock = lambda: NOW
    monkeypatch.setattr(connection, "connect", lambda _params: cluster)
    return cluster


def stamp(*, check=False, **params):
    given = {"namespace": "ns", "server": "x", "allowed": True, "results": None, "escalation": CONTACTS, **params}
    defaults = {name: option.get("default") for name, option in mcp_guide_stamp.SPEC.options.items()}
    return mcp_guide_stamp.run(Task({**defaults, **given}, check_mode=check))


def noted(cluster):
    return json.loads(cluster.objects[RECORD]["metadata"]["annotations"]["mcp.server/last-guide"])


def verdicts(result):
    return {one["id"]: (one["verdict"], one["required"]) for one in result["checks"]}


def test_another_server_is_refused_before_anything_is_asked(cluster):
    with pytest.raises(Failure, match=r"Set mcp_validate_guide: true on the host of a staging server"):
        stamp(allowed=False, results={"preflight": [GOOD]})
    assert not cluster.log


def test_day_and_result_are_noted_and_read_back(cluster):
    first = stamp(results={"preflight": [GOOD]})
    assert first["changed"] and verdicts(first)["nodes"] == ("passed", True)
    assert noted(cluster)["nodes"] == {"at": "2026-11-28T02:00:00Z", "verdict": "passed"}
    assert "nodes" not in first["overdue"] and "secrets" in first["overdue"]
    cluster.clock = lambda: NOW + datetime.timedelta(days=40)
    later = stamp()
    assert not later["changed"] and verdicts(later)["nodes"] == ("failed", False)
    assert "nodes" in later["overdue"] and "contacts" not in later["overdue"]  # a month, and a quarter
    assert [one["message"] for one in later["checks"] if one["id"] == "nodes"] == [
        "It was checked last on 2026-11-28, more than a month ago. Not checked now."
    ]


def test_a_failure_is_noted_too_and_fails_at_the_end(cluster):
    with pytest.raises(Failure, match=r"^preflight\.yml: A key is missing: add it\.$") as failure:
        stamp(results={"preflight": [GOOD, BAD]})
    assert noted(cluster)["secrets"]["verdict"] == "failed" and noted(cluster)["nodes"]["verdict"] == "passed"
    assert len(failure.value.evidence["checks"]) > 40


def test_what_was_not_checked_now_keeps_its_stamp(cluster):
    stamp(results={"preflight": [GOOD]})
    cluster.clock = lambda: NOW + datetime.timedelta(days=1)
    stamp(results={"status": [_results.result("status", "status", "passed", "It serves.")]})
    assert noted(cluster)["nodes"]["at"].startswith("2026-11-28") and noted(cluster)["instances"]["at"] > "2026-11-29"


def test_the_record_keeps_what_else_it_has(cluster):
    cluster.put(RECORD, {"metadata": {"annotations": {"mcp.server/last-drill": "{}"}}, "data": {"releases": "[]"}})
    stamp(results={"preflight": [GOOD]})
    found = cluster.objects[RECORD]
    assert found["data"] == {"releases": "[]"} and found["metadata"]["annotations"]["mcp.server/last-drill"] == "{}"


def test_check_mode_notes_nothing(cluster):
    assert stamp(results={"preflight": [GOOD]}, check=True)["changed"]
    assert RECORD not in cluster.objects and not cluster.writes()


def test_a_note_that_cannot_be_written_is_a_failure_of_its_own(cluster):
    cluster.fail(StatusError(403, "forbidden"), "PATCH", RECORD)
    with pytest.raises(
        Failure, match=r"The day of each check was not noted, so they count as overdue later"
    ) as failure:
        stamp(results={"preflight": [GOOD]})
    assert failure.value.evidence["changed"] is False and failure.value.evidence["checks"][-1]["id"] == "stamps"


def test_whom_to_call(cluster):
    assert verdicts(stamp(results={}))["contacts"] == ("passed", False)
    found = stamp(results={}, escalation=[])
    assert verdicts(found)["contacts"] == ("failed", False)
    assert any("set mcp_escalation in the inventory" in one["message"] for one in found["checks"])


def test_a_review_that_is_due_warns(cluster, monkeypatch):
    monkeypatch.setattr(document, "REVIEWED", "2026-08-28")
    assert verdicts(stamp(results={}))["maintenance"] == ("passed", False)
    monkeypatch.setattr(document, "REVIEWED", "2026-08-27")
    found = stamp(results={})
    assert verdicts(found)["maintenance"] == ("failed", False) and "maintenance" in found["overdue"]
    assert any("last reviewed on 2026-08-27, more than a quarter ago" in one["message"] for one in found["checks"])


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ({"nothing": [GOOD]}, "results names nothing, which is no part"),
        ({"preflight": [{"id": "nodes"}]}, "results.preflight has an entry that is no result of a check"),
        ({"preflight": [{**GOOD, "verdict": "great"}]}, "no result of a check"),
    ],
)
def test_what_is_no_result(cluster, results, says):
    with pytest.raises(Failure, match=says):
        stamp(results=results)
    assert not cluster.writes()
