# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse versions that the release record says are bad, unless they are forced by name. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._release.record import (
    FAILED,
    ROLLED_BACK,
    Release,
    ReleaseRecord,
    Side,
    is_judged,
    is_release,
    is_running,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

OPTION: dict[str, t.Any] = {"type": "str"}
MAX_REASON = 300  # characters


def bad_end(book: ReleaseRecord, version: str) -> Release | None:
    """Return the newest release of this version when it was rolled back or failed, else None.

    Releases whose end says nothing about the version (record.is_judged) are skipped. A version that was the stable one
    since is good.
    """
    known = [
        release
        for release in (book.current, *book.history)
        if release is not None and is_release(release) and is_judged(release)
    ]
    for release in sorted(known, key=_end_time, reverse=True):
        if has(release["to"], version):
            return release if release["outcome"] in (FAILED, ROLLED_BACK) else None
        if has(release["from"], version):
            return None
    return None


def refusal(book: ReleaseRecord, version: str, forced: str | None) -> str:
    """Return a sentence that says why this version is refused; empty when it is not.

    forced: the version that is released in spite of its record.
    """
    release = bad_end(book, version)
    if release is None or forced == version:
        return ""
    outcome = "was rolled back" if release["outcome"] == ROLLED_BACK else "failed"
    at = printable(str(release.get("ended") or "an unknown time"), 40)
    why = printable(release["reason"], MAX_REASON).rstrip(".") or "no reason is recorded"
    return (
        f"{version} {outcome} at {at} ({why}) and is refused since. Release another version, or force this one: "
        f"-e mcp_force_version={version} (option force_version of the modules)."
    )


def _end_time(release: Release) -> tuple[bool, str]:
    """Return a sort key: a failed rollback stands in the history behind the release that it was to take back."""
    return is_running(release), str(release.get("ended") or "")


def has(side: Side, version: str) -> bool:
    """Return whether this side of a release is of that version."""
    named = side.get("version")
    if not isinstance(named, str) or not named:
        try:
            named = Image.parse(str(side.get("image_ref"))).version
        except Failure:
            return False
    digest = side.get("digest")
    return _versions.is_same(named, version) or (isinstance(digest, str) and _versions.is_same(digest, version))
