# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an image is built and pushed by hand, with the tool that this machine has. Pure, but for installed()."""

from __future__ import annotations

import shutil
import typing as t
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._image import DOCKER_HUB, Image
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

# The first one that is installed is used: the first two need no daemon.
BUILDAH, PODMAN, DOCKER = TOOLS = "buildah", "podman", "docker"


def installed(tools: t.Sequence[str] = TOOLS) -> list[str]:
    """Return which of these are on the PATH of the play."""
    return [tool for tool in tools if shutil.which(tool)]


def commands(
    tools: t.Sequence[str],
    image: str,
    version: t.Any,
    context: str,
    *,
    file: str | None = None,
    registry: str | None = None,
    auth: t.Mapping[str, t.Any] | None = None,
    options: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Return the commands that build and push, as lists of words, see RETURN of the filter build_commands.

    tools: that are installed. image: without a tag. registry: a URL that stands in for its host, as mcp_registry.
    auth: as mcp_registry_auth; only a file is passed on, since the tools read one. options: of the build.
    """
    empty: dict[str, t.Any] = {"build": [], "push": [], "environment": {}, "image_ref": "", "target": ""}
    if problem := _problem(tools, version, context, auth):
        return empty | {"problem": problem}
    try:
        name = Image.parse(f"{image}:{version}")
    except Failure as failure:
        return empty | {"problem": failure.msg}
    tool, url = tools[0], urlsplit(registry or "")
    host = url.netloc or name.host
    target = f"{host}/{name.repository}:{version}"
    plain = ["--tls-verify=false"] if url.scheme == "http" and tool != DOCKER else []
    from_file = ["--file", file] if file else []
    push = [tool, "push", *plain, target]
    if tool != DOCKER:
        push.append(f"docker://{target}")
    return {
        "problem": "",
        "build": [tool, "build", *plain, "--tag", target, *from_file, *options, context],
        "push": push,
        "environment": {"REGISTRY_AUTH_FILE": auth["config_file"]} if auth and auth.get("config_file") else {},
        "image_ref": f"{image}:{version}" if name.host != DOCKER_HUB else str(name),
        "target": target,
    }


def _problem(tools: t.Sequence[str], version: t.Any, context: str, auth: t.Mapping[str, t.Any] | None) -> str:
    """Return why nothing can be built, a sentence; empty when it can."""
    if not tools:
        return (
            f"No image can be built on this machine: install {', '.join(TOOLS[:-1])} or {TOOLS[-1]}, or build the "
            "image elsewhere, and release it with -e mcp_image_ref=..."
        )
    if found := _versions.problem(version):
        return found
    if "@" in version or ":" in version:
        return f"version is {version}: an image that is built has a tag only, such as manual-1700000000."
    if not context or context.startswith("-"):
        return "mcp_build_context is missing: pass the folder with the Containerfile or Dockerfile."
    given = {key: value for key, value in (auth or {}).items() if value is not None}
    if given and (not given.get("config_file") or tools[0] == DOCKER):
        return (
            f"{tools[0]} takes no credentials from mcp_registry_auth"
            f"{'' if tools[0] == DOCKER else ', but for its config_file'}: log in with {tools[0]} login before."
        )
    return ""
