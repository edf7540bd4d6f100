# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions: the tag of an image, in any form, its digest, or both. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"[a-z0-9+._-]+:[0-9a-fA-F]{32,}")
# raw: as str, Ansible would turn the number 1.1, which a survey made of 1.10, into text before text_of() sees it.
OPTION: dict[str, t.Any] = {"type": "raw"}
# Which versions that servers report are compared with the one that is meant. Its image is known by its digest.
HEALTH, SERVER_INFO = "health", "server_info"
COMPARE: dict[str, t.Any] = {"type": "list", "elements": "str", "choices": [HEALTH, SERVER_INFO], "default": []}
SHOWN = 80  # characters of an invalid version

# Versions that servers report in the same form. Not dates (2026-11 or 2026.11), whose servers may report 1.4.2.
_COMPARED = re.compile(r"v?(\d+\.\d+\.\d+|\d{1,3}\.\d+)([-+_.].*)?", re.ASCII)
_PARTIAL = re.compile(r"\d+\.\d+", re.ASCII)


def problem(version: t.Any, option: str = "version") -> str:
    """Return a sentence that says why this is not a version; empty when it is one."""
    if isinstance(version, (bool, int, float)):
        kind = "true or false" if isinstance(version, bool) else "a number"
        return (
            f"{option} is {version}, which is {kind} and may have lost digits (1.10 becomes 1.1): "
            f'put it in quotes ({option}: "1.10"), or pass -e {option}=1.10.'
        )
    if version is None:
        return f"{option} is missing: pass it, such as -e {option}=v1.2.0."
    if not isinstance(version, str):
        return f"{option} is not text: put it in quotes, as the tag of an image, such as v1.2.0, or its digest."
    tag, digest = parts(version)
    sound = (not tag or TAG.fullmatch(tag)) and (not digest or DIGEST.fullmatch(digest))
    if version and sound and version == "@".join(part for part in (tag, digest) if part):
        return ""
    shown = ascii(version[:SHOWN]) if version else "empty"
    return (
        f"{option} is {shown}: it must be the tag of an image (letters, digits, '_', '.', '-'; at most 128), such as "
        "v1.2.0, "
        "or its digest, sha256:..."
    )


def text_of(params: dict[str, t.Any], option: str = "version") -> str:
    """Return the version in an option. Raises Failure when it is not one."""
    if found := problem(params[option], option):
        raise Failure(found)
    return str(params[option])


def parts(version: str) -> tuple[str, str]:
    """Return its tag and its digest; one of them may be empty."""
    tag, _at, digest = version.rpartition("@")
    return (tag, digest) if tag or ":" in digest else (digest, "")


def reference(image: str, version: str) -> str:
    """Return the image (a name without a tag) of a version."""
    return f"{image}{':' if parts(version)[0] else '@'}{version}"


def is_moving(version: str) -> bool:
    """Return whether it is a name such as latest or main, whose image changes. Numbers and hashes contain a digit."""
    tag, digest = parts(version)
    return not digest and not re.search(r"\d", tag)


def is_comparable(version: str) -> bool:
    """Return whether a reported version can be compared with it: not with sha-abc1234, a branch or a digest."""
    return _COMPARED.fullmatch(parts(version)[0]) is not None


def not_compared(version: str) -> str:
    """Return a sentence that says that reported versions are not compared with this one."""
    return f"The version that servers report is not compared with {version}, which is not a number such as v1.2.0."


def compare_problem(params: t.Mapping[str, t.Any]) -> str:
    """Return a sentence that says why the versions of compare_version can't be read; empty when they can. Pure."""
    if HEALTH not in (params["compare_version"] or []) or params["health_path"]:
        return ""
    return (
        "compare_version has health, but there is no health document to read the version from: "
        "set health_path, or leave health out of compare_version."
    )


def is_reported(reported: t.Any, version: str) -> bool:
    """Return whether a server that reports C(reported) has this version.

    A leading v may be missing. Servers may have a + where a tag cannot. 1.10 stands for any 1.10.x.
    """
    if not isinstance(reported, str):
        return False
    wanted, found = (_plain(text) for text in (parts(version)[0], reported))
    return found == wanted or (_PARTIAL.fullmatch(wanted) is not None and found.startswith(f"{wanted}."))


def is_same(one: str, other: str) -> bool:
    """Return whether two versions mean the same image, by tag or by digest."""
    return any(mine and mine == theirs for mine, theirs in zip(parts(one), parts(other), strict=True))


def _plain(version: str) -> str:
    return re.sub("[+_]", "-", version.removeprefix("v"))
