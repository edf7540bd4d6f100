# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release import pools


def weights(blue):
    return {"blue": blue, "green": 100 - blue}


def release(outcome, pool="blue"):
    return {"outcome": outcome, "from": {"pool": pool}}


NOTHING = {"blue": 0, "green": 0}


@pytest.mark.parametrize(
    "now, current, live, stable",
    [
        (weights(100), None, "blue", "blue"),
        (weights(0), None, "green", "green"),
        (weights(90), None, "blue", "blue"),
        (weights(50), None, None, None),
        (NOTHING, None, None, None),
        (weights(50), release("running"), None, "blue"),
        (weights(0), release("running"), "green", "blue"),
        (weights(0), release("succeeded"), "green", "green"),
        (weights(100), release("rolled_back"), "blue", "blue"),
        (weights(100), release("running", "green"), "blue", "green"),
    ],
)
def test_which_pool_is_which(now, current, live, stable):
    assert (pools.live(now), pools.stable(now, current)) == (live, stable)


BLUE, GREEN = pools.Stable("blue"), pools.Stable("green")
NAMED = pools.Stable("blue", named=True)


@pytest.mark.parametrize(
    "current, noted, named, target",
    [
        (None, None, None, None),
        (None, None, "blue", NAMED),
        (None, BLUE, None, BLUE),
        (None, BLUE, "blue", BLUE),
        (None, GREEN, "blue", NAMED),
        (None, NAMED, None, NAMED),
        (None, NAMED, "blue", NAMED),
        (release("running"), None, None, BLUE),
        (release("running"), GREEN, None, BLUE),
        (release("succeeded"), GREEN, "green", pools.Stable("green", named=True)),
        (release("rolled_back"), None, "blue", BLUE),
        ({**release("rolled_back"), "named": True}, None, None, NAMED),
        ({**release("rolled_back"), "named": True}, BLUE, "blue", NAMED),
    ],
)
def test_rollback_target(current, noted, named, target):
    assert pools.rollback_target(current, noted, named) == target


@pytest.mark.parametrize(
    "before, noted, current, expected",
    [
        # The steps of a release, one after the other, without a record
        (weights(100), None, None, BLUE),
        (weights(90), BLUE, None, BLUE),
        (weights(10), BLUE, None, BLUE),
        # The next one begins where the last one ended
        (weights(0), BLUE, None, GREEN),
        (weights(0), BLUE, release("succeeded"), GREEN),
        # A person moved it
        (weights(90), None, None, BLUE),
        (weights(40), None, None, GREEN),
        (weights(40), None, release("running"), BLUE),
        (weights(0), None, release("running"), BLUE),
        (weights(50), None, None, None),
        (NOTHING, None, None, None),
        (weights(50), NAMED, None, NAMED),
    ],
)
def test_where_traffic_returns_to(before, noted, current, expected):
    assert pools.returns_to(before, noted, current) == expected


@pytest.mark.parametrize("stable", [BLUE, GREEN, NAMED])
def test_a_note_is_read_as_it_was_written(stable):
    assert pools.noted(pools.note(stable, weights(90))) == (stable, weights(90))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "blue",
        "[]",
        "null",
        "{}",
        '{"pool": "red", "weights": {"blue": 1, "green": 2}}',
        '{"pool": "blue", "weights": 3}',
        "[" * 100000,
    ],
)
def test_a_note_that_is_not_ours(text):
    assert pools.noted(text) is None


@pytest.mark.parametrize(
    "pool, percent, before, gaining",
    [
        ("green", 10, weights(100), ["green"]),
        ("green", 10, weights(50), ["blue"]),
        ("blue", 90, weights(90), []),
        ("blue", 100, NOTHING, ["blue"]),
    ],
)
def test_split_and_gaining(pool, percent, before, gaining):
    wanted = pools.split(pool, percent)
    assert list(wanted) == ["blue", "green"] and wanted[pool] == percent and sum(wanted.values()) == 100
    assert pools.gaining(before, wanted) == gaining


@pytest.mark.parametrize(
    "now, current, image, expected",
    [
        (weights(100), None, "x:v1", True),
        (weights(100), release("succeeded"), "x:v1", True),
        (weights(100), release("running"), "x:v1", False),
        (weights(90), None, "x:v1", False),
        (weights(100), None, "x:v2", False),
        (weights(100), None, None, False),
    ],
)
def test_already_live(now, current, image, expected):
    assert pools.already_live(now, current, "x:v1", image) is expected


@pytest.mark.parametrize(("named", "counts"), [(True, True), (False, False), (None, False), (1, False), ("yes", False)])
def test_only_a_pool_that_was_named_counts_as_named(named, counts):
    """In the record as in the note: anybody may have edited them."""
    assert pools.recorded({"from": {"pool": "blue"}, "named": named}) == pools.Stable("blue", counts)
    text = json.dumps({"pool": "blue", "weights": {"blue": 100, "green": 0}, "named": named})
    assert pools.noted(text) == (pools.Stable("blue", counts), {"blue": 100, "green": 0})


A, B = "@sha256:" + "a" * 64, "@sha256:" + "b" * 64


@pytest.mark.parametrize(
    "live, recorded, image, expected",
    [
        # Released with its digest; again, with a mirror's name from admission; the tag was moved since
        (f"r/x:v2{A}", f"r/x:v2{A}", f"r/x:v2{A}", True),
        (f"mirror:5000/x:v2{A}", f"r/x:v2{A}", f"r/x:v2{A}", True),
        (f"mirror:5000/x{A}", f"r/x:v2{A}", f"r/x:v2{A}", True),
        (f"r/x:v2{A}", f"r/x:v2{A}", f"r/x:v2{B}", False),
        # By tag, before digests were deployed, and without a registry to ask
        ("r/x:v2", "r/x:v2", f"r/x:v2{A}", True),
        (f"r/x:v2{A}", f"r/x:v2{A}", "r/x:v2", True),
        (f"mirror/x:v2{A}", "r/x:v2", "r/x:v2", True),
        # Admission replaced the tag: the record knows which one, and nothing else does
        (f"mirror/x{A}", "r/x:v2", "r/x:v2", True),
        (f"mirror/x{A}", "r/x:v2", "r/x:v3", False),
        (f"mirror/x{A}", None, "r/x:v2", False),
        (f"mirror/y{A}", "r/x:v2", "r/x:v2", False),
        # As sigstore's policy-controller and mirrors of ECR write them
        (f"index.docker.io/library/x{A}", f"docker.io/library/x:v2{A}", f"docker.io/library/x:v2{A}", True),
        ("1.dkr.ecr.us-east-1.amazonaws.com/docker-hub/r/x:v2", "r/x:v2", "r/x:v2", True),
        # The inventory names another repository now, which may have another image of that name and tag
        ("old.io/team/x:v2", "old.io/team/x:v2", f"new.io/team/x:v2{A}", False),
        ("old.io/team/x:v2", "old.io/team/x:v2", "new.io/team/x:v2", False),
        # Another version of the same image is a release of its own
        (f"r/x:v2{A}", f"r/x:v2{A}", f"r/x:v3{A}", False),
    ],
)
def test_already_live_in_another_form(live, recorded, image, expected):
    current = {**release("succeeded"), "to": {"pool": "green", "image_ref": recorded}} if recorded else None
    assert pools.already_live(weights(0), current, live, image) is expected
