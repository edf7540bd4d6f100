# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references. Pure."""

from __future__ import annotations

import re
import typing as t
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
# The last part of any name, of a container as well
_LAST = re.compile(r"(?P<name>[^:@]+)(?::(?P<tag>[^@]*))?(?:@(?P<digest>.*))?", re.DOTALL)


@dataclass(frozen=True)
class Image:
    """An image reference, such as C(ghcr.io/org/mcp-server:v1.2.0@sha256:...). An absent tag or digest is empty."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Image:
        """Parse a reference as container runtimes do: a name without a host is one of Docker Hub. Raises Failure."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise Failure(f"{text!r} is not an image reference. Write it as ghcr.io/org/mcp-server:v1.2.0.")
        host, repository = match["host"] or DOCKER_HUB, match["repository"]
        if host == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return cls(host, repository, match["tag"] or "", match["digest"] or "")

    @property
    def version(self) -> str:
        """Return the tag, or the digest when there is no tag."""
        return self.tag or self.digest

    @property
    def reference(self) -> str:
        """Return by what to request the manifest: the digest when there is one, because it cannot move."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.host}/{self.repository}{tag}{digest}"


def tagged(image: str, version: str) -> Image:
    """Return the image of a version, which is a tag, a digest or both. Raises Failure when either is malformed."""
    if found := _versions.problem(version):
        raise Failure(found)
    name = Image.parse(image)
    if name.tag or name.digest:
        raise Failure(f"image {image} has a tag or digest. Set it without: version {version} is the tag.")
    return Image.parse(_versions.reference(image, version))


class Named(t.NamedTuple):
    """The image of a release: its name, its version (tag, digest or both), and why it can't be told, a sentence."""

    image: t.Any
    version: t.Any
    problem: str


def named(version: t.Any, image: t.Any, image_ref: t.Any) -> Named:
    """Return what is meant. version, image: one way to say it. image_ref: the other way, empty when it is not used."""
    if image_ref in (None, ""):
        return Named(image, version, _versions.problem(version))
    try:
        found = Image.parse(str(image_ref))
    except Failure as failure:
        return Named(image, version, f"mcp_image_ref: {failure.msg}")
    whole = "@".join(part for part in (found.tag, found.digest) if part)
    if not whole:
        return Named(image, version, f"mcp_image_ref is {image_ref}, without a tag or a digest: add one.")
    if version not in (None, "", whole, found.tag):
        return Named(image, version, f"version is {version}, but mcp_image_ref names {whole}: pass only one of them.")
    name = str(image_ref).partition("@")[0]
    return Named(name.removesuffix(f":{found.tag}") if found.tag else name, whole, "")


def with_digest(image_ref: str, digest: str | None) -> str:
    """Return the reference with the digest behind its tag; unchanged without one, or when it has one already."""
    return image_ref if not digest or "@" in image_ref else f"{image_ref}@{digest}"


def by_tag(image_ref: str) -> str:
    """Return the reference without its digest; empty when it has no digest, or no tag beside it."""
    name, _at, digest = image_ref.partition("@")
    found = _last(image_ref)
    return name if digest and found and found[1] else ""


def digest_gone(before: str, now: str) -> str:
    """Return the digest that a reference has lost, where the rest of it is the same; empty when it has lost none."""
    return before.partition("@")[2] if now and by_tag(before) == now else ""


def gone_sentence(where: str, image_ref: str) -> str:
    """Return the warning of a rollback that goes by the tag. where: what no longer has the digest of the reference."""
    name, _at, digest = image_ref.partition("@")
    tag = name.rpartition(":")[2]
    return f"{where} no longer has {digest} of {name}. Rolling back to what the tag {tag} means now."


def same_image(one: str, another: str) -> bool:
    """Return whether both may be the same image.

    An admission webhook may name a mirror, or a digest instead of the tag or after it: compared is what both name.
    """
    first, second = _last(one), _last(another)
    if first is None or second is None or first[0] != second[0]:
        return False
    (_name, tag, digest), (_other, other_tag, other_digest) = first, second
    if digest and other_digest:
        return digest == other_digest
    return tag == other_tag or not (tag and other_tag)


def same_repository(one: str, another: str) -> bool:
    """Return whether both are of the same registry and repository."""
    try:
        first, second = Image.parse(one), Image.parse(another)
    except Failure:
        return False
    return (first.host, first.repository) == (second.host, second.repository)


def same_name(one: str, another: str) -> bool:
    """Return whether both have the same name, whatever their registry, folders and version."""
    first, second = _last(one), _last(another)
    return first is not None and second is not None and first[0] == second[0]


def same_version(one: str, another: str) -> bool:
    """Return whether both are the same image for certain, and not by two tags.

    Only a tag and only a digest may be the same image, which is not certain.
    """
    first, second = _last(one), _last(another)
    if first is None or second is None or not same_image(one, another):
        return False
    (_name, tag, digest), (_other, other_tag, other_digest) = first, second
    if tag and other_tag:
        return tag == other_tag
    return bool(digest and other_digest)


def _last(image_ref: str) -> tuple[str, str, str] | None:
    """Return name, tag and digest of a reference, without its host and folders; None when it has another form."""
    found = _LAST.fullmatch(image_ref.rpartition("/")[2])
    if found is None:
        return None
    digest = found["digest"] or ""
    return found["name"], found["tag"] or ("" if digest else "latest"), digest


def digest_of(image_id: str) -> str:
    """Return the digest in a pod's C(imageID), empty without one.

    Forms are C(ghcr.io/org/x@sha256:...), C(docker-pullable://ghcr.io/org/x@sha256:...) and C(sha256:...).
    """
    digest = image_id.rpartition("@")[2].rpartition("//")[2]
    return digest if DIGEST.fullmatch(digest) else ""
