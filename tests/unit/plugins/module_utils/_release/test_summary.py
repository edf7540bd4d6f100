# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases as text, as tables."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release import summary

BEFORE, TENTH = {"blue": 100, "green": 0}, {"blue": 90, "green": 10}
RELEASE: dict[str, t.Any] = {
    "id": "r",
    "reason": "weekly",
    "outcome": "succeeded",
    "started": "2026-11-27T05:00:00Z",
    "ended": "2026-11-27T05:01:02.5Z",
    "steps": [{"weights": BEFORE}, {"weights": TENTH}],
    "from": {"pool": "blue", "version": "v1", "weights": BEFORE},
    "to": {"pool": "green", "version": "v2"},
}


def release(**changes: t.Any) -> t.Any:
    return summary.readable(t.cast(t.Any, {**RELEASE, **changes}))


@pytest.mark.parametrize(
    ("changes", "outcome", "paused", "headline"),
    [
        ({}, "succeeded", "", "v2 is released, v1 was live before"),
        ({"outcome": "rolled_back"}, "rolled back", "", "v2 was rolled back to v1"),
        ({"outcome": "failed"}, "failed", "", "the release of v2 failed"),
        ({"outcome": "running"}, "running", "", "the release of v2 is running, blue 90 %, green 10 %"),
        ({"outcome": "running", "paused": {"reason": "no data"}}, "paused", "no data", "the release of v2 is paused"),
        ({"outcome": "paused"}, "paused", "", "the release of v2 is paused at blue 90 %, green 10 %"),
        # A pause is over once the release has ended.
        ({"outcome": "failed", "paused": {"reason": "no data"}}, "failed", "", "the release of v2 failed"),
        ({"outcome": "superseded", "paused": {"reason": "x"}}, "superseded", "", "the release of v2 ended as supersed"),
        # Anybody may have edited the record.
        ({"outcome": "running", "paused": "x"}, "running", "", "the release of v2 is running"),
        ({"outcome": "running", "paused": {"reason": None}}, "running", "", "the release of v2 is running"),
        ({"outcome": "odd"}, "odd", "", "the release of v2 ended as odd"),
        ({"to": {"pool": "green", "image_ref": "r/x:v2"}}, "succeeded", "", "r/x:v2 is released"),
        ({"to": {"pool": "green"}}, "succeeded", "", "the version of pool green is released"),
        ({"outcome": "running", "steps": [{}]}, "running", "", "the release of v2 is running, weights unknown"),
    ],
)
def test_what_happened(changes: dict[str, t.Any], outcome: str, paused: str, headline: str) -> None:
    found = release(**changes)
    assert (summary.outcome(found), summary.paused(found)) == (outcome, paused)
    assert summary.headline(found, "prod/mcp").startswith(f"prod/mcp: {headline}")


@pytest.mark.parametrize(
    ("steps", "weights"), [(RELEASE["steps"], TENTH), ([], BEFORE), ([{"weights": "x"}], {}), (["x"], BEFORE)]
)
def test_the_last_weights_count(steps: list[t.Any], weights: dict[str, int]) -> None:
    found = release(steps=steps)
    assert summary.last_weights(found) == summary.stats(found)["weights"] == weights


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (
            {"at": "2026-11-27T05:00:01Z", "weights": TENTH, "share": {"green": 9.5, "requests": 144, "failed": 2}},
            "05:00:01 green 10 %: measured 9.5 % of 144 answers, 2 failed, no verdict",
        ),
        (
            {"weights": BEFORE, "share": {"green": 0.0, "failed": 0}, "verdict": "no_data"},
            "--:--:-- green 0 %: measured 0.0 % of 0 answers, no data",
        ),
        ({"share": {"failed": 7}, "verdict": "followed"}, "--:--:-- green ? %: not measured, 7 failed, followed"),
        ({"weights": TENTH, "share": None}, "--:--:-- green 10 %: not measured, no verdict"),
    ],
)
def test_a_step(step: dict[str, t.Any], line: str) -> None:
    (found,) = release(steps=[step])["steps"]
    assert summary.step(found, "green") == line


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [({}, 62.5), ({"ended": None}, None), ({"started": None}, None), ({"started": "soon"}, None), ({"ended": 7}, None)],
)
def test_how_long_it_took(changes: dict[str, t.Any], seconds: float | None) -> None:
    assert summary.seconds(release(**changes)) == seconds


@pytest.mark.parametrize(
    ("share", "says"),
    [
        ({"measured_by": "header"}, "measured 9.5 % of 144 answers by header, followed"),
        ({"measured_by": "health"}, "measured 9.5 % of 144 answers by the health document, followed"),
        ({"measured_by": "counters"}, "measured 9.5 % of 144 answers by the gateway's counters, followed"),
        ({"measured_by": "server_info", "failed": 2}, "of 144 answers by serverInfo, 2 failed, followed"),
        ({"measured_by": None}, "measured 9.5 % of 144 answers, followed"),
        ({"measured_by": ["x"]}, "measured 9.5 % of 144 answers, followed"),  # somebody edited the record
        ({"measured_by": "header", "green": None}, "green 10 %: not measured, followed"),
    ],
)
def test_what_a_share_was_measured_by(share: dict[str, t.Any], says: str) -> None:
    found = {"weights": {"green": 10}, "share": {"green": 9.5, "requests": 144, **share}, "verdict": "followed"}
    assert summary.step(t.cast(t.Any, found), "green").endswith(says)
