# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of an emergency, as tables. What it does is tested with the module (test_single_shift.py)."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import pools, record
from ansible_collections.mcp.server.plugins.module_utils._server import Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import emergency
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import open_sessions


@pytest.mark.parametrize(
    ("replicas", "planned", "too_small"),
    [
        (1, 2, True),
        (1, 3, True),
        (2, 2, False),
        (3, 2, False),
        (0, 2, False),  # scaled up before the traffic came, or sent there by force
        (2, 0, False),  # not known
        (0, 0, False),
    ],
)
def test_which_pool_gets_its_size_back(replicas: int, planned: int, too_small: bool) -> None:
    assert emergency.is_too_small(replicas, planned) is too_small


BY_DIGEST = "r.io/x:v1@sha256:a"


@pytest.mark.parametrize(
    ("image_ref", "recorded", "gone", "tagged"),
    [
        (BY_DIGEST, BY_DIGEST, "", None),
        ("r.io/x:v1", "r.io/x:v1", "", None),
        ("r.io/x:v1", "", "", None),
        ("r.io/x:v2", BY_DIGEST, "", None),
        # By a run that was killed before it could record that
        ("r.io/x:v1", BY_DIGEST, "", ("r.io/x:v1", "sha256:a")),
        # By this run, also where nothing is recorded, and once it is recorded
        ("r.io/x:v1", BY_DIGEST, "sha256:a", ("r.io/x:v1", "sha256:a")),
        ("r.io/x:v1", "", "sha256:a", ("r.io/x:v1", "sha256:a")),
        ("r.io/x:v1", "r.io/x:v1", "sha256:a", ("r.io/x:v1", "sha256:a")),
        # A webhook adds what the tag means now
        ("r.io/x:v1@sha256:b", BY_DIGEST, "sha256:a", ("r.io/x:v1@sha256:b", "sha256:a")),
        # Deployed by somebody since
        ("r.io/x:v0", BY_DIGEST, "sha256:a", None),
        ("r.io/x:v0", "r.io/x:v1", "sha256:a", None),
    ],
)
def test_which_target_runs_its_tag(image_ref: str, recorded: str, gone: str, tagged: tuple[str, str] | None) -> None:
    assert emergency.tagged(image_ref, recorded, gone) == tagged


@pytest.mark.parametrize(
    ("expected", "reported", "warning", "problem"),
    [
        ("v1.1.5", ["1.1.5"], "", ""),
        ("v1.1.5", ["v1.1.5", "1.1.5"], "", ""),
        ("v1.1.5", ["1.0.0"], "", "answers report version 1.0.0, not v1.1.5"),
        ("v1.1.5", ["1.0.0", "1.1.5"], "", "answers report version 1.0.0, 1.1.5, not v1.1.5"),
        ("v1.1.5", [], "The version was not verified: no answer reports one.", ""),
        ("", ["1.0.0"], "", ""),
        ("", [], "", ""),
        ("sha-abc1234", [], "The version was not verified: no answer reports one.", ""),
    ],
)
def test_which_version_is_another_one(expected: str, reported: list[str], warning: str, problem: str) -> None:
    assert emergency.other_version(expected, reported) == (warning, problem)


def test_a_version_that_servers_do_not_report_is_not_compared() -> None:
    warning, problem = emergency.other_version("sha-abc1234", ["1.0.0"])
    assert "sha-abc1234" in warning and problem == ""


def release(name: str, pool: str = "blue", outcome: str = record.RUNNING) -> t.Any:
    sides = {"from": {"pool": pool}, "to": {"pool": other(pool)}}
    end = None if outcome == record.RUNNING else "T1"
    return {"id": name, "reason": "weekly", "outcome": outcome, "ended": end, "steps": [], **sides}


def rolled_back(one: t.Any) -> t.Any:
    return {**one, "outcome": "rolled_back", "ended": "T9", "reason": "5xx"}


OLD = release("old", "green", "succeeded")


@pytest.mark.parametrize(
    ("current", "release", "after"),
    [
        # The newest one came from the pool that the traffic goes back to: it is the one that is rolled back.
        (release("new"), release("new"), [rolled_back(release("new")), OLD]),
        (release("new"), release("stand-in"), [rolled_back(release("new")), OLD]),
        (
            release("new", outcome="succeeded"),
            release("new"),
            [{**rolled_back(release("new", outcome="succeeded")), "had_succeeded": True}, OLD],
        ),
        # A named pool that the newest one did not come from: an entry of its own, and nothing runs any longer.
        (
            release("new"),
            release("named", "green"),
            [
                rolled_back(release("named", "green")),
                {**release("new"), "outcome": "rolled_back", "ended": "T9"},
                OLD,
            ],
        ),
        (
            release("new", outcome="failed"),
            release("named", "green"),
            [rolled_back(release("named", "green")), release("new", outcome="failed"), OLD],
        ),
        (None, release("stand-in"), [rolled_back(release("stand-in"))]),
        (rolled_back(release("new")), release("new"), [rolled_back(release("new")), OLD]),
    ],
)
def test_what_the_record_says_afterwards(current: t.Any, release: t.Any, after: list[t.Any]) -> None:
    before = record.ReleaseRecord(current, (OLD,) if current else ())
    found = emergency.ended(before, release, "T9", "5xx")
    assert [found.current, *found.history] == after
    assert emergency.ended(found, release, "T10", "again") == found


def test_the_history_stays_bounded() -> None:
    full = record.ReleaseRecord(release("new"), (OLD,) * record.KEPT)
    found = emergency.ended(full, release("named", "green"), "T9", "5xx")
    assert len(found.history) == record.KEPT and found.history[0]["id"] == "new"


@pytest.mark.parametrize(
    ("count", "lines"), [(7, ["this rollback ends 7 open sessions of pool green"]), (0, []), (None, [])]
)
def test_sessions_that_a_rollback_ends_are_told(
    monkeypatch: pytest.MonkeyPatch, count: int | None, lines: list[str]
) -> None:
    told: list[str] = []
    monkeypatch.setattr(open_sessions, "count", lambda *_given: count)
    task = Task({"sessions_metric": {"name": "open"}}, progress=told.append)
    kind = SimpleNamespace(has_affinity=lambda *_given: True)
    result: dict[str, t.Any] = {"sessions": {}, "bad_pool": "green"}
    emergency._report_sessions(
        t.cast(t.Any, SimpleNamespace(task=task, kind=kind, route={}, server=None, cluster=None, result=result))
    )
    assert result["sessions"] == {"marked": True, "at_risk_after": count} and told == lines


@pytest.mark.parametrize(
    ("version", "share", "compared", "refused", "warned"),
    [
        ("v1.1.5", {"versions": ["1.1.5"]}, ["health"], False, False),
        ("v1.1.5", {"versions": ["1.0.0"]}, ["health"], True, False),
        ("v1.1.5", {"versions": []}, ["server_info"], False, True),
        ("v1.1.5", None, ["health"], False, True),
        ("", {"versions": ["1.0.0"]}, ["health"], False, False),
        # Only where that is asked for: what a server calls itself need not be its tag.
        ("v1.1.5", {"versions": ["1.0.0"]}, [], False, False),
        ("v1.1.5", {"versions": ["1.0.0"]}, None, False, False),
        ("v1.1.5", None, [], False, False),
    ],
)
def test_traffic_that_is_back_on_another_version(
    version: str, share: dict[str, t.Any] | None, compared: list[str] | None, refused: bool, warned: bool
) -> None:
    warnings: list[str] = []
    result = {"version": version, "share": share, "pool": "blue"}
    task = Task({"compare_version": compared}, warn=warnings.append)
    shift = SimpleNamespace(task=task, server="prod/mcp", public="x", result=result)
    if refused:
        with pytest.raises(Failure, match="Traffic of prod/mcp is back on pool blue, but answers report version 1.0.0"):
            emergency._refuse_other_version(t.cast(t.Any, shift))
    else:
        emergency._refuse_other_version(t.cast(t.Any, shift))
    assert bool(warnings) is warned


ON_BLUE, ON_GREEN, HALF = {"blue": 100, "green": 0}, {"blue": 0, "green": 100}, {"blue": 50, "green": 50}
READY = {"blue": 2, "green": 2}


def prepared(
    monkeypatch: pytest.MonkeyPatch,
    before: dict[str, int] | None = None,
    current: t.Any = None,
    ready: t.Mapping[str, int | None] | None = None,
    stable: pools.Stable | None = None,
    tools: t.Sequence[str] = (),
    unread: bool = False,
    **params: t.Any,
) -> tuple[t.Any, dict[str, t.Any]]:
    """Return the rollback that is prepared when this is read, and the result so far."""
    found = None if unread else record.ReleaseRecord(current)
    monkeypatch.setattr(emergency, "_read", lambda _shift: (before or ON_GREEN, found, ready or READY))
    monkeypatch.setattr(emergency.revert_monitor, "managed_by", lambda _shift: list(tools))
    task = Task({"rollback_pool": None, "wait": True, "force": False, "reason": "5xx", **params})
    server = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
    result: dict[str, t.Any] = {}

    def note_weights(before: t.Any, after: t.Any) -> None:
        result.update(before=before, after=after)

    shift = SimpleNamespace(
        server=server, task=task, stable=stable, cluster=None, result=result, note_weights=note_weights
    )
    return emergency._prepare(t.cast(t.Any, shift)), shift.result


@pytest.mark.parametrize("pool", ["blue", "green"])
def test_the_release_that_came_from_the_target_is_rolled_back(monkeypatch: pytest.MonkeyPatch, pool: str) -> None:
    current = release("r", pool)
    current["from"] |= {"replicas": 3, "version": "v1"}
    rollback, result = prepared(monkeypatch, HALF, current)
    assert rollback.release is current and rollback.planned == 3
    assert (rollback.wanted, rollback.target) == (pools.split(pool, 100), pools.Stable(pool))
    assert (result["pool"], result["bad_pool"], result["scale_down"]) == (pool, other(pool), True)
    assert result["version"] == "v1"


@pytest.mark.parametrize("pool", ["blue", "green"])
def test_a_named_pool_that_no_release_came_from_has_a_stand_in(monkeypatch: pytest.MonkeyPatch, pool: str) -> None:
    current = release("r", other(pool))
    current["from"] |= {"replicas": 3, "version": "v1"}
    rollback, result = prepared(monkeypatch, HALF, current, rollback_pool=pool)
    assert (rollback.release["from"]["pool"], rollback.release["to"]["pool"]) == (pool, other(pool))
    assert rollback.release["named"] is True and rollback.planned == 0
    assert (result["pool"], result["scale_down"], result["version"]) == (pool, False, "")


@pytest.mark.parametrize(
    ("before", "ready", "force", "empty", "unknown"),
    [
        (ON_GREEN, 2, False, False, False),
        (ON_GREEN, 1, False, False, False),
        (ON_GREEN, 0, False, True, False),
        (ON_GREEN, 0, True, False, False),
        (ON_GREEN, None, False, False, True),
        (ON_GREEN, None, True, False, False),
        (ON_BLUE, 0, False, True, False),
        (ON_BLUE, None, False, False, False),  # it has all the traffic already
    ],
)
def test_whether_the_target_can_take_the_traffic(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, int], ready: int | None, force: bool, empty: bool, unknown: bool
) -> None:
    rollback, _result = prepared(monkeypatch, before, release("r"), {"blue": ready, "green": 5}, force=force)
    assert (rollback.empty, rollback.unknown) == (empty, unknown)


@pytest.mark.parametrize(
    ("found", "empty"), [(0, True), (1, False), (Unreachable("It is away."), False), (TimeoutError(), False)]
)
def test_a_pool_that_can_not_be_read_at_a_second_look_either_gets_the_traffic(
    found: int | Exception, empty: bool
) -> None:
    def ready_endpoints(_cluster: t.Any, pool: str) -> int:
        assert pool == "blue"
        if isinstance(found, Exception):
            raise found
        return found

    shift = SimpleNamespace(server=SimpleNamespace(ready_endpoints=ready_endpoints), cluster=None)
    assert emergency._is_empty(t.cast(t.Any, shift), "blue") is empty


@pytest.mark.parametrize(
    ("steps", "recorded"),
    [
        ([], False),
        ([{"weights": ON_BLUE, "verdict": "followed"}], True),
        ([{"weights": ON_BLUE, "verdict": "not_verified"}], False),
        ([{"weights": HALF, "verdict": "followed"}], False),
        ([{"weights": ON_BLUE, "verdict": "followed"}, {"weights": HALF, "verdict": "followed"}], False),
        (["odd"], False),
    ],
)
def test_whether_this_rollback_is_recorded(monkeypatch: pytest.MonkeyPatch, steps: list[t.Any], recorded: bool) -> None:
    rollback, _result = prepared(monkeypatch, current={**release("r"), "steps": steps})
    assert rollback.recorded is recorded


@pytest.mark.parametrize(
    ("outcome", "weights", "unread", "made"),
    [
        ("running", HALF, False, True),  # a paused one is running, too
        ("running", ON_BLUE, False, True),
        ("succeeded", ON_GREEN, False, False),
        ("rolled_back", ON_BLUE, False, False),
        ("rolled_back", HALF, False, True),  # it was cut off
        ("succeeded", ON_GREEN, True, True),
        (None, ON_GREEN, False, True),
    ],
)
def test_when_only_an_unfinished_release_is_rolled_back(
    monkeypatch: pytest.MonkeyPatch, outcome: str | None, weights: dict[str, int], unread: bool, made: bool
) -> None:
    current = {**release("r"), "outcome": outcome} if outcome else None
    stable = pools.Stable("blue")
    rollback, result = prepared(monkeypatch, weights, current, stable=stable, unread=unread, only_unfinished=True)
    assert (rollback is not None) is made and ("bad_pool" in result) is made
    if not made:
        assert result["msg"].startswith("Nothing was rolled back")
    assert prepared(monkeypatch, weights, current, stable=stable, unread=unread)[0] is not None


@pytest.mark.parametrize("replicas", [None, "3", 2.5])
def test_a_size_that_somebody_edited_is_not_known(monkeypatch: pytest.MonkeyPatch, replicas: t.Any) -> None:
    current = release("r")
    current["from"]["replicas"] = replicas
    assert prepared(monkeypatch, current=current)[0].planned == 0


def test_a_tool_that_may_give_the_bad_pool_traffic_again_keeps_its_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepared(monkeypatch, current=release("r"), tools=["Argo CD"])[1]["scale_down"] is False


@pytest.mark.parametrize(
    ("unread", "wait", "kind"),
    [(True, False, Unreachable), (True, True, Failure), (False, False, Failure), (False, True, Failure)],
)
def test_nothing_that_names_the_stable_pool_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, unread: bool, wait: bool, kind: type[Failure]
) -> None:
    """Without waiting, a record that could not be read may be readable at the next try."""
    with pytest.raises(Failure) as raised:
        prepared(monkeypatch, unread=unread, wait=wait, ready={"blue": 2, "green": None})
    assert raised.type is kind
    if kind is Failure:
        assert "ready endpoints: blue 2, green an unknown number" in raised.value.msg
        assert "rollback.yml -e mcp_rollback_pool=blue or ansible-playbook" in raised.value.msg


def test_the_route_s_note_names_the_pool_when_the_record_can_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rollback, result = prepared(monkeypatch, unread=True, stable=pools.Stable("blue"))
    assert (rollback.wanted, rollback.planned, rollback.rollout_seconds) == (ON_BLUE, 0, None)
    assert result["scale_down"] is True and "named" not in rollback.release
