# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._announce import payload
from ansible_collections.mcp.server.plugins.module_utils._release import bypassed, record
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release, ReleaseRecord, Side
from ansible_collections.mcp.server.plugins.module_utils._text import STARS
from ansible_collections.mcp.server.tests.unit.fakes.records import release

BY_HAND = {"bypassed": ["preflight", "gates"], "bypass_reason": "The registry is away."}


def one(outcome: str = "succeeded", *, by_hand: bool = False) -> Release:
    return release(outcome, **(BY_HAND if by_hand else {}))


@pytest.mark.parametrize(
    ("newest_first", "told"),
    [
        ([], False),
        ([one()], False),
        ([one(by_hand=True)], True),
        ([one("running", by_hand=True)], True),
        ([one("rolled_back", by_hand=True)], True),
        # Only a clean release that succeeded ends it.
        ([one("running"), one(by_hand=True)], True),
        ([one("failed"), one(by_hand=True)], True),
        ([one("rolled_back"), one(by_hand=True)], True),
        ([one(), one(by_hand=True)], False),
        ([one("failed"), one(), one(by_hand=True)], False),
    ],
)
def test_until_when_it_is_said(newest_first: list[Release], told: bool) -> None:
    current, *history = newest_first or [None]
    found = bypassed.standing(ReleaseRecord(current, tuple(history)))
    assert (found is not None) is told
    if found:
        assert found.sentence == "The release of v1.2.0 bypassed preflight, gates; reason: The registry is away."


def side(image_ref: str) -> Side:
    return {"pool": "blue", "image_ref": image_ref}


@pytest.mark.parametrize(("back_to", "told"), [("x:v1", False), ("x:v2", True)])
def test_a_clean_release_that_was_taken_back_later_ends_it_unless_the_bypassed_one_is_live_again(
    back_to: str, told: bool
) -> None:
    by_hand = {**one("rolled_back", by_hand=True), "from": side("x:v1"), "to": side("x:v2")}
    clean = {**one(), "from": side(back_to), "to": side("x:v3")}
    book = record.end(ReleaseRecord(t.cast(Release, clean), (t.cast(Release, by_hand),)), "rolled_back", "T9")
    assert book.newest["had_succeeded"] is True
    assert (bypassed.standing(book) is not None) is told


def test_no_secret_in_the_reason_is_kept() -> None:
    found = bypassed.add(one(), ["gates"], "It says password=hunter2planted.")
    assert found["bypass_reason"] == f"It says password={STARS}"


def test_what_a_continued_release_bypasses_too_is_added() -> None:
    found = bypassed.add(one(by_hand=True), ["gates", "health"], "And it is slow.")
    assert found["bypassed"] == ["preflight", "gates", "health"] and found["bypass_reason"] == "And it is slow."
    assert bypassed.add(found, [], "") == found
    assert "bypassed" not in bypassed.add(one(), [], "no bypass")


def test_the_text_of_others_is_printable_and_short() -> None:
    found = bypassed.of(release(bypassed=["a\x1b[2J" * 100] * 100, bypass_reason="b\n" * 9000))
    assert found and len(found.names) == bypassed.NAMES and "\x1b" not in found.sentence and "\n" not in found.sentence
    assert len(found.reason) <= bypassed.REASON
    assert bypassed.of(release(bypassed=[])) is None and bypassed.of(None) is None


@pytest.mark.parametrize("what", ["ended", "rollback_failed", "paused"])
def test_every_announcement_says_it(what: str) -> None:
    current = one("rolled_back")
    noted = bypassed.standing(ReleaseRecord(current, (one(by_hand=True),)))
    event = payload.event(current, ("prod", "mcp"), what, "", [], noted=noted)
    assert (event["bypassed"], event["bypassed_version"]) == (["preflight", "gates"], "v1.2.0")
    assert "*Bypassed:* The release of v1.2.0 bypassed preflight, gates" in payload.slack_payload(event)["text"]
    clean = payload.event(current, ("prod", "mcp"), what, "", [])
    assert clean["bypassed"] == [] and "Bypassed" not in payload.slack_payload(clean)["text"]
