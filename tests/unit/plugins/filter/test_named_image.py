# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.filter.named_image import FilterModule

named_image = FilterModule().filters()["named_image"]
DIGEST = "sha256:" + "a" * 64
IMAGE = "ghcr.io/org/mcp-server"


@pytest.mark.parametrize(
    ("version", "image_ref", "image", "named"),
    [
        ("v1", None, "x/y", "v1"),
        (None, f"{IMAGE}:manual-1", IMAGE, "manual-1"),
        ("", f"{IMAGE}:manual-1", IMAGE, "manual-1"),
        ("manual-1", f"{IMAGE}:manual-1", IMAGE, "manual-1"),
        (None, f"{IMAGE}@{DIGEST}", IMAGE, DIGEST),
        ("manual-1", f"{IMAGE}:manual-1@{DIGEST}", IMAGE, f"manual-1@{DIGEST}"),
        (None, "127.0.0.1:5000/y:v1", "127.0.0.1:5000/y", "v1"),
    ],
)
def test_what_is_released(version: object, image_ref: object, image: str, named: str) -> None:
    assert named_image(version, "x/y", image_ref) == {"image": image, "version": named, "problem": ""}


@pytest.mark.parametrize(
    ("version", "image_ref", "says"),
    [
        (1.10, None, "version is 1.1, which is a number"),
        (None, None, "version is missing"),
        ("v2", f"{IMAGE}:v1", "version is v2, but mcp_image_ref names v1: pass only one of them."),
        (1.1, f"{IMAGE}:1.10", "pass only one of them"),
        (None, IMAGE, "without a tag or a digest"),
        (None, "Not An Image:x", "mcp_image_ref: 'Not An Image:x' is not an image reference"),
    ],
)
def test_what_is_refused(version: object, image_ref: object, says: str) -> None:
    assert says in named_image(version, "x/y", image_ref)["problem"]
