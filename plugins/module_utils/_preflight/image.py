# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image of the version: whether its registry has it, the nodes' platforms, and the user's own check of it."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._checks import controller_command
from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context as Checked
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import Limit
from ansible_collections.mcp.server.plugins.module_utils._image import Image, tagged
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._preflight import idle, interrupted, nodes
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._registry.registry import registry_for
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Skipped, Warns
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of


def registry(context: Context) -> str:
    """Return a sentence with the image's digest. Raise Failure when its registry does not have it."""
    image, digest = _known(context)
    moving = ""
    if _versions.is_moving(image.version):
        moving = " It is a moving tag, which may name another image later: release a fixed tag or a digest."
    return f"{image} is in the registry, {digest}.{moving}"


def platform(context: Context) -> str:
    """Return a sentence on the image's platforms. Raise Failure when a node that could take its pods has another."""
    image, digest = _known(context)
    try:
        pool = idle.find(context)
        able = nodes.takers(nodes.read(context), mapping(pool.template, "spec"))
    except Forbidden:
        raise Skipped("The nodes may not be listed, so the image's platforms are not compared with theirs.") from None
    try:
        found = registry_for(image, context.params).platforms(replace(image, digest=digest))
    except Failure as failure:
        # The image is there. Its configuration may be at a store to which a redirect leads, which only nodes reach.
        raise Warns(f"The platforms of {image} are not compared with those of the nodes: {failure.msg}") from None
    message, fits = judge(found, able, mapping(pool.template, "spec"))
    if not fits:
        # Where some nodes can run it, or affinity chooses, it may well start: the rollout tells.
        may_start = any(platform_of(node) in found for node in able) or affinity(mapping(pool.template, "spec"))
        raise (Warns if may_start else Failure)(f"{image} {message}")
    return f"{image} {message}"


def affinity(spec: Object) -> bool:
    """Return whether its pods choose nodes by more than a nodeSelector."""
    return bool(mapping(spec, "affinity", "nodeAffinity"))


def judge(platforms: t.Collection[str], able: t.Sequence[Object], spec: Object) -> tuple[str, bool]:
    """Return what is to be said of an image, and whether its pods could start on the nodes. Pure.

    platforms: as os/architecture; empty where the registry does not say. able: the nodes that could take its pods.
    """
    if not platforms:
        return "names no platform in its registry.", True
    shown = " and ".join(sorted(printable(one, 60) for one in platforms))
    others = [node for node in able if platform_of(node) not in platforms]
    if not others:
        return f"is for {shown}, as the nodes are." if able else f"is for {shown}; no node takes its pods now.", True
    where = f"{nodes.named([name_of(node) for node in others])} ({platform_of(others[0])})"
    # The scheduler looks at affinity, and not at the platform of an image.
    if len(others) < len(able) and affinity(spec):
        return f"is for {shown}, and not for {where}, which the nodeAffinity of its pods has to leave out.", True
    return (
        f"is for {shown}, and its pods could be placed on {where}, where it does not start: push it for that platform, "
        "or add kubernetes.io/arch to the nodeSelector.",
        False,
    )


def platform_of(node: Object) -> str:
    """Return a node's platform, such as C(linux/arm64)."""
    labels, info = mapping(node, "metadata", "labels"), mapping(node, "status", "nodeInfo")
    system = info.get("operatingSystem") or labels.get("kubernetes.io/os") or "linux"
    return f"{system}/{info.get('architecture') or labels.get('kubernetes.io/arch') or 'unknown'}"


def command(context: Context) -> str:
    """Run the user's command on the image, such as one that verifies its signature. Raise Failure when it refuses."""
    argv, seconds = context.params.get("image_check_command") or [], context.params.get("image_check_timeout") or 60.0
    if not argv:
        raise Skipped("No command checks the image: image_check_command (mcp_image_check_command) is not set.")
    image, digest = _named(context) or _known(context)
    reference = f"{image.host}/{image.repository}@{digest}"
    checked = Checked(context.cluster, context.server, "", image.version, None, image_ref=reference)
    limit = Limit(seconds, threading.Event())
    verdict = controller_command.run({"argv": argv, "environment": {}}, checked, limit)
    if verdict.reason:
        raise Failure(
            f"image_check_command (mcp_image_check_command) refuses {reference}: {redact(verdict.reason)}. "
            "Do not release this image before it is known why."
        )
    said = f": {redact(verdict.output)[-200:]}" if verdict.output else ""
    return f"The command accepts {reference}{said}"


def _named(context: Context) -> tuple[Image, str] | None:
    """Return the image and the digest that its own version names, where the registry is not asked.

    Raise CannotMeasure where it names none: whether an image may be trusted must not go unchecked unseen.
    """
    params = context.params
    if not _wanted(params) or not _is_unasked(params):
        return None
    image = tagged(params["image"], _versions.text_of(params))
    if not image.digest:
        raise CannotMeasure(
            "image_check_command (mcp_image_check_command) is given the image by its digest, and the registry, which "
            "tells it, is not asked: name the version with its digest, or bypass image_check, too."
        )
    return image, image.digest


def checked_digest(context: Context) -> str:
    """Return the digest that a command has accepted or refused; empty without one."""
    if not context.params.get("image_check_command") or "image_check" in (context.params.get("bypassed") or ()):
        return ""
    try:
        return (_named(context) or _known(context))[1]
    except (Failure, Skipped):
        return ""


def _wanted(params: t.Mapping[str, t.Any]) -> bool:
    return params.get("version") not in (None, "") and bool(params.get("image"))


def _is_unasked(params: t.Mapping[str, t.Any]) -> bool:
    return params.get("check_registry") is False or "registry" in (params.get("bypassed") or ())


def _known(context: Context) -> tuple[Image, str]:
    """Return the image and its digest. Raise Failure when it is not there, Skipped when that is not asked."""
    params = context.params
    if not _wanted(params):
        raise Skipped("No version is named, so no image is looked for.")
    if params.get("check_registry") is False:
        raise Skipped("The registry is not asked: check_registry (mcp_check_registry) is off.")
    if "registry" in (params.get("bypassed") or ()):
        raise Skipped("The registry is not asked: its check is bypassed.")
    return context.once("image", lambda: _found(context))


def _found(context: Context) -> tuple[Image, str]:
    try:
        return _ask(context.params)
    except Failure as failure:
        # It goes on with the image of its record, which was looked at when it began.
        raise (Warns if interrupted.find(context) else Failure)(failure.msg) from None


def _ask(params: dict[str, t.Any]) -> tuple[Image, str]:
    image = tagged(params["image"], _versions.text_of(params))
    found = registry_for(image, params)
    digest = found.digest(image)
    if digest is None:
        raise Failure(f"{image} is not in the registry {found.url}: push it, or correct image or version.")
    return image, digest
