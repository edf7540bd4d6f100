# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._versions import DIGEST

_REFERENCE = re.compile(
    r"(?:(?P<host>localhost(?::\d+)?|[\w-]+(?:\.[\w-]+)*:\d+|[\w-]+(?:\.[\w-]+)+|\[[0-9a-fA-F:]+\](?::\d+)?)/)?"
    r"(?P<repository>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    rf"(?:@(?P<digest>{DIGEST.pattern}))?",
    re.ASCII,
)
DOCKER_HUB = "docker.io"


@dataclass(frozen=True)
class Image:
    """C(ghcr.io/org/mcp-server:v1.2.0@sha256:...) in its parts; an absent tag or digest is empty."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Image:
        """Reads a reference as container runtimes do (a name without a host is Docker Hub's). Raises Failure."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise Failure(f"{text!r} is not an image reference; write it as ghcr.io/org/mcp-server:v1.2.0.")
        host, repository = match["host"] or DOCKER_HUB, match["repository"]
        if host == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return cls(host, repository, match["tag"] or "", match["digest"] or "")

    @property
    def version(self) -> str:
        """Return what it is called by: the tag, or a digest without one."""
        return self.tag or self.digest

    @property
    def reference(self) -> str:
        """What a manifest is asked for by: the digest when there is one, as it can't move."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return (
            f"{self.host}/{self.repository}"
            + (f":{self.tag}" if self.tag else "")
            + (f"@{self.digest}" if self.digest else "")
        )


def tagged(image: str, version: str) -> Image:
    """The image of a version, which is its tag or digest. Raises Failure when either has not that form."""
    if found := _versions.problem(version):
        raise Failure(found)
    name = Image.parse(image)
    if name.tag or name.digest:
        raise Failure(f"image {image} has a tag or digest: give it without, because version {version} is the tag.")
    return Image.parse(_versions.reference(image, version))


def digest_of(image_id: str) -> str:
    """The digest in a pod's C(imageID) (C(ghcr.io/org/x@sha256:...), C(docker-pullable://...), C(sha256:...)), or nothing."""
    digest = image_id.rpartition("@")[2].rpartition("//")[2]
    return digest if DIGEST.fullmatch(digest) else ""
