# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A version whose newest end is bad does not come back by itself."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release.failed_versions import bad_end, refusal
from ansible_collections.mcp.server.plugins.module_utils._release.record import (
    FAILED,
    ROLLED_BACK,
    RUNNING,
    SUCCEEDED,
    ReleaseRecord,
)

SHA = "sha256:" + "a" * 64


def release(
    version: str, outcome: str, ended: str | None = None, stable: str = "v0", to: t.Any = None
) -> dict[str, t.Any]:
    return {
        "id": version,
        "reason": "5 % of the answers failed.",
        "outcome": outcome,
        "ended": ended,
        "steps": [],
        "from": {"pool": "blue", "image_ref": f"r.io/x:{stable}", "version": stable},
        "to": {"pool": "green", "image_ref": f"r.io/x:{version}", "digest": "", "version": version, **(to or {})},
    }


@pytest.mark.parametrize(
    ("current", "history", "bad"),
    [
        (None, [], False),
        (release("v1", ROLLED_BACK), [], True),
        (release("v1", FAILED), [], True),
        (release("v1", SUCCEEDED), [release("v1", ROLLED_BACK)], False),
        (release("v1", RUNNING), [release("v1", ROLLED_BACK)], False),  # it was forced, was cut off, and goes on
        (release("v2", SUCCEEDED), [release("v1", FAILED)], True),
        (release("v2", SUCCEEDED), [release("v1", ROLLED_BACK), release("v1", SUCCEEDED)], True),
        (release("v2", SUCCEEDED), [release("v1", SUCCEEDED), release("v1", ROLLED_BACK)], False),
        # It was stable since
        (release("v2", ROLLED_BACK, stable="v1"), [release("v1", FAILED)], False),
        # A rollback to it failed, and stands in the history behind what it was to take back
        (
            release("v2", SUCCEEDED, "2026-11-26T10:00:00Z", stable="v1"),
            [release("v1", FAILED, "2026-11-26T11:00:00Z")],
            True,
        ),
        (release("v2", RUNNING, stable="v1"), [release("v1", FAILED, "2026-11-26T11:00:00Z")], False),
        # No verdict on it: refused before anything was deployed, a rollback to it that did not get to the traffic, or
        # another run came first
        (release("v1", FAILED) | {"judged": False}, [], False),
        (release("v2", SUCCEEDED), [release("v1", FAILED) | {"judged": False}, release("v1", ROLLED_BACK)], True),
        (release("v2", SUCCEEDED), [release("v1", FAILED) | {"judged": False}, release("v1", SUCCEEDED)], False),
        (release("v2", RUNNING), [release("v1", FAILED) | {"reason": "weekly (superseded by T2-v2)"}], False),
        (release("v2", RUNNING), [release("v1", FAILED) | {"reason": "(superseded by T2-v2)", "steps": [{}]}], True),
        (
            release("v2", RUNNING),
            [release("v1", FAILED, to={"rollout_seconds": 3.0}) | {"reason": "(superseded by T2-v2)"}],
            True,
        ),
        (release("v1", FAILED) | {"reason": "Failed (superseded by nobody) at 10 %."}, [], True),
        (release("v1", FAILED) | {"judged": "nonsense"}, [], True),
        # By its image, or its digest, and among what others wrote
        (release("v1", FAILED, to={"version": ""}), [], True),
        (release("v1", FAILED, to={"version": None, "image_ref": "r.io/x:v1@" + SHA}), [], True),
        (release("v1", FAILED, to={"version": 7, "image_ref": "NO IMAGE"}), [], False),
        (release("v1", FAILED, to={"version": ["v1"], "image_ref": None, "digest": {}}), [], False),
        (release("v2", SUCCEEDED), [7, {"id": "x"}, release("v1", FAILED)], True),
    ],
)
def test_bad_end(current: t.Any, history: list[t.Any], bad: bool) -> None:
    assert (bad_end(ReleaseRecord(current, tuple(history)), "v1") is not None) is bad


def test_a_digest_is_known_again() -> None:
    book = ReleaseRecord(release("v1", FAILED, to={"digest": SHA}))
    assert bad_end(book, SHA) and bad_end(book, f"other@{SHA}") and not bad_end(book, "other")


def test_it_says_when_and_why_and_what_to_do() -> None:
    book = ReleaseRecord(
        {**release("v1", ROLLED_BACK, "2026-11-26T10:00:00Z"), "reason": "5 %\x1b[31m\nfailed." + "x" * 1000}
    )
    said = refusal(book, "v1", None)
    assert said.startswith("v1 was rolled back at 2026-11-26T10:00:00Z (5 % [31m failed.xx")
    assert "-e mcp_force_version=v1 (option force_version" in said
    assert said.isprintable() and len(said) < 600
    assert refusal(book, "v1", "v2") == refusal(book, "v1", "") == said
    assert refusal(book, "v1", "v1") == refusal(book, "v2", None) == ""
    assert "v1 failed at an unknown time (no reason is recorded)" in refusal(
        ReleaseRecord({**release("v1", FAILED), "reason": ""}), "v1", None
    )
