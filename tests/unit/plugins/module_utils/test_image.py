# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._image import Image, digest_of
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
