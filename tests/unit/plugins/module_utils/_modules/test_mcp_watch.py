# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A watch that goes back itself at a breach."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._modules import ending, mcp_watch
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Overwritten
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

RECORD = {"from": {"pool": "blue"}, "to": {"pool": "green"}}
CHANGED = Overwritten("Argo CD set it back.", overwritten={"by": "Argo CD"})
BREACH = Failure("It ended with a breach.", verdict="breach", gates=[{"gate": "errors"}])


def go(
    monkeypatch: pytest.MonkeyPatch, fails: dict[str, Failure], *, check: bool = False, **more: t.Any
) -> tuple[list[str], t.Any]:
    """Return what was called, and how the watch ended."""
    calls: list[str] = []

    def stand_in(name: str, found: dict[str, t.Any]) -> t.Callable[[Task], dict[str, t.Any]]:
        def run(task: Task) -> dict[str, t.Any]:
            calls.append(name)
            if name in fails:
                raise fails[name]
            return {"changed": True, **found}

        return run

    monkeypatch.setattr(mcp_watch.watch, "run", stand_in("watch", {"verdict": "pass"}))
    found = {
        "SHIFT": {"pool": "blue", "bad_pool": "green", "run_id": "run7"},
        "ROLLOUT": {},
        "RELEASE_INFO": {"record": RECORD, "holder": None},
        "RELEASE": {},
        "ANNOUNCE": {"stats": {}},
    }
    for name, result in found.items():
        monkeypatch.setattr(ending, name, replace(getattr(ending, name), run=stand_in(name, result)))
    given = {
        "namespace": "ns",
        "server": "x",
        "endpoint": {"url": "http://127.0.0.1:9"},
        "seconds": 1,
        "pool": "green",
        **more,
    }
    validated = ArgumentSpecValidator(mcp_watch.SPEC.options, **mcp_watch.SPEC.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    try:
        return calls, mcp_watch.run(Task(validated.validated_parameters, check_mode=check))
    except Failure as failure:
        return calls, failure


ALL_BACK = ["watch", "RELEASE_INFO", "SHIFT", "ROLLOUT", "RELEASE", "ANNOUNCE"]


@pytest.mark.parametrize(
    ("rollback", "check", "fails", "called", "words"),
    [
        (True, False, {}, ["watch"], ""),
        (True, False, {"watch": BREACH}, ALL_BACK, "The release was rolled back: all traffic is on blue."),
        (False, False, {"watch": BREACH}, ["watch"], "It ended with a breach."),
        (True, True, {"watch": BREACH}, ["watch"], "It ended with a breach."),
        (True, False, {"watch": Failure("Nothing to see.", verdict="inconclusive")}, ["watch"], "Nothing to see."),
        (
            True,
            False,
            {"watch": BREACH, "SHIFT": Failure("No way.")},
            ["watch", "RELEASE_INFO", "SHIFT", "ANNOUNCE"],
            "The rollback failed: No way.",
        ),
        (
            True,
            False,
            {"watch": BREACH, "SHIFT": LeaseLost("Ann took over.")},
            ["watch", "RELEASE_INFO", "SHIFT"],
            "Ann took over.",
        ),
        (
            True,
            False,
            {"watch": BREACH, "RELEASE_INFO": Unreachable("Away.")},
            ALL_BACK,
            "The release was rolled back:",
        ),
        (
            True,
            False,
            {"watch": CHANGED},
            [call for call in ALL_BACK if call != "ROLLOUT"],
            "all traffic is on blue. Nothing was scaled.",
        ),
        (False, False, {"watch": CHANGED}, ["watch"], "Argo CD set it back."),
        (True, False, {"watch": BREACH, "ROLLOUT": Failure("No.")}, ALL_BACK, "The release was rolled back:"),
    ],
)
def test_at_a_breach(
    monkeypatch: pytest.MonkeyPatch,
    rollback: bool,
    check: bool,
    fails: dict[str, Failure],
    called: list[str],
    words: str,
) -> None:
    calls, ended = go(monkeypatch, fails, check=check, rollback=rollback)
    assert calls == called
    assert words in ended.msg if words else ended["verdict"] == "pass"


@pytest.mark.parametrize(
    ("given", "has_others", "passed"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_other_backends_are_read_from_the_route(
    monkeypatch: pytest.MonkeyPatch, given: bool | None, has_others: bool, passed: bool
) -> None:
    seen: list[t.Any] = []

    def watched(task: Task) -> dict[str, t.Any]:
        seen.append(task.params["other_backends"])
        return {"verdict": "pass"}

    cluster = ApiServer({})
    monkeypatch.setattr(mcp_watch.connection, "connect", lambda params: cluster)
    monkeypatch.setattr(mcp_watch, "has_others", lambda _cluster, _server: has_others)
    monkeypatch.setattr(mcp_watch.watch, "watch", watched)
    more = {} if given is None else {"other_backends": given}
    _calls, found = go(monkeypatch, {}, **more)
    assert found["verdict"] == "pass" and seen == [passed]


def test_options_of_the_end_are_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, ended = go(monkeypatch, {}, rollback=True, announce={"webhook": []})
    assert calls == [] and "announce: " in ended.msg


@pytest.mark.parametrize(
    ("release", "holder", "words"),
    [
        (RECORD, None, ""),
        (None, None, ""),  # the route may say it
        (RECORD, {"by": "ann@laptop"}, "ann@laptop has a release in progress."),
        ({"from": RECORD["to"], "to": RECORD["from"]}, None, "to green itself"),
    ],
)
def test_no_way_back(release: t.Any, holder: t.Any, words: str) -> None:
    found = mcp_watch.no_way_back(release, holder, "green")
    assert words in found and bool(words) == bool(found)
