# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.filter.build_commands import FilterModule
from ansible_collections.mcp.server.plugins.plugin_utils import _build

IMAGE, TAG = "ghcr.io/org/mcp-server", "manual-1700000000"
REF = f"{IMAGE}:{TAG}"
LOCAL = f"127.0.0.1:5000/org/mcp-server:{TAG}"


@pytest.mark.parametrize(
    ("tools", "more", "build", "push"),
    [
        (["buildah", "docker"], {}, f"buildah build --tag {REF} dir", f"buildah push {REF} docker://{REF}"),
        (["podman"], {}, f"podman build --tag {REF} dir", f"podman push {REF} docker://{REF}"),
        (["docker"], {}, f"docker build --tag {REF} dir", f"docker push {REF}"),
        (
            ["buildah"],
            {"registry": "http://127.0.0.1:5000"},
            f"buildah build --tls-verify=false --tag {LOCAL} dir",
            f"buildah push --tls-verify=false {LOCAL} docker://{LOCAL}",
        ),
        (["docker"], {"registry": "http://127.0.0.1:5000"}, f"docker build --tag {LOCAL} dir", f"docker push {LOCAL}"),
        (
            ["podman"],
            {"registry": "https://127.0.0.1:5000", "file": "x/File", "options": ["--build-arg=A=1"]},
            f"podman build --tag {LOCAL} --file x/File --build-arg=A=1 dir",
            f"podman push {LOCAL} docker://{LOCAL}",
        ),
    ],
)
def test_the_commands(tools: list[str], more: dict[str, t.Any], build: str, push: str) -> None:
    found = _build.commands(tools, IMAGE, TAG, "dir", **more)
    assert (found["problem"], " ".join(found["build"]), " ".join(found["push"])) == ("", build, push)
    assert found["image_ref"] == REF and found["environment"] == {}


def test_a_file_with_credentials() -> None:
    auth = {"config_file": "/etc/auth.json", "username": None}
    found = _build.commands(["buildah"], IMAGE, TAG, "dir", auth=auth)
    assert found["environment"] == {"REGISTRY_AUTH_FILE": "/etc/auth.json"} and "/etc/auth.json" not in found["push"]


@pytest.mark.parametrize(
    ("tools", "version", "context", "auth", "says"),
    [
        ([], TAG, "dir", None, "No image can be built on this machine: install buildah, podman or docker"),
        (["buildah"], 1.10, "dir", None, "version is 1.1, which is a number"),
        (["buildah"], "sha256:" + "a" * 64, "dir", None, "has a tag only"),
        (["buildah"], TAG, "", None, "mcp_build_context is missing"),
        (["buildah"], TAG, "--authfile=/x", None, "mcp_build_context is missing"),
        (
            ["buildah"],
            TAG,
            "dir",
            {"username": "u", "password_env": "P"},
            "but for its config_file: log in with buildah",
        ),
        (["docker"], TAG, "dir", {"config_file": "/x"}, "docker takes no credentials from mcp_registry_auth: log in"),
    ],
)
def test_what_can_not_be_built(
    tools: list[str], version: t.Any, context: str, auth: dict[str, t.Any] | None, says: str
) -> None:
    found = _build.commands(tools, IMAGE, version, context, auth=auth)
    assert says in found["problem"] and found["build"] == found["push"] == []


def test_an_image_that_is_none() -> None:
    assert "is not an image reference" in _build.commands(["buildah"], "No Image", TAG, "dir")["problem"]


def test_the_tool_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    build_commands = FilterModule().filters()["build_commands"]
    monkeypatch.setattr(_build.shutil, "which", lambda tool: None if tool == "buildah" else f"/usr/bin/{tool}")
    assert build_commands(IMAGE, TAG, "dir")["build"][0] == "podman"
    assert build_commands(IMAGE, TAG, "dir", tool="docker")["build"][0] == "docker"
    assert "No image can be built" in build_commands(IMAGE, TAG, "dir", tool="buildah")["problem"]
