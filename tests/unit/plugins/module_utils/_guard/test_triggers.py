# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import (
    BREACH,
    CANNOT_MEASURE,
    NO_DATA,
    PASS,
    Gate,
    Period,
    Verdict,
)
from ansible_collections.mcp.server.plugins.module_utils._guard import triggers
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

RELEASE = {"to": {"pool": "green"}, "started": "2026-11-24T06:00:00.000Z"}
PROMETHEUS = {
    "url": "http://prometheus",
    "source": ["app"],
    **dict.fromkeys(("token_file", "token_env", "token_secret", "username", "password")),
}


class FakeSource:
    def __init__(self, verdict: str | None) -> None:
        self.verdict = verdict
        self.periods: list[Period] = []

    def read(self, gates: t.Sequence[Gate]) -> float:
        if self.verdict is None:
            raise Failure("Prometheus does not answer.")
        return 1795500300.0

    def judge(self, gates: t.Sequence[Gate], period: Period) -> list[Verdict]:
        self.periods.append(period)
        return [
            Verdict(gate, self.verdict if gate.name == "errors" else PASS, 25.0, reason="past the limit")
            for gate in gates
        ]


@pytest.mark.parametrize(
    ("verdict", "says"), [(BREACH, "errors breach"), (PASS, ""), (NO_DATA, ""), (CANNOT_MEASURE, ""), (None, "")]
)
def test_only_a_breach_says_that_a_release_is_bad(
    monkeypatch: pytest.MonkeyPatch, verdict: str | None, says: str
) -> None:
    source, made = FakeSource(verdict), []
    monkeypatch.setattr(
        triggers.connect, "metrics_reader", lambda params, server, pool, back: made.append((pool, back)) or source
    )
    asked = triggers.breach({"triggers": {}}, Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp"))
    for _time in range(2):
        assert says in asked(RELEASE) and bool(asked(RELEASE)) is bool(says)
    assert made == [("green", 300)]  # once, so that it reads only what is new
    assert all(period.since == 1795500000.0 for period in source.periods)


@pytest.mark.parametrize("option", ["token_file", "token_env", "username"])
def test_what_a_guard_could_not_use(option: str) -> None:
    with pytest.raises(Failure, match=rf"A guard cannot use prometheus\.{option}"):
        triggers.handed_on({"triggers": {}, "prometheus": {**PROMETHEUS, option: "something"}})


def test_no_password_is_handed_on() -> None:
    secret = {"name": "prometheus", "key": "token"}
    given = {**PROMETHEUS, "password": "planted", "token_secret": secret}
    assert triggers.handed_on({"triggers": {}, "prometheus": given}) == {
        "url": "http://prometheus",
        "source": ["app"],
        "token_secret": secret,
    }
    assert triggers.handed_on({"triggers": {}, "prometheus": None}) is None
    with pytest.raises(Failure, match="triggers.errors"):
        triggers.handed_on({"triggers": {"errors": 3}, "prometheus": None})


def test_all_else_is_handed_on() -> None:
    """Also what is false, by the name of an option before and after the password's."""
    given = {**PROMETHEUS, "labels": {"pod": "pod"}, "ca_cert": "/ca.pem", "validate_certs": False, "timeout": 0.0}
    expected = {name: value for name, value in given.items() if value is not None}
    assert triggers.handed_on({"triggers": {}, "prometheus": {**given, "password": "planted"}}) == expected
