# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._traffic import plan


def weights(blue):
    return {"blue": blue, "green": 100 - blue}


def release(outcome, pool="blue"):
    return {"outcome": outcome, "from": {"pool": pool}}


NOTHING = {"blue": 0, "green": 0}


@pytest.mark.parametrize(
    "now, current, live, stable, back",
    [
        (weights(100), None, "blue", "blue", "green"),
        (weights(0), None, "green", "green", "blue"),
        (weights(90), None, "blue", "blue", "green"),
        (weights(50), None, None, None, None),
        (NOTHING, None, None, None, None),
        (weights(50), release("running"), None, "blue", "blue"),
        (weights(0), release("running"), "green", "blue", "blue"),
        (weights(0), release("succeeded"), "green", "green", "blue"),
        (weights(100), release("rolled_back"), "blue", "blue", "blue"),
        (weights(100), release("running", "green"), "blue", "green", "green"),
    ],
)
def test_which_pool_is_which(now, current, live, stable, back):
    assert (plan.live(now), plan.stable(now, current), plan.rollback_target(now, current)) == (live, stable, back)


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
    wanted = plan.split(pool, percent)
    assert list(wanted) == ["blue", "green"] and wanted[pool] == percent and sum(wanted.values()) == 100
    assert plan.gaining(before, wanted) == gaining


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
    assert plan.already_live(now, current, "x:v1", image) is expected
