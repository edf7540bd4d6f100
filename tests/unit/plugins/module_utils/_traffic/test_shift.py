# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a shift makes of answers, and of a record that is not written.

All else is tested with the modules (test_single_shift.py).
"""

from __future__ import annotations

import itertools
import time
import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unanswered
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import naming, share
from ansible_collections.mcp.server.plugins.module_utils._traffic import shift as shift_module
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import (
    ATTEMPTS,
    PATIENCE,
    FailedAnswers,
    Shift,
    update_record,
)

HALF = {"blue": 50, "green": 50}


def shift() -> Shift:
    server = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
    return Shift(Task({}), SimpleNamespace(), server, None)


def answers(reason: str) -> list[Answer]:
    begun = time.monotonic()
    return [Answer(begun + number / 200, True, None, reason=reason if number % 2 else "") for number in range(6000)]


def test_answers_that_fail_are_told_in_full_and_in_brief() -> None:
    with pytest.raises(FailedAnswers) as raised:
        list(shift()._unless_failing(answers("broken"), "green", HALF))
    assert raised.value.msg.startswith("Weights of prod/mcp were written (blue 50 %, green 50 %), but ")
    assert raised.value.brief.startswith("at 50 %, ") and "answers fail" in raised.value.brief
    assert "Weights" not in raised.value.brief and raised.value.evidence["changed"] is False


def test_answers_that_are_good_go_through() -> None:
    good = answers("")
    assert list(shift()._unless_failing(good, "green", HALF)) == good


@pytest.mark.parametrize("failure", [LeaseLost("Ann took over."), Failure("The API server is away.")])
def test_a_failure_of_another_kind_stays_what_it_is(failure: Failure) -> None:
    def lost():
        yield answers("")[0]
        raise failure

    with pytest.raises(Failure) as raised:
        list(shift()._unless_failing(lost(), "green", HALF))
    assert raised.value is failure


def answer(pool: str | None, number: int = 0, reason: str = "") -> Answer:
    named_by = "header" if pool else ""
    return Answer(100.0 + number / 10, number % 2 == 0, pool, "v1" if pool else "", reason=reason, named_by=named_by)


@pytest.mark.parametrize(
    ("sampled", "clause"),
    [
        (["blue", "green", "blue"], "of 3 answers to clients just now: 2 from blue, 1 from green"),
        (["green", "green"], "of 2 answers to clients just now: 2 from green"),
        (["blue", None], "requests through the gateway are failing (503)"),
        ([None], "requests through the gateway are failing (503)"),
        (["", ""], "requests through the gateway do not fail, and no answer names its pool"),
    ],
)
def test_what_clients_get(monkeypatch: pytest.MonkeyPatch, sampled: list[str | None], clause: str) -> None:
    answers = [answer(pool or None, reason="503" if pool is None else "") for pool in sampled]
    monkeypatch.setattr(share, "sample", lambda *_given: answers)
    found = Shift(Task({}), t.cast(t.Any, None), t.cast(t.Any, None), None)
    assert found._clients(t.cast(t.Any, None)) == clause


def measured(answers: list[Answer], changed: bool, lines: list[str], **params: t.Any) -> dict[str, t.Any]:
    """Return the result of a shift of all traffic to blue that is measured by these answers."""
    given = {
        "tolerance": 5.0,
        "samples": None,
        "pool": "blue",
        "rollback": False,
        "pool_key": "pool",
        "compare_version": [],
        **params,
    }
    found = shift()
    found.task = Task(given, progress=lines.append)
    wanted = {"blue": 100, "green": 0}
    found.result |= {"changed": changed, "before": HALF, "after": wanted, "pool": "blue"}
    found._written = 99.0
    public = Endpoint("https://x", "x", t.cast(t.Any, None), "/mcp", Answering("/health"))
    found._measure(public, iter(answers), wanted, Deadline(5))
    return found.result


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"blue": 50.0, "green": 50.0}, ""),
        ({"blue": 33.3333, "green": 33.3333}, " (of all the route's traffic: blue 33.33 %, green 33.33 %)"),
        ({"blue": 50.0, "green": 0.0}, " (of all the route's traffic: blue 50 %, green 0 %)"),
    ],
)
def test_what_the_weights_are_of_all_traffic_is_told_where_others_get_some(shares: dict[str, float], said: str) -> None:
    found = shift()
    found.result |= {"after": HALF, "of_all_traffic": shares}
    assert found._of_all_traffic() == said


@pytest.mark.parametrize(("changed", "seconds"), [(True, 1.5), (False, None)])
def test_a_share_that_is_as_wanted(changed: bool, seconds: float | None) -> None:
    lines: list[str] = []
    answers = [answer("green" if number < 5 else "blue", number) for number in range(60)]
    result = measured(answers, changed, lines)
    assert result["share"] == {
        "blue": 100.0,
        "green": 0.0,
        "requests": 40,
        "failed": 0,
        "reason": "",
        "measured_by": "header",
        "unnamed": 0,
        "reached": True,
        "versions": ["v1"],
        "seconds": 3.9,
    }
    assert result["seconds_to_follow"] == seconds
    assert lines[-1] == "blue 100 %: measured 100.0 % of 40 answers, by header X-MCP-Pool"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([], "within 5 s https://x gave blue nothing of 0 answers. Check"),
        ([answer("green", number) for number in range(20)], "gave blue 0.0 % of 20 answers. Check"),
        ([answer("blue"), answer(None, reason="503")], r"gave blue 100.0 % of 2 answers, 1 failed \(503\)\. Check"),
        ([answer("blue"), answer(None), answer(None)], "2 good answers name no pool: .* the route sets as X-MCP-Pool"),
    ],
)
def test_a_share_that_is_not_as_wanted(answers: list[Answer], words: str) -> None:
    with pytest.raises(
        Failure, match=f"Weights of prod/mcp were written .blue 100 %, green 0 %., but .*{words}"
    ) as raised:
        measured(answers, True, [])
    found = raised.value.evidence
    assert (found["share"]["reached"], found["seconds_to_follow"]) == (False, None)


@pytest.mark.parametrize(
    ("pool", "early"),
    [
        ("blue", True),
        ("green", False),  # it loses traffic
        (None, False),  # an emergency: nothing could be better than the pool that it returns to
    ],
)
def test_answers_that_fail_end_a_measurement_early_for_the_pool_that_gains(pool: str | None, early: bool) -> None:
    with pytest.raises(Failure) as raised:
        measured(answers("broken"), True, [], pool=pool)
    assert isinstance(raised.value, FailedAnswers) is early


@pytest.mark.parametrize(("seconds", "stops"), [(None, False), (5.0, False), (None, True), (5.0, True)])
@pytest.mark.parametrize("emergency", [False, True])
def test_a_record_that_is_not_written_stops_nothing_but_a_run_that_was_taken_over(
    monkeypatch: pytest.MonkeyPatch, seconds: float | None, stops: bool, emergency: bool
) -> None:
    warnings: list[str] = []
    given: list[dict[str, t.Any]] = []

    def update(*_given: t.Any, **more: t.Any) -> None:
        given.append(more)
        raise LeaseLost("Ann took over.") if stops else Failure("It is away.")

    monkeypatch.setattr(record, "update", update)
    found = shift()
    found.task = Task({"run_id": None, "rollback": emergency}, warn=warnings.append)
    if stops:
        with pytest.raises(LeaseLost, match="Ann took over"):
            update_record(found, lambda book: book, seconds)
    else:
        update_record(found, lambda book: book, seconds)
    assert warnings == ([] if stops else ["The release record of prod/mcp was not written. It is away."])
    assert given == [{"run": None, "takes_over": emergency}]


def test_a_record_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "update", lambda *_given, **_more: time.sleep(2))
    warnings: list[str] = []
    found = shift()
    found.task = Task({"run_id": "ours"}, warn=warnings.append)
    begun = time.monotonic()
    update_record(found, lambda book: book, 0.05)
    assert len(warnings) == 1 and time.monotonic() - begun < 1.5


@pytest.mark.parametrize(
    ("elapsed", "reported", "shown", "lines"),
    [
        (0.0, False, False, []),
        (PATIENCE - 0.5, False, False, []),
        (PATIENCE, False, True, ["still checking, 7 s left"]),
        (PATIENCE + 1, False, True, ["still checking, 6 s left"]),
        (PATIENCE + 1, True, True, []),  # once
    ],
)
def test_a_gateway_that_does_not_accept_is_reported_once(
    elapsed: float, reported: bool, shown: bool, lines: list[str]
) -> None:
    told: list[str] = []
    found = shift()
    found.task = Task({}, progress=told.append)
    found.result["after"] = HALF
    bound = SimpleNamespace(elapsed=elapsed, left=10.0 - elapsed)
    assert found._report_pending("it waits", t.cast(t.Any, bound), reported) is shown
    about = "Weights of prod/mcp were written (blue 50 %, green 50 %), but traffic has not been confirmed to follow"
    assert told == [f"{about}: it waits; {line}" for line in lines]


class Kind:
    """A route that these runs wrote, one at each read."""

    def __init__(self, *runs: str) -> None:
        self.runs = iter(runs)

    def read(self, _cluster: t.Any, _server: Server) -> dict[str, t.Any]:
        return {"run": next(self.runs)}

    def run(self, route: dict[str, t.Any]) -> str:
        return t.cast(str, route["run"])

    def weights(self, _route: dict[str, t.Any], _server: Server) -> dict[str, int]:
        return HALF

    def written(self, route: dict[str, t.Any]) -> dict[str, t.Any]:
        return route


@pytest.mark.parametrize(
    ("emergency", "run", "wrote", "runs", "lost"),
    [
        # Whoever wrote before the first read is the run before this one.
        (False, "ours", False, ["former", "former", "ours"], False),
        (False, "ours", False, ["", "", "ours", ""], False),
        (False, "ours", False, ["former", "theirs"], True),
        (False, "ours", False, ["", "theirs"], True),
        (False, "ours", True, ["ours", "former"], True),
        (False, "", False, ["former", "theirs"], False),
        # An emergency overwrites what others wrote, until it has written.
        (True, "ours", False, ["former", "theirs"], False),
        (True, "ours", True, ["ours", ""], False),
        (True, "ours", True, ["theirs"], True),
    ],
)
def test_another_run_on_the_route_stops_this_one(
    monkeypatch: pytest.MonkeyPatch, emergency: bool, run: str, wrote: bool, runs: list[str], lost: bool
) -> None:
    kind = Kind(*runs)
    monkeypatch.setattr(Shift, "kind", kind)
    found = shift()
    found.task = Task({"run_id": run, "rollback": emergency})
    if wrote:
        found._runs = {run}
    for _each in runs[:-1]:
        assert found.read() == HALF
    if lost:
        with pytest.raises(LeaseLost, match=f"run {runs[-1]} wrote its route"):
            found.read()
    else:
        assert found.read() == HALF


class Contested(Kind):
    """A route whose writes end like this, one after the other; the last one again and again."""

    def __init__(self, *errors: Failure | None) -> None:
        self.errors, self.writes = errors, 0

    def read(self, _cluster: t.Any, _server: Server) -> dict[str, t.Any]:
        return {"run": ""}

    def stable(self, _route: dict[str, t.Any], _server: Server) -> None:
        return None

    def part(self, _route: dict[str, t.Any], _server: Server, wanted: t.Any = None) -> float:
        return 1.0

    def notes(self, _route: dict[str, t.Any], _server: Server) -> list[str]:
        return []

    def write(self, *given: t.Any, dry_run: bool) -> tuple[bool, dict[str, t.Any]]:
        self.writes += 1
        if error := self.errors[min(self.writes, len(self.errors)) - 1]:
            raise error
        return True, {"run": ""}


CHANGED, GONE = Conflict("It was changed."), NotFound("It is gone.")


@pytest.mark.parametrize(
    ("errors", "patience", "fewest", "most", "failure"),
    [
        ([None], 0.0, 1, 1, None),
        ([*[CHANGED] * (ATTEMPTS - 1), None], 0.0, ATTEMPTS, ATTEMPTS, None),
        ([CHANGED], 0.0, ATTEMPTS, ATTEMPTS, Conflict),
        ([*[CHANGED] * (ATTEMPTS + 2), None], 60.0, ATTEMPTS + 3, ATTEMPTS + 3, None),
        ([CHANGED], 1.0, ATTEMPTS + 1, ATTEMPTS + 6, Conflict),  # after pauses, and not for ever
        ([GONE], 60.0, ATTEMPTS, ATTEMPTS, NotFound),
        ([GONE, None], 0.0, 2, 2, None),
    ],
)
def test_for_how_long_a_write_that_conflicts_is_tried(
    monkeypatch: pytest.MonkeyPatch,
    errors: list[Failure | None],
    patience: float,
    fewest: int,
    most: int,
    failure: type[Failure] | None,
) -> None:
    kind = Contested(*errors)
    monkeypatch.setattr(Shift, "kind", kind)
    found = shift()
    found.task = Task({"run_id": None, "rollback": False, "api_retry_timeout": patience})
    begun = time.monotonic()
    if failure:
        with pytest.raises(failure):
            found.write(HALF, {"blue": 100, "green": 0})
    else:
        found.write(HALF, {"blue": 100, "green": 0})
        assert found.result["changed"] and found.result["live"] == "blue"
    assert fewest <= kind.writes <= most
    assert time.monotonic() - begun >= 0.2 * (kind.writes - ATTEMPTS)


WANTED, ANOTHER = {"blue": 100, "green": 0}, {"blue": 90, "green": 10}


@pytest.mark.parametrize(
    ("error", "now", "changed", "before"),
    [
        (Unanswered("No answer."), WANTED, True, HALF),  # it was stored
        (Unanswered("No answer."), HALF, True, HALF),
        (Unanswered("No answer."), ANOTHER, True, ANOTHER),
        (CHANGED, ANOTHER, True, ANOTHER),
        (CHANGED, WANTED, False, WANTED),  # somebody else has set the same weights
    ],
)
def test_what_a_write_has_changed_that_had_to_be_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Failure, now: dict[str, int], changed: bool, before: dict[str, int]
) -> None:
    class Route(Contested):
        def weights(self, _route: dict[str, t.Any], _server: Server) -> dict[str, int]:
            return now

        def write(self, *given: t.Any, dry_run: bool) -> tuple[bool, dict[str, t.Any]]:
            _written, route = super().write(*given, dry_run=dry_run)
            return now != WANTED, route

    monkeypatch.setattr(Shift, "kind", Route(error, None))
    found = shift()
    found.task = Task({"run_id": None, "rollback": False, "api_retry_timeout": 0.0})
    found.write(HALF, WANTED)
    assert (found.result["changed"], found.result["before"]) == (changed, before)


def test_a_refusal_is_reported_soon_where_no_request_was_ever_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then, a server is asked once a second: 40 answers would be waited for as long."""
    kind = SimpleNamespace(not_accepted=lambda *_: "Accepted is False", refused=lambda *_: True, per_connection=False)
    monkeypatch.setattr(Shift, "kind", kind)
    monkeypatch.setattr(Shift, "read", lambda _self: None)
    monkeypatch.setattr(share, "sample", lambda *_given: [answer(None, reason="503")])
    found = shift()
    found.public = Endpoint("https://x", "no.example", t.cast(t.Any, None), "/mcp", Answering())
    assert share.rate(found.public) == 1.0
    found.task = Task({"rollback": True, "tolerance": 5.0})
    found.result |= {"before": {"blue": 0, "green": 100}, "after": {"blue": 100, "green": 0}, "pool": "blue"}
    bound = SimpleNamespace(elapsed=PATIENCE + 0.5, left=100.0, seconds=120.0)
    answers = itertools.repeat(answer(None, reason="503"), 60)
    with pytest.raises(Failure, match="has not been confirmed to follow: Accepted is False"):
        found._unless_accepted(answers, {"blue": 100, "green": 0}, t.cast(t.Any, bound))
    assert next(answers, None) is not None  # it did not look at all of them


def test_the_status_is_not_read_at_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emergency that waits for the gateway leaves the API server alone."""
    asked: list[str] = []

    def not_accepted(*_given: t.Any) -> str:
        asked.append("status")
        return "it waits"

    kind = SimpleNamespace(not_accepted=not_accepted, refused=lambda *_given: False, per_connection=False)
    monkeypatch.setattr(Shift, "kind", kind)
    monkeypatch.setattr(Shift, "read", lambda _self: asked.append("read"))
    monkeypatch.setattr(Shift, "_accepted_soon", lambda *_given: True)
    monkeypatch.setattr(shift_module, "POLL_INTERVAL", 60.0)
    found = shift()
    found.public = Endpoint("https://x", "x", t.cast(t.Any, None), "/mcp", Answering("/health"))
    found.task = Task({"rollback": True, "tolerance": 5.0})
    found.result |= {"before": HALF, "after": {"blue": 100, "green": 0}, "pool": "blue"}
    answers = [answer("blue", number) for number in range(60)]
    assert list(found._unless_accepted(iter(answers), {"blue": 100, "green": 0}, Deadline(5))) == answers
    assert asked == ["status"]


@pytest.mark.parametrize(("part", "row"), [(0.0, 10), (0.1, 10), (0.5, 10), (0.75, 17), (0.9, 40), (1.0, 10)])
def test_a_short_row_does_not_come_by_chance(part: float, row: int) -> None:
    """A pool that had 90 % gives ten in a row in one of three times, though the gateway does not follow."""
    assert naming.short_row(part) == row
