# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import random
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._announce import payload
from ansible_collections.mcp.server.plugins.module_utils._guard.decide import Observation, decide
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import retry
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._release import (
    failed_versions,
    former_records,
    pools,
    record,
    runner,
    summary,
)
from ansible_collections.mcp.server.plugins.module_utils._release.record import ReleaseRecord
from ansible_collections.mcp.server.plugins.module_utils._report.page import page
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._status.server import lines
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.records import old
from ansible_collections.mcp.server.tests.unit.fakes.records import release as whole_release
from ansible_collections.mcp.server.tests.unit.fakes.statuses import status

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"


def release(version, at="T1", origin="blue", target="green"):
    return record.new_release(
        SERVER,
        by="me",
        reason="",
        at=at,
        origin={"pool": origin, "image_ref": "x:v1"},
        target={"pool": target, "image_ref": f"x:{version}", "version": version},
    )


def ended(one, outcome="succeeded"):
    return {**one, "outcome": outcome, "ended": "T9"}


FIRST, SECOND = release("v2"), release("v3", at="T2", origin="green", target="blue")


@pytest.mark.parametrize(
    "book, fresh, current, history",
    [
        (ReleaseRecord(), FIRST, FIRST, ()),
        (ReleaseRecord(FIRST), release("v2", at="T5"), FIRST, ()),
        (ReleaseRecord(ended(FIRST)), SECOND, SECOND, (ended(FIRST),)),
        (ReleaseRecord(ended(FIRST)), release("v2", at="T5"), release("v2", at="T5"), (ended(FIRST),)),
        (
            ReleaseRecord(FIRST),
            SECOND,
            {**SECOND, "from": FIRST["from"]},
            ({**FIRST, "outcome": "failed", "ended": "T2", "reason": "(superseded by T2-v3)"},),
        ),
    ],
)
def test_begin(book, fresh, current, history):
    assert record.begin(book, fresh) == ReleaseRecord(current, history)


@pytest.mark.parametrize(
    ("recorded", "pool", "image_ref", "resumes"),
    [
        ("x:v2", "green", "x:v2", True),
        ("x:v2", "green", "x:v3", False),
        ("x:v2", "green", "y:v2", False),
        ("x:v2", "blue", "x:v2", False),
        ("x:v2@sha256:" + "a" * 64, "green", "x:v2@sha256:" + "a" * 64, True),
        ("x:v2@sha256:" + "a" * 64, "green", "x:v2@sha256:" + "b" * 64, False),  # the tag has moved
        ("", "green", "", False),
        (None, "green", None, False),  # somebody edited the record
    ],
)
def test_which_target_resumes_a_release(recorded, pool, image_ref, resumes):
    current = {**FIRST, "to": {**FIRST["to"], "image_ref": recorded}}
    assert record.resumes(current, {"pool": pool, "image_ref": image_ref}) is resumes
    assert not record.resumes(ended(current), {"pool": pool, "image_ref": image_ref})


VERDICTS = ("followed", "no_data", "cannot_measure", "not_measured", "not_verified", "inconclusive")


def test_a_record_from_before_the_names_of_today_is_read():
    steps = [
        {
            "at": "T1",
            "weights": {},
            "share": {"blue": 90.0, "green": 10.0, "requests": 144, "failed": 0},
            "verdict": verdict,
        }
        for verdict in VERDICTS
    ]
    steps.append({**steps[0], "share": None})
    now = {**FIRST, "steps": steps}
    api = ApiServer(
        {
            RECORD: {
                "data": {
                    "current": json.dumps(old(now)),
                    "history": json.dumps([old(ended(now)), "broken", {"steps": [None]}]),
                }
            }
        }
    )
    assert "answers" in api.objects[RECORD]["data"]["current"] and "held" in api.objects[RECORD]["data"]["history"]
    assert record.read(api, SERVER)[0] == ReleaseRecord(now, (ended(now),))


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({}, {}),
        ({"share": "answers", "verdict": ["held"]}, {}),
        ({"share": {"answers": {}}, "verdict": 5}, {"share": {}, "verdict": "5"}),
        ({"share": {"green": "10.5", "requests": "144"}}, {"share": {"green": "10.5", "requests": "144"}}),
        ({"weights": {"blue": "50", "green": 50.0}, "at": None}, {"weights": {"blue": 50, "green": 50}}),
        ({"weights": {"blue": -0.5, "green": 50.5}}, {"weights": {}}),
        ({"weights": ["blue"], "mine": "kept?"}, {}),
        ({"seconds_to_follow": float("nan")}, {}),
        ({"seconds_to_follow": 10**15 - 1}, {"seconds_to_follow": 10**15 - 1}),
        ({"seconds_to_follow": -(10**15)}, {}),
        ({"seconds_to_follow": 10**400}, {}),
        ({"seconds_to_follow": "0.5"}, {"seconds_to_follow": 0.5}),
        ({"verdict": "x" * 1000}, {"verdict": "x" * 500}),
    ],
)
def test_a_step_that_was_edited_has_values_of_their_types(step, expected):
    api = ApiServer({RECORD: {"data": {"current": json.dumps({**FIRST, "steps": [step]}), "history": "[]"}}})
    assert record.read(api, SERVER)[0].current["steps"] == [expected]


def test_a_record_that_only_has_old_names_is_not_written_for_that():
    one = {**FIRST, "steps": [{"share": {"requests": 1}, "verdict": "not_measured"}]}
    api = ApiServer({RECORD: {"data": {"current": json.dumps(old(one)), "history": "[]"}}})
    assert record.update(api, SERVER, lambda book: book) == (ReleaseRecord(one), ReleaseRecord(one))
    assert api.writes() == []


def test_history_and_steps_are_bounded():
    book = ReleaseRecord()
    for number in range(30):
        book = record.end(record.begin(book, release(f"v{number}")), "succeeded", "T9")
        for step in range(record.STEPS + 5):
            book = record.add_step(
                book, {"at": f"T{step}", "weights": {"blue": 50, "green": 50}, "share": None, "verdict": "followed" * 3}
            )
    assert [one["to"]["version"] for one in book.history[:2]] == ["v28", "v27"] and len(book.history) == record.KEPT
    assert len(book.current["steps"]) == record.STEPS and book.current["steps"][-1]["at"] == f"T{record.STEPS + 4}"
    assert len(json.dumps([book.current, *book.history])) < 200_000


def test_of_more_steps_than_are_kept_the_last_ones_are_read():
    steps = [{"at": f"T{number}"} for number in range(2 * record.STEPS)]
    api = ApiServer({RECORD: {"data": {"current": json.dumps({**FIRST, "steps": steps}), "history": "[]"}}})
    assert record.read(api, SERVER)[0].newest["steps"] == steps[record.STEPS :]


@pytest.mark.parametrize(
    ("pool", "image_ref", "noted"),
    [
        ("green", "x:v2", True),
        ("blue", "x:v2", False),
        ("yellow", "x:v2", False),
        ("green", "x:v1", False),
        ("green", "x:v3", False),
    ],
)
def test_only_the_rollout_of_the_release_is_noted(pool, image_ref, noted):
    found = record.add_rollout(ReleaseRecord(FIRST), pool, image_ref, 12.5)
    assert (found.current["to"].get("rollout_seconds") == 12.5) is noted
    assert record.add_rollout(ReleaseRecord(ended(FIRST)), "green", "x:v2", 12.5) == ReleaseRecord(ended(FIRST))


@pytest.mark.parametrize(("pool", "seconds"), [("green", 30.0), ("blue", 20.0)])
def test_a_pool_s_own_rollout_counts_before_the_other_s(pool, seconds):
    """And the newest of its own, even when the other one's is newer."""
    timed = [
        ended({**one, "to": {**one["to"], "rollout_seconds": took}})
        for one, took in ((SECOND, 20.0), (FIRST, 30.0), (FIRST, 40.0))
    ]
    assert record.rollout_seconds(ReleaseRecord(timed[0], tuple(timed[1:])), pool) == seconds
    assert record.rollout_seconds(ReleaseRecord(timed[1]), pool) == 30.0
    assert record.rollout_seconds(ReleaseRecord(FIRST), pool) is None


def test_a_guard_notes_what_it_does_of_its_own_release_only():
    note = {"id": "g", "action": "rollback", "state": "running", "at": "T1", "reason": ""}
    noted = record.add_guard(ReleaseRecord(FIRST), FIRST["id"], note)
    assert noted.current["guard"] == note
    assert record.add_guard(noted, FIRST["id"], {**note, "at": "T2"}) is noted
    for another in ("0", "z"):
        assert record.add_guard(noted, another, {**note, "state": "paused"}) is noted


@pytest.mark.parametrize("judged", [True, False])
def test_an_end_tells_of_the_version_unless_it_says_otherwise(judged):
    taken = {**FIRST, "steps": [{"at": "T2"}]}
    said = {} if judged else {"judged": False}
    assert record.is_judged(record.end(ReleaseRecord(taken), "failed", "T9", **said).current) is judged


def test_end():
    over = record.end(ReleaseRecord(FIRST), "rolled_back", "T9", "5xx " * 500)
    assert (over.current["outcome"], over.current["ended"], len(over.current["reason"])) == (
        "rolled_back",
        "T9",
        record.REASON,
    )
    assert record.end(over, "rolled_back", "T10", "again") is over
    assert record.end(ReleaseRecord({**FIRST, "reason": "kept"}), "failed", "T9").current["reason"] == "kept"


def test_pause():
    paused = record.pause(ReleaseRecord(FIRST), "T3", "no metrics " * 100)
    assert paused.current["outcome"] == "running" and (
        paused.current["paused"]["at"],
        len(paused.current["paused"]["reason"]),
    ) == ("T3", record.REASON)
    assert record.pause(paused, "T4", "no metrics " * 100) is paused
    assert record.begin(paused, release("v2", at="T5")) == ReleaseRecord(FIRST)  # it goes on
    assert "paused" not in record.end(paused, "rolled_back", "T9").current
    over = ReleaseRecord(ended(FIRST))
    assert record.pause(over, "T10", "late") is over


def kept(current, history="[]"):
    return {RECORD: {"data": {"current": current, "history": history}}}


def contested(others):
    """Somebody else writes so many times just before us: makes the record, and then changes it."""
    api = ApiServer()
    if others:
        api.call(lambda: api.put(RECORD, kept(json.dumps(ended(FIRST)))[RECORD]), "POST")
    if others > 1:
        api.call(lambda: api.touch(RECORD), "PATCH", times=others - 1)
    return api


def begun(book):
    return record.begin(book, SECOND)


@pytest.mark.parametrize("others, history", [(0, 0), (1, 1), (4, 1)])
def test_update_on_top_of_what_somebody_else_wrote(others, history):
    api = contested(others)
    before, after = record.update(api, SERVER, begun)
    assert len(before.history) == 0 and len(after.history) == history and len(api.writes()) == others + 1
    assert record.read(api, SERVER)[0] == after
    assert record.update(api, SERVER, begun) == (after, after) and len(api.writes()) == others + 1


def test_a_hundred_releases_with_a_thousand_accepted_changes_each_fit_into_a_config_map():
    api = ApiServer()
    accepted = [f"tools/forecast_of_the_weather/input_schema/properties/place_{number}" for number in range(1000)]
    contract = {"structure_hash": "a" * 64, "text_hash": "b" * 64, "accepted": accepted}

    def released(number):
        def change(book):
            fresh = record.new_release(
                SERVER,
                by="m" * 600,
                reason="r" * 10_000,
                at=f"T{number}",
                origin={"pool": "blue", "image_ref": "x" * 400},
                target={"pool": "green", "version": f"v{number}"},
            )
            book = record.add_contract(record.begin(book, fresh), contract)
            for step in range(record.STEPS):
                share = {"blue": 50.5, "green": 49.5, "requests": 144, "failed": 0}
                book = record.add_step(
                    book, {"at": f"T{step}", "weights": {"blue": 50, "green": 50}, "share": share, "verdict": "v" * 40}
                )
            return record.end(book, "succeeded", "T9", "e" * 10_000)

        return change

    for number in range(100):
        book = record.update(api, SERVER, released(number))[1]
    assert len(json.dumps(api.objects[RECORD]["data"])) < 512 * 1024
    assert len(book.history) == record.KEPT and book.newest["to"]["contract"]["accepted_count"] == 1000
    assert book.newest["to"]["contract"]["accepted"] == accepted[: record.ACCEPTED]


def test_a_record_with_a_thousand_accepted_changes_from_before_is_written_smaller():
    accepted = [f"tools/t/{'x' * 60}/{number}" for number in range(1000)]
    before = {**ended(FIRST), "to": {**FIRST["to"], "contract": {"accepted": accepted}}}
    api = ApiServer({RECORD: {"data": {"current": json.dumps(before), "history": json.dumps([before] * 11)}}})
    record.update(api, SERVER, begun)
    assert len(json.dumps(api.objects[RECORD]["data"])) < 100_000


ODD = [
    None,
    True,
    0,
    -1,
    1.5,
    float("nan"),
    10**400,
    "",
    "x",
    "1",
    "\x1b[2J\n\ud800",
    [],
    [None],
    {},
    {"a": {}},
    [[{}]],
]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_was_edited_it_can_be_read_shown_and_announced(seed):
    """Replaces parts of a record by odd values, and takes parts away, as people and scripts do."""
    chance = random.Random(seed)
    for _time in range(25):
        document = json.loads(
            json.dumps({**whole_release("rolled_back", reason="5xx"), "guard": GUARD, "paused": PAUSE})
        )
        for _edit in range(chance.randint(1, 6)):
            place = document
            while inner := [one for one in places(place) if isinstance(place[one], (dict, list)) and place[one]]:
                if chance.random() < 0.4:
                    break
                place = place[chance.choice(inner)]
            if keys := places(place):
                place[chance.choice(keys)] = copy.deepcopy(chance.choice(ODD))
        api = ApiServer(kept(json.dumps(document), json.dumps([document, chance.choice(ODD), document])))
        try:
            book = record.read(api, SERVER)[0]
        except Failure as failure:
            assert "is not a release record" in failure.msg
            continue
        read = book.current
        if read is None:
            continue
        for one in (read, *book.history):
            summary.stats(summary.readable(one))
            assert page(one, "prod/mcp").encode()
            for what in payload.EVENTS:
                event = payload.event(one, ("prod", "mcp"), what, "why", [])
                assert all(json.dumps(form(event)) for form in payload.PAYLOADS.values())
        state = {"record": read, "history": list(book.history), "holder": None, "weights": {"blue": 1, "green": 9}}
        assert lines(status(release={**state, "live": "blue"}), 9)
        failed_versions.refusal(book, "v1.2.0", None)
        pools.rollback_target(read, None)
        record.is_judged(read)
        record.rollout_seconds(book, "green")
        decide(Observation(None, 99.0, read), read["id"], "rollback", datetime.now(UTC))
        record.update(api, SERVER, lambda book: record.end(record.pause(book, "T1", "why"), "failed", "T2", "why"))
        record.update(api, SERVER, begun)


def places(found):
    return list(found) if isinstance(found, dict) else list(range(len(found)))


GUARD = {"id": "g", "action": "pause", "state": "running", "at": "T2", "reason": ""}
PAUSE = {"at": "T3", "reason": "no metrics", "until": "2026-11-24T06:00:00Z"}


def test_update_gives_up_and_dry_run_writes_nothing():
    with pytest.raises(Conflict):
        record.update(contested(retry.MIN_ATTEMPTS), SERVER, begun)
    api = ApiServer()
    assert record.update(api, SERVER, begun, dry_run=True)[1].current == SECOND and RECORD not in api.objects


@pytest.mark.parametrize(
    "current, history",
    [
        ("{", "[]"),
        ("[]", "[]"),
        ('"x"', "[]"),
        ("{}", "[]"),
        (json.dumps({**FIRST, "from": {"pool": "red"}}), "[]"),
        (json.dumps({**FIRST, "outcome": None}), "[]"),
        (json.dumps(FIRST), "{}"),
        (json.dumps(FIRST), "null"),
        ("[" * 100_000, "[]"),
        ("9" * 5000, "[]"),
    ],
)
def test_a_record_that_somebody_broke(current, history):
    with pytest.raises(Failure, match="prod/mcp-release on https://cluster is not a release record"):
        record.read(ApiServer(kept(current, history)), SERVER)


BEFORE_1_0_0 = {
    **{key: value for key, value in FIRST.items() if key not in ("from", "to")},
    "run": "r1",
    "held": {"at": "T3", "reason": "no metrics", "until": "T9"},
    "from": {"pool": "blue", "image": "x:v1"},
    "to": {"pool": "green", "image": "x:v2", "version": "v2"},
    "guard": {"id": "g", "action": "hold", "state": "watching", "at": "T2", "reason": ""},
}
SINCE = {
    **FIRST,
    "run_id": "r1",
    "paused": {"at": "T3", "reason": "no metrics", "until": "T9"},
    "guard": {"id": "g", "action": "pause", "state": "running", "at": "T2", "reason": ""},
}


def test_a_record_from_before_1_0_0():
    history = json.dumps([BEFORE_1_0_0, {**BEFORE_1_0_0, "guard": {"action": "rollback", "state": "held"}}, "broken"])
    book, _version = record.read(ApiServer(kept(json.dumps(BEFORE_1_0_0), history)), SERVER)
    assert book == ReleaseRecord(SINCE, (SINCE, {**SINCE, "guard": {"action": "rollback", "state": "paused"}}))
    assert record.resumes(book.current, FIRST["to"])
    assert "paused" not in record.begin(book, release("v2", at="T5")).current


def test_a_record_from_before_1_0_0_of_another_run():
    api = ApiServer(kept(json.dumps({**BEFORE_1_0_0, "outcome": "failed", "reason": "5xx"})))
    with pytest.raises(LeaseLost):
        record.update(api, SERVER, lambda book: record.end(book, "succeeded", "T9"), run="r2")
    assert json.loads(api.objects[RECORD]["data"]["current"])["outcome"] == "failed"


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        SINCE,
        {"guard": "x", "from": [], "to": None},
        {"guard": {"state": ["watching"], "action": {}}},
        {"run_id": "r", "run": "x", "from": {}},
    ],
)
def test_what_has_no_older_names_stays_as_it_is(document):
    assert former_records.current_names(document) == document


@pytest.mark.parametrize(
    "environment, expected",
    [
        ({"AWX_PRIVATE_DATA_DIR": "/x", "JOB_ID": "42"}, "AWX job 42"),
        ({"AWX_PRIVATE_DATA_DIR": "/x", "JOB_ID": "42", "MCP_AWX_USER": "kim\n\x1b[2J"}, "AWX job 42 of kim [2J"),
        ({"JOB_ID": "42", "LOGNAME": "kim", "MCP_AWX_USER": "eva"}, "kim@"),
    ],
)
def test_whoever_runs(monkeypatch, environment, expected):
    monkeypatch.delenv("AWX_PRIVATE_DATA_DIR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert runner.runner_name().startswith(expected)
