# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._image import (
    Image,
    by_tag,
    digest_gone,
    digest_of,
    gone_sentence,
    same_image,
    same_version,
    with_digest,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("ghcr.io/org/mcp-server:v1.2.0", Image("ghcr.io", "org/mcp-server", "v1.2.0")),
        (f"ghcr.io/org/mcp-server:v1.2.0@{SHA}", Image("ghcr.io", "org/mcp-server", "v1.2.0", SHA)),
        (f"ghcr.io/org/mcp-server@{SHA}", Image("ghcr.io", "org/mcp-server", "", SHA)),
        ("127.0.0.1:5000/mcp-server", Image("127.0.0.1:5000", "mcp-server")),
        ("localhost/x:1", Image("localhost", "x", "1")),
        ("registry:5000/x", Image("registry:5000", "x")),
        ("[::1]:5000/x:1", Image("[::1]:5000", "x", "1")),
        ("registry:5000", Image("docker.io", "library/registry", "5000")),
        ("node:22", Image("docker.io", "library/node", "22")),
        ("org/server__x", Image("docker.io", "org/server__x")),
    ],
)
def test_parse(text, image):
    assert Image.parse(text) == image


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ghcr.io/Org/x",
        "ghcr.io/org/x:",
        "ghcr.io/org/x:v1+b",
        "https://ghcr.io/x",
        "x y",
        "x@sha256:1",
        "ghcr.io//x",
        "é",
    ],
)
def test_parse_refuses(text):
    with pytest.raises(Failure, match="not an image reference"):
        Image.parse(text)


@pytest.mark.parametrize(
    ("image_id", "digest"),
    [
        (f"ghcr.io/org/x@{SHA}", SHA),
        (f"docker-pullable://ghcr.io/org/x@{SHA}", SHA),
        (SHA, SHA),
        (f"docker://{SHA}", SHA),
        ("", ""),
        ("x:v1", ""),
    ],
)
def test_digest_of(image_id, digest):
    assert digest_of(image_id) == digest


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("r/x:v1", "r/x:v1", True),
        ("r/x:v1", "mirror:5000/deep/er/x:v1", True),
        ("r/x:v1", "r/x:v1@sha256:aa", True),
        ("r/x:v1", "r/x@sha256:aa", True),
        ("r/x:v1@sha256:aa", "r/x:v2@sha256:aa", True),  # the digest says what runs
        ("r/x:v1@sha256:aa", "r/x:v1@sha256:bb", False),
        ("r/x@sha256:aa", "r/x@sha256:bb", False),
        ("r/x:v1", "r/x:v2", False),
        ("r/x:v1", "r/y:v1", False),
        ("r/x", "r/x:latest", True),
        ("r/x", "r/x:v1", False),
        ("", "r/x:v1", False),
        ("r/x:v1", "\n", False),
        ("r/x:v1", "r/x:v1:v2", False),
        ("localhost:5000/x", "x", True),
        # Nobody can tell what this is.
        ("ghcr.io/org/x:v1", "no container x", False),
    ],
)
def test_images(one: str, another: str, same: bool) -> None:
    assert [same_image(*pair) for pair in ((one, another), (another, one))] == [same, same]


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("r/x:v1", "r/x:v1", True),
        ("r/x:v1", "mirror:5000/x:v1@sha256:aa", True),
        ("r/x:v1@sha256:aa", "mirror/x@sha256:aa", True),
        ("r/x@sha256:aa", "r/x@sha256:aa", True),
        ("r/x:v1@sha256:aa", "r/x:v1@sha256:bb", False),  # the tag was moved
        ("r/x:v1@sha256:aa", "r/x:v2@sha256:aa", False),  # two versions of one image
        ("r/x:v1", "r/x@sha256:aa", False),  # nobody can tell
        ("r/x", "r/x:latest", True),
        ("r/x", "r/x@sha256:aa", False),
        ("r/x:v1", "r/y:v1", False),
        ("", "r/x:v1", False),
        ("r/x:v1", "\n", False),
    ],
)
def test_versions(one: str, another: str, same: bool) -> None:
    assert [same_version(*pair) for pair in ((one, another), (another, one))] == [same, same]


@pytest.mark.parametrize(
    ("image_ref", "digest", "expected"),
    [
        ("r/x:v1", SHA, f"r/x:v1@{SHA}"),
        ("r/x:v1", None, "r/x:v1"),
        ("r/x:v1", "", "r/x:v1"),
        (f"r/x@{SHA}", SHA, f"r/x@{SHA}"),
        (f"r/x:v1@{SHA}", "sha256:" + "b" * 64, f"r/x:v1@{SHA}"),
    ],
)
def test_with_digest(image_ref: str, digest: str | None, expected: str) -> None:
    assert with_digest(image_ref, digest) == expected


A = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("image_ref", "expected"),
    [
        (f"r.io/x:v1@{A}", "r.io/x:v1"),
        (f"r.io:5000/x:v1@{A}", "r.io:5000/x:v1"),
        (f"r.io:5000/x@{A}", ""),
        (f"r.io/x@{A}", ""),
        ("r.io/x:v1", ""),
        ("r.io/x", ""),
        ("", ""),
        (f"@{A}", ""),
    ],
)
def test_by_tag(image_ref: str, expected: str) -> None:
    assert by_tag(image_ref) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (f"r.io/x:v1@{A}", "r.io/x:v1", A),
        (f"r.io/x:v1@{A}", f"r.io/x:v1@{A}", ""),
        (f"r.io/x:v1@{A}", "r.io/x:v2", ""),
        (f"r.io/x@{A}", "r.io/x", ""),
        ("r.io/x:v1", "r.io/x:v1", ""),
        ("", "r.io/x:v1", ""),
        (f"r.io/x:v1@{A}", "", ""),
        (f"r.io/x@{A}", "", ""),
    ],
)
def test_which_digest_is_gone(before: str, now: str, expected: str) -> None:
    assert digest_gone(before, now) == expected


def test_what_is_said_of_a_digest_that_is_gone() -> None:
    assert gone_sentence("https://r.io:5000", f"r.io:5000/x:v1@{A}") == (
        f"https://r.io:5000 no longer has {A} of r.io:5000/x:v1. Rolling back to what the tag v1 means now."
    )
