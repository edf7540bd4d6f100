# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release has bypassed by hand (mcp_bypass), and until when that is said. Pure.

The record keeps the names of a release under C(bypassed), and why under C(bypass_reason).
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._release.record import SUCCEEDED, Release, ReleaseRecord
from ansible_collections.mcp.server.plugins.module_utils._text import printable

NAMES = 30  # that are kept
NAME = 100  # characters of one
REASON = 500  # characters


class Bypassed(t.NamedTuple):
    """What a release has bypassed."""

    names: list[str]
    reason: str
    version: str

    @property
    def what(self) -> str:
        """Return the names and the reason."""
        return f"{', '.join(self.names)}; reason: {self.reason or 'not given'}"

    @property
    def sentence(self) -> str:
        """Return it as a sentence of its own."""
        return f"The release of {self.version} bypassed {self.what.rstrip('.')}."


def of(release: Release | None) -> Bypassed | None:
    """Return what this release has bypassed; None when it is clean."""
    found = release.get("bypassed") if release else None
    if release is None or not isinstance(found, list) or not found:
        return None
    names = [printable(str(name), NAME) for name in found[:NAMES]]
    reason = printable(str(release.get("bypass_reason") or ""), REASON)
    version = release["to"].get("version") or release["to"].get("image_ref") or "the new version"
    return Bypassed(names, reason, printable(str(version), NAME))


def standing(recorded: ReleaseRecord) -> Bypassed | None:
    """Return what was bypassed and is still to be said: until a release without it has succeeded.

    It is said again once that release was rolled back to the one that bypassed something.
    """
    live_again = None
    for release in (recorded.current, *recorded.history):
        if release is None or (live_again is not None and release["to"].get("image_ref") != live_again):
            continue
        found = of(release)
        if found or release["outcome"] == SUCCEEDED:
            return found
        if release.get("had_succeeded"):
            live_again = release["from"].get("image_ref") or ""
    return None


def add(release: Release, names: t.Sequence[str], reason: str) -> Release:
    """Return the release with these names among those that it has bypassed, also when it is continued."""
    if not names:
        return release
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._redact import redact

    before = release.get("bypassed") or []
    kept = list(dict.fromkeys([*before, *(printable(name, NAME) for name in names)]))[:NAMES]
    return {**release, "bypassed": kept, "bypass_reason": printable(redact(reason), REASON)}
