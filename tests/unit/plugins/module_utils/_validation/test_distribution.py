# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest

from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._validation import distribution


def even(*pods: str) -> dict[str, float]:
    return {pod: 1 / len(pods) for pod in pods}


@pytest.mark.parametrize(("pods", "requests"), [(1, 1), (2, 21), (3, 37), (10, 153), (24, 400), (50, 878)])
def test_how_many_requests_show_that_a_pod_gets_none(pods: int, requests: int) -> None:
    shares = {str(number): 1 / pods for number in range(pods)}
    assert distribution.needed(shares) == requests
    if pods > 1:
        # So many are enough to tell, and one fewer is not.
        counts = dict.fromkeys(list(shares)[1:], requests / (pods - 1))
        assert distribution.uneven(counts, shares) == ["0"]
        assert not distribution.uneven(dict.fromkeys(counts, (requests - 1) / (pods - 1)), shares)


@pytest.mark.parametrize(
    ("counts", "shares", "wrong"),
    [
        ({"a": 20, "b": 20}, even("a", "b"), []),
        ({"a": 13, "b": 8}, even("a", "b"), []),  # by chance
        ({"a": 100, "b": 60}, even("a", "b"), []),  # not by chance, but near enough
        ({"a": 40}, even("a", "b"), ["b"]),
        ({"a": 100, "b": 10}, even("a", "b"), ["b"]),  # less than half of its share
        ({"a": 200, "b": 20, "c": 20, "d": 20}, even("a", "b", "c", "d"), ["b", "c", "d", "a"]),
        ({"a": 90, "b": 10}, {"a": 0.9, "b": 0.1}, []),  # by weights
        ({"a": 50, "b": 50}, {"a": 0.9, "b": 0.1}, ["b"]),
        ({"a": 30, "stranger": 1000}, even("a", "b"), ["b"]),  # that is none of the ready pods
        ({"a": 5}, even("a"), []),
        ({}, even("a", "b"), []),
    ],
)
def test_which_pods_do_not_get_their_share(
    counts: dict[str, float], shares: dict[str, float], wrong: list[str]
) -> None:
    assert distribution.uneven(counts, shares) == wrong


def test_an_even_gateway_is_hardly_ever_called_uneven() -> None:
    """Of 20,000 rounds by chance none fails: the bound is one in a million."""
    draw = random.Random(7)
    for pods in (2, 3, 8):
        shares = {str(number): 1 / pods for number in range(pods)}
        for _round in range(20_000 // pods):
            drawn = draw.choices(list(shares), k=distribution.needed(shares))
            assert not distribution.uneven({pod: drawn.count(pod) for pod in shares}, shares)


def test_what_is_said() -> None:
    two = even("a", "b")
    said = distribution.judged({"a": 11, "b": 10}, two, "by x")
    assert said == "21 requests on new connections reached all 2 instances (b 10, a 11; by x)."
    assert distribution.judged({}, even("a"), "") == "There is one instance, a."
    with pytest.raises(
        Failure, match=r"^b does not get its share: b got 0 of 40 requests .* 20 were expected"
    ) as failed:
        distribution.judged({"a": 40}, two, "by x")
    assert not isinstance(failed.value, CannotMeasure)
    with pytest.raises(CannotMeasure, match="not spread evenly .* as Service x pins"):
        distribution.judged({"a": 40}, two, "by x", "Service x pins")
    with pytest.raises(CannotMeasure, match="only 10 requests, 21 needed to tell .* Raise requests"):
        distribution.judged({"a": 5, "b": 5}, two, "by x")
    many = {str(number): 1 / 50 for number in range(50)}
    with pytest.raises(CannotMeasure, match="At most 400 are sent"):
        distribution.judged(dict.fromkeys(many, 8), many, "by x")
    with pytest.raises(CannotMeasure, match="No pod is ready"):
        distribution.judged({}, {}, "")
    with pytest.raises(Failure, match="^3 of 3 instances do not get their share: b got 0"):
        distribution.judged({"a": 60}, even("a", "b", "c"), "by x")
