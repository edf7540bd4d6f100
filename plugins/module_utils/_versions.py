# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be a version: a tag of an image in any form, a digest, or both. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"[a-z0-9+._-]+:[0-9a-fA-F]{32,}")
# raw, as Ansible makes the text "1.1" of the number that a survey made of 1.10; text_of() sees the number.
OPTION: dict[str, t.Any] = {"type": "raw"}
SHOWN = 80  # characters of what is no version

# What servers tell in the same form. Not 2026-11 or 2026.11, which is a date; its server may well call itself 1.4.2.
_COMPARED = re.compile(r"v?(\d+\.\d+\.\d+|\d{1,3}\.\d+)([-+_.].*)?", re.ASCII)
_PARTIAL = re.compile(r"\d+\.\d+", re.ASCII)


def problem(version: t.Any, option: str = "version") -> str:
    """Return why this is not a version, a sentence; empty when it is one."""
    if isinstance(version, (bool, int, float)):
        kind = "true or false" if isinstance(version, bool) else "a number"
        return (
            f"{option} is {version}, {kind} and not a text, and may have lost digits (1.10 becomes 1.1): "
            f'put it in quotes ({option}: "1.10"), or give it as -e {option}=1.10.'
        )
    if version is None:
        return f"{option} is missing: give it, such as -e {option}=v1.2.0."
    if not isinstance(version, str):
        return f"{option} is not a text: put it in quotes, as the tag of an image, such as v1.2.0, or its digest."
    tag, digest = parts(version)
    sound = (not tag or TAG.fullmatch(tag)) and (not digest or DIGEST.fullmatch(digest))
    if version and sound and version == "@".join(part for part in (tag, digest) if part):
        return ""
    shown = ascii(version[:SHOWN]) if version else "empty"
    return f"{option} is {shown}: give the tag of an image (letters, digits, '_', '.', '-'; at most 128), such as v1.2.0, or its digest, sha256:..."


def text_of(params: dict[str, t.Any], option: str = "version") -> str:
    """Return the version that an option holds. Raises Failure when it is none."""
    if found := problem(params[option], option):
        raise Failure(found)
    return str(params[option])


def parts(version: str) -> tuple[str, str]:
    """Return its tag and its digest; what it does not have is empty."""
    tag, _at, digest = version.rpartition("@")
    return (tag, digest) if tag or ":" in digest else (digest, "")


def reference(image: str, version: str) -> str:
    """Return the image (a name without a tag) of a version."""
    return f"{image}{':' if parts(version)[0] else '@'}{version}"


def is_moving(version: str) -> bool:
    """Return whether it is a name such as latest or main, which means another image tomorrow. Numbers and hashes have a digit."""
    tag, digest = parts(version)
    return not digest and not re.search(r"\d", tag)


def is_comparable(version: str) -> bool:
    """Return whether what a server tells of its version can be compared with it: not with sha-abc1234, a branch or a digest."""
    return _COMPARED.fullmatch(parts(version)[0]) is not None


def not_compared(version: str) -> str:
    """Say that what servers tell is not compared with this version."""
    return f"The version that servers tell is not compared with {version}: that is not a number such as v1.2.0."


def is_told(told: t.Any, version: str) -> bool:
    """Return whether a server that tells this is of that version.

    The leading v may be missing. A tag has no +, where servers have one. 1.10 stands for each 1.10.x.
    """
    if not isinstance(told, str):
        return False
    wanted, has = (_plain(text) for text in (parts(version)[0], told))
    return has == wanted or (_PARTIAL.fullmatch(wanted) is not None and has.startswith(f"{wanted}."))


def is_same(one: str, other: str) -> bool:
    """Return whether two versions are of one image, by tag or by digest."""
    return any(mine and mine == theirs for mine, theirs in zip(parts(one), parts(other), strict=True))


def _plain(version: str) -> str:
    return re.sub("[+_]", "-", version.removeprefix("v"))
