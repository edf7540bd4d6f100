# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._compatibility.ranges import has, numbers, parse
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("v1.27.3+k3s1", (1, 27, 3)),
        ("v1.30.4-eks-a1b2c3d", (1, 30, 4)),
        ("1.30-eks-a1b2c3d", (1, 30)),
        ("v1.31.2-gke.1115000", (1, 31, 2)),
        ("v1.2.0-rc.1", (1, 2, 0)),
        ("v1.2.0@sha256:" + "a" * 64, (1, 2, 0)),
        ("1.10", (1, 10)),
        ("1.24+", (1, 24)),
        ("v1.27.3+", (1, 27, 3)),
        ("2026.8.31", (2026, 8, 31)),
        ("1." * 5000, (1, 1, 1)),
        # Nothing that could be compared
        ("sha-abc1234", None),
        ("sha256:" + "a" * 64, None),
        ("2026-11", None),
        ("2026.11", None),
        ("latest", None),
        ("1", None),
        ("", None),
        ("\u0661.\u0662.\u0663", None),  # digits, but none of ours
        ("1.2.3\n1.2.4", None),
        ("9" * 5000 + ".1.2", None),  # Python refuses to read so many digits
        (None, None),
        (1.24, None),
        (["1.2.3"], None),
    ],
)
def test_numbers_of_a_version(version, found):
    assert numbers(version) == found


@pytest.mark.parametrize(
    ("text", "within", "outside"),
    [
        ("1.0.x - 1.2.x", ["1.0.0", "1.1", "1.2.99", "v1.2.0-rc.1"], ["0.9.9", "1.3.0", "2.0.0", "10.1.0"]),
        ("1.24+", ["v1.24.0", "1.24", "v1.35.4", "v2.0.0"], ["v1.23.17", "0.30.0"]),
        ("1.2.x", ["1.2.0", "1.2.9", "1.2"], ["1.1.9", "1.3.0", "1.20.0"]),
        ("1.2.X", ["1.2.0"], ["1.3.0"]),
        ("1.2", ["1.2.7"], ["1.3.0"]),
        ("1.2.3", ["v1.2.3", "1.2.3+build"], ["1.2.4", "1.2", "1.2.2"]),
        ("1.x", ["1.0.0", "1.99.1"], ["0.9.0", "2.0.0"]),
        ("2+", ["2.0.0", "3.1"], ["1.9.9"]),
        ("0.3.x, 1.x - 2.x", ["0.3.1", "2.9.9"], ["0.4.0", "3.0.0"]),
        ("v1.24 - v1.31", ["v1.31.9", "v1.24.0"], ["v1.32.0"]),
        ("1.2.3 - 1.2.5", ["1.2.3", "1.2.5"], ["1.2.2", "1.2.6"]),
        ("", ["0.0.1", "99.0"], []),
    ],
)
def test_ranges(text, within, outside):
    assert {version: has(parse(text), numbers(version)) for version in within} == dict.fromkeys(within, True)
    assert {version: has(parse(text), numbers(version)) for version in outside} == dict.fromkeys(outside, False)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("newest", '"newest" is no range of versions: write it as 1.2.x, 1.24+'),
        (">=1.24", "is no range"),
        ("1.2.3.4", "is no range"),
        ("+", "is no range"),
        ("1.0.x - ", "is no range"),
        ("x", "is no range"),
        ("1.\u0662", "is no range"),
        ("1.2.x - 1.0.x", "ends before it begins"),
        ("9" * 100, "is no range"),
        ("1, " * 300, "longer than 200 characters"),
        ("\x1b[2J", '"[2J" is no range'),
    ],
)
def test_what_is_no_range(text, part):
    with pytest.raises(Failure) as caught:
        parse(text)
    assert part in caught.value.msg
    assert caught.value.msg.isprintable()
