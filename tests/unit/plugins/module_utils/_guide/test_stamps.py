# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._guide import stamps
from ansible_collections.mcp.server.plugins.module_utils._guide.headings import ITEMS
from ansible_collections.mcp.server.plugins.module_utils._guide.stamps import Stamp

NOW = datetime.datetime(2026, 11, 28, 2, 0, tzinfo=datetime.UTC)
ITEM = {item.id: item for item in ITEMS}
PASSED, FAILED, SKIPPED, CANNOT = _results.PASSED, _results.FAILED, _results.SKIPPED, _results.CANNOT_MEASURE


def result(check_id, verdict, message="It is so.", **more):
    return _results.result(check_id, check_id, verdict, message, **more)


def row(found, before=None, item="nodes"):
    return next(one for one in stamps.rows(found, before or {}, NOW) if one["id"] == item)


def ago(days, verdict=PASSED):
    return Stamp(NOW - datetime.timedelta(days=days), verdict)


@pytest.mark.parametrize(
    ("results", "verdict", "required", "says"),
    [
        (
            [result("nodes", PASSED, seconds=1.5), result("room", PASSED)],
            PASSED,
            True,
            "2 checks passed.",
        ),
        ([result("nodes", PASSED), result("room", SKIPPED)], PASSED, True, "1 check passed."),
        ([result("nodes", FAILED, "Cordoned."), result("room", PASSED)], FAILED, True, "Cordoned."),
        ([result("nodes", CANNOT, "Away."), result("room", FAILED, "Full.")], FAILED, True, "Away. Full."),
        ([result("nodes", CANNOT, "Away.")], CANNOT, True, "Away."),
        ([result("nodes", FAILED, "Old.", required=False)], FAILED, False, "Old."),
        # What only warns hides no failure.
        (
            [result("nodes", FAILED, "Old.", required=False), result("room", CANNOT, "Away.")],
            CANNOT,
            True,
            "Old. Away.",
        ),
    ],
)
def test_an_item_is_as_the_worst_of_its_checks(results, verdict, required, says):
    found = {"preflight": [*results, result("api_server", FAILED, "Another item's.")]}
    one = row(found)
    assert (one["verdict"], one["required"], one["message"]) == (verdict, required, f"preflight.yml: {says}")
    assert one["seconds"] == sum(each["seconds"] for each in results)
    assert stamps.stamped(found, NOW)["nodes"] == Stamp(NOW, verdict, required)


@pytest.mark.parametrize(
    ("item", "stamp", "says"),
    [
        ("nodes", None, "It was never checked on this server."),
        ("nodes", ago(0), ""),
        ("nodes", ago(31), ""),
        ("nodes", ago(32), "It was checked last on 2026-10-27, more than a month ago."),
        ("nodes", ago(1, FAILED), "It was checked last on 2026-11-27, and did not pass."),
        ("nodes", ago(1, CANNOT), "It was checked last on 2026-11-27, and did not pass."),
        ("nodes", Stamp(NOW + datetime.timedelta(hours=1), PASSED), ""),
        ("nodes", ago(-400), "Its note says 2028-01-02, which is not yet: somebody edited it."),
        ("matrix", ago(92), ""),
        ("matrix", ago(93), "It was checked last on 2026-08-27, more than a quarter ago."),
        ("shift", None, ""),  # never run on staging, with a reason
    ],
)
def test_what_is_overdue(item, stamp, says):
    assert stamps.overdue(ITEM[item], stamp, NOW) == says
    one = row({}, {item: stamp} if stamp else {}, item)
    assert not one["required"] and one["verdict"] == (FAILED if says else SKIPPED)
    assert one["message"].startswith(says)


def test_why_it_was_not_checked_now():
    assert row({"preflight": [result("nodes", SKIPPED, "No right.")]}, {"nodes": ago(3)})["message"] == (
        "Passed on 2026-11-25. No right."
    )
    assert "Not checked now: set mcp_debug_image_ref." in row({}, item="debug")["message"]
    assert row({}, item="shift")["message"].startswith("bluegreen.yml, not run on staging: ")
    assert not stamps.stamped({"preflight": [result("nodes", SKIPPED)]}, NOW)


def test_a_note_is_read_as_it_was_written():
    known = {"nodes": Stamp(NOW, PASSED), "secrets": Stamp(NOW, CANNOT), "metrics": Stamp(NOW, CANNOT, False)}
    assert stamps.read(stamps.written(known)) == known


def test_what_only_warned_is_no_failure_of_the_last_run():
    known = {"nodes": ago(3), "secrets": ago(1, FAILED), "performance": ago(1, CANNOT)._replace(required=False)}
    assert stamps.last(stamps.written(known)) == {"at": "2026-11-27T02:00:00Z", "failed": 1}
    assert stamps.last({}) == {"at": None, "failed": 0}


@pytest.mark.parametrize(
    "note",
    [7, {}, {"at": "soon", "verdict": "passed"}, {"at": "2026-11-28", "verdict": ["passed"]}, {"at": "2026-11-28"}],
)
def test_what_somebody_broke_is_no_stamp(note):
    assert stamps.read({"nodes": note, "nowhere": {"at": "2026-11-28", "verdict": "passed"}}) == {}
    assert stamps.read({"nodes": {"at": "2026-11-28", "verdict": "skipped"}}) == {}


def beside(found):
    return stamps.rows(found, {}, NOW)[len(ITEMS) :]


def test_a_failure_that_belongs_to_no_item_has_a_row_of_its_own():
    (one,) = beside(
        {
            "preflight": [
                result("quotas", FAILED, "It is full."),
                result("drift", FAILED, "They differ.", required=False),
                result("limit_ranges", PASSED),
                result("nodes", FAILED, "An item has it."),
            ]
        }
    )
    assert (one["id"], one["name"], one["verdict"], one["required"], one["message"]) == (
        "preflight.quotas",
        "preflight.yml: quotas",
        FAILED,
        True,
        "It is full.",
    )


def test_a_part_that_ended_before_its_checks_fails():
    """Such as pre-flight with a version that is refused."""
    found = {"preflight": [_results.result("preflight", "preflight.yml", FAILED, "Quote the version.")]}
    (one,) = beside(found)
    assert (one["name"], one["verdict"], one["message"]) == ("preflight.yml", FAILED, "Quote the version.")
    assert row(found)["message"] == "It was never checked on this server. Not checked now: preflight.yml failed."


def test_a_part_that_is_an_item_has_no_second_row():
    assert not beside({"status": [_results.result("status", "status.yml", FAILED, "It cannot be reached.")]})


def test_what_the_service_account_may_is_not_about_the_pools():
    found = {"preflight": [result("service_account_rights", FAILED), result("service_blue", PASSED)]}
    assert row(found, item="architecture")["verdict"] == PASSED


def test_a_row_names_what_made_its_checks_and_no_playbook_that_changes_something():
    """Somebody runs that to see more: install.yml, bluegreen.yml and rollback.yml change what is live."""
    found = {"preflight": [result("endpoint", PASSED)], "validate": [result("health", PASSED), result("mcp", PASSED)]}
    assert row(found, item="entries")["message"] == "preflight.yml and validate.yml: 3 checks passed."
    of_rollback = row({"rollback": [result("rollback", PASSED)]}, item="emergency_rollback")
    assert of_rollback["message"] == "A rehearsal of rollback.yml: 1 check passed."
    assert row({"contacts": [result("contacts", PASSED)]}, item="contacts")["message"].startswith("The inventory: ")
