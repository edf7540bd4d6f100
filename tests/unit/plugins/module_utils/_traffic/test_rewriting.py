# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a RevertMonitor makes of reverts. Whole rollbacks are in test_revert_monitor.py."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.field_managers import Writer
from ansible_collections.mcp.server.plugins.module_utils._release.pools import Stable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import revert_monitor
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.revert_monitor import RevertMonitor

WANTED, BEFORE, TARGET = {"blue": 100, "green": 0}, {"blue": 0, "green": 100}, Stable("blue")
NOW = datetime(2026, 11, 27, 6, 0, 0, tzinfo=UTC)
ARGO = Writer("Argo CD", "argocd-controller", "", "argocd app set x")


def revert(number: int = 1) -> Overwritten:
    return Overwritten(f"HTTPRoute prod/mcp gives green 100 % ({number}).", overwritten={"by": "Argo CD"})


class Rollback:
    """One that was written, and whose next write ends like this."""

    def __init__(self, error: Failure | None = None, seconds: float = 30.0, target: Stable = TARGET) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.written: list[tuple[t.Any, ...]] = []
        first = {"before": {"blue": 50, "green": 50}, "changed": True, "diff": {"first": True}}
        self.result: dict[str, t.Any] = {
            **first,
            "written_at": 1.0,
            "seconds_to_follow": 2.0,
            "bad_pool": "green",
            "scale_down": True,
            "reverted": [],
        }

        def write(*given: t.Any) -> None:
            if error:
                raise error
            self.written.append(given)
            self.result |= {"before": BEFORE, "changed": False, "diff": {}, "written_at": 9.0}

        task = Task(
            {"verify_seconds": seconds, "gitops_ignores": []}, progress=self.lines.append, warn=self.warnings.append
        )
        kind = SimpleNamespace(name=lambda _server: "HTTPRoute prod/mcp", written=lambda route: route)
        self.shift = SimpleNamespace(
            task=task, server="prod/mcp", result=self.result, kind=kind, route={}, read=lambda: BEFORE, write=write
        )
        self.monitor = RevertMonitor(t.cast(t.Any, self.shift), WANTED, target)


def test_weights_that_were_reverted_are_written_again() -> None:
    """The result tells of the first write."""
    rollback = Rollback()
    rollback.monitor._write_again(revert())
    assert rollback.written == [(BEFORE, WANTED, TARGET)]
    assert rollback.lines == ["reverted: HTTPRoute prod/mcp gives green 100 % (1); writing the weights again"]
    assert (rollback.result["before"], rollback.result["changed"], rollback.result["written_at"]) == (
        {"blue": 50, "green": 50},
        True,
        1.0,
    )
    assert (rollback.result["scale_down"], rollback.result["reverted"]) == (False, [{"by": "Argo CD"}])


def test_without_verify_seconds_they_are_not() -> None:
    rollback = Rollback(seconds=0.0)
    with pytest.raises(
        Overwritten, match=r"\(blue 100 %, green 0 %\) and reverted once, and are not written again\. H"
    ):
        rollback.monitor._write_again(revert())
    assert not rollback.written


def test_reverts_for_too_long_are_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rollback = Rollback()
    rollback.monitor._write_again(revert())
    assert rollback.monitor._rewriting is not None
    rollback.monitor._rewriting.seconds = 0.0
    with pytest.raises(Overwritten, match=r"and reverted 2 times in 0 s\. HTTPRoute prod/mcp gives .* \(2\)") as raised:
        rollback.monitor._write_again(revert(2))
    assert len(rollback.written) == 1 and len(raised.value.evidence["reverted"]) == 2


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (LeaseLost("Ann took over."), LeaseLost, "^Ann took over"),
        (Failure("No rule."), Overwritten, r"reverted, and can't be written again: No rule\. HTTPRoute prod/mcp gives"),
    ],
)
def test_a_write_that_fails(error: Failure, kind: type[Failure], words: str) -> None:
    with pytest.raises(kind, match=words):
        Rollback(error).monitor._write_again(revert())


@pytest.mark.parametrize(
    ("reverts", "tools", "target", "words"),
    [
        (0, [], TARGET, ""),
        (1, [], TARGET, "The rollback of prod/mcp was reverted once and written again; pool green keeps its pods"),
        (2, [ARGO], TARGET, "The rollback of prod/mcp was reverted 2 times and written again"),
        (0, [ARGO], TARGET, "Pool green keeps its pods because Argo CD manages HTTPRoute prod/mcp"),
        (0, [ARGO], Stable("blue", named=True), ""),  # it keeps them anyway
    ],
)
def test_what_is_said_at_the_end(
    monkeypatch: pytest.MonkeyPatch, reverts: int, tools: list[Writer], target: Stable, words: str
) -> None:
    monkeypatch.setattr(revert_monitor, "_tools", lambda _shift: tools)
    rollback = Rollback(target=target)
    for number in range(reverts):
        rollback.monitor._keep(revert(number))
    rollback.monitor._report()
    assert len(rollback.warnings) == bool(words) and all(text.startswith(words) for text in rollback.warnings)
    assert not reverts or rollback.warnings[0].endswith(f"gives green 100 % ({reverts - 1}).")  # the last one


@pytest.mark.parametrize(
    ("now", "at", "lasted"),
    [
        (NOW, NOW - timedelta(seconds=30), 29.0),
        (NOW, NOW - timedelta(seconds=1), 0.0),
        (NOW, NOW + timedelta(seconds=30), 0.0),
        (None, NOW, 0.0),
        (NOW, None, 0.0),
    ],
)
def test_how_long_the_weights_have_lasted(
    monkeypatch: pytest.MonkeyPatch, now: datetime | None, at: datetime | None, lasted: float
) -> None:
    monkeypatch.setattr(revert_monitor.field_managers, "ours_at", lambda _route: at.isoformat() if at else "")
    rollback = Rollback()
    rollback.shift.cluster = SimpleNamespace(server_time=lambda: now)
    assert rollback.monitor._lasted() == lasted


@pytest.mark.parametrize(("reverts", "verified"), [(0, 0), (1, 1), (2, 1)])
def test_weights_that_were_written_again_are_verified_once_more(
    monkeypatch: pytest.MonkeyPatch, reverts: int, verified: int
) -> None:
    monkeypatch.setattr(revert_monitor, "POLL_INTERVAL", 0.01)
    rollback, coming, verifying = Rollback(seconds=0.05), [revert()] * reverts, []

    def look() -> None:
        if coming:
            raise coming.pop()

    monkeypatch.setattr(rollback.monitor, "_lasted", lambda: 0.0)
    monkeypatch.setattr(rollback.monitor, "_look", look)
    monkeypatch.setattr(rollback.monitor, "_report", lambda: None)
    monkeypatch.setattr(rollback.monitor, "verify", lambda: verifying.append(1))
    rollback.monitor.watch()
    assert (len(rollback.written), len(verifying), coming) == (reverts, verified, [])
