# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers of a fleet are released together."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._fleet.waves import Refused, lines, waves

HOSTS = [f"s{number}" for number in range(1, 26)]


@pytest.mark.parametrize(
    ("number", "sizes", "expected"),
    [
        (2, [], [1, 1]),
        (3, [], [1, 1, 1]),
        (25, [], [1, 3, 3, 3, 3, 3, 3, 3, 3]),
        (25, ["1", "10%"], [1, 3, 3, 3, 3, 3, 3, 3, 3]),
        (5, ["1", "2"], [1, 2, 2]),
        (5, ["1", "3", "50%"], [1, 3, 1]),
        (4, ["100%"], [4]),
        (4, [" 9 "], [4]),
        (10, ["1", "25%", "100%"], [1, 3, 6]),
        (3, ["1%"], [1, 1, 1]),
    ],
)
def test_by_size(number: int, sizes: list[str], expected: list[int]) -> None:
    found = waves(HOSTS[:number], sizes, {}, "mcp_wave")
    assert [len(wave) for wave in found] == expected
    assert [host for wave in found for host in wave] == HOSTS[:number]


@pytest.mark.parametrize(
    ("order", "labels", "expected"),
    [
        ([], "2 1 10 1", ["s2 s4", "s1", "s3"]),  # numbers
        ([], "eu us eu ap", ["s1 s3", "s2", "s4"]),  # words, as they come
        (["ap", "us", "eu"], "eu us eu ap", ["s4", "s2", "s1 s3"]),
        (["test", "eu", "us", "ap"], "eu us eu ap", ["s1 s3", "s2", "s4"]),  # no server of one of them
        (["eu", "eu", "us", "ap"], "eu us eu ap", ["s1 s3", "s2", "s4"]),  # named twice
        ([], "a a a a", ["s1 s2 s3 s4"]),
    ],
)
def test_by_label(order: list[str], labels: str, expected: list[str]) -> None:
    found = waves(HOSTS[:4], order, dict(zip(HOSTS, labels.split(), strict=False)), "region")
    assert [" ".join(wave) for wave in found] == expected


@pytest.mark.parametrize(
    ("sizes", "labels", "says"),
    [
        (["0"], {}, "mcp_waves has '0': without labels, each wave is a number of servers above 0"),
        (["101%"], {}, "mcp_waves has '101%'"),
        (["-1"], {}, "mcp_waves has '-1'"),
        (["canary"], {}, "mcp_waves has 'canary'"),
        (["1", "10 %"], {}, "mcp_waves has '10 %'"),
        ([], {"s1": "eu"}, "s2, s3 of the fleet: no region"),
        (["eu"], {"s1": "eu", "s2": "us", "s3": "eu"}, "s2 has the region 'us', which is not in mcp_waves (eu)"),
    ],
)
def test_what_cannot_be_divided_is_a_sentence(sizes: list[str], labels: dict[str, str], says: str) -> None:
    with pytest.raises(Refused) as refused:
        waves(HOSTS[:3], sizes, labels, "region")
    assert says in str(refused.value)


def test_the_plan_names_few() -> None:
    assert lines([HOSTS[:1], HOSTS[1:9]]) == [
        "wave 1 of 2, 1 server: s1",
        "wave 2 of 2, 8 servers: s2, s3, s4, s5, s6 and 3 more",
    ]
