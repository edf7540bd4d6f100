# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.filter.image_ref import image_ref
from ansible_collections.mcp.server.plugins.filter.reported_version import reported_version
from ansible_collections.mcp.server.plugins.filter.version_problem import version_problem
from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._image import Image

A, B = (f"sha256:{letter * 64}" for letter in "ab")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        *(
            (good, "")
            for good in (
                "v1.2.0",
                "1.1",
                "1.10",
                "sha-abc1234",
                "2026-11",
                "latest",
                "1e3",
                "_x",
                "a" * 128,
                A,
                f"v1.2.0@{A}",
            )
        ),
        (1.1, "version is 1.1, which is a number and may"),
        (1000.0, "version is 1000.0, which is a number"),
        (2026, "put it in quotes"),
        (True, "version is True, which is true or false"),
        (None, "version is missing"),
        ("", "version is empty"),
        (datetime.date(2026, 11, 1), "version is not text"),
        ({"a": 1}, "version is not text"),
        *(
            (bad, "it must be the tag of an image")
            for bad in (
                "-x",
                ".x",
                "a b",
                "a:b",
                "a/b",
                "v1+b",
                "é",
                "v1\n",
                "a" * 129,
                f"@{A}",
                "v1@",
                "v1@v2",
                f"a@b@{A}",
                f"{A}@v1",
            )
        ),
    ],
)
def test_problem(version: t.Any, said: str) -> None:
    found = _versions.problem(version)
    assert found == version_problem(version) and (said in found if said else not found)
    assert "\n" not in found and len(found) < 300


@pytest.mark.parametrize(
    ("version", "reference"),
    [
        ("v1.2.0", "r.io/x:v1.2.0"),
        (A, f"r.io/x@{A}"),
        (f"v1@{A}", f"r.io/x:v1@{A}"),
        ("sha-abc1234", "r.io/x:sha-abc1234"),
    ],
)
def test_reference(version: str, reference: str) -> None:
    assert _versions.reference("r.io/x", version) == image_ref("r.io/x", version) == reference
    assert _versions.is_same(Image.parse(reference).version, version)


def test_no_image_of_a_number() -> None:
    with pytest.raises(AnsibleFilterError, match="put it in quotes"):
        image_ref("r.io/x", 1.1)


@pytest.mark.parametrize(
    ("version", "moving"),
    [
        ("latest", True),
        ("main", True),
        ("v1.2.0", False),
        ("2026-11", False),
        ("sha-abc1234", False),
        (A, False),
        (f"main@{A}", False),
    ],
)
def test_moving(version: str, moving: bool) -> None:
    assert _versions.is_moving(version) is moving


@pytest.mark.parametrize(
    ("version", "comparable"),
    [
        *((one, True) for one in ("v1.2.0", "1.2.0-rc.1", "1.10", "v1.2.0_b5", f"v1.2.0@{A}", "2026.11.26")),
        *((one, False) for one in ("sha-abc1234", "abc1234", "2026-11", "2026.11", "latest", "7", A, "release-1.2.0")),
    ],
)
def test_comparable(version: str, comparable: bool) -> None:
    assert _versions.is_comparable(version) is comparable
    assert reported_version(version) == (version.partition("@")[0] if comparable else "")


@pytest.mark.parametrize(
    ("told", "version", "same"),
    [
        ("1.2.0", "v1.2.0", True),
        ("v1.2.0", "1.2.0", True),
        ("1.2.0", f"v1.2.0@{A}", True),
        ("1.2.0+b5", "v1.2.0-b5", True),
        ("1.2.0+b5", "1.2.0_b5", True),
        ("1.10.3", "1.10", True),
        ("1.1", "1.10", False),
        ("1.100.0", "1.10", False),
        ("1.2.0.1", "1.2.0", False),
        ("1.2.0", "v1.2.0-rc1", False),
        (1.1, "1.1", False),
        (None, "v1.2.0", False),
    ],
)
def test_told(told: t.Any, version: str, same: bool) -> None:
    assert _versions.is_reported(told, version) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("v1", "v1", True),
        ("v1", "v2", False),
        (A, A, True),
        (A, B, False),
        (f"v1@{A}", "v1", True),
        (f"v1@{A}", f"v2@{A}", True),
        (A, "v1", False),
        ("v1", A, False),
    ],
)
def test_same(one: str, other: str, same: bool) -> None:
    assert _versions.is_same(one, other) is same
