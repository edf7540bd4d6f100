# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Git says of a local clone, of which it runs and downloads nothing."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._git.git import Git, Remote
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SECONDS = 10.0  # for each command


class Described(t.NamedTuple):
    """A clone's checked-out commit. version: as git describe --tags --always names it."""

    version: str
    commit: str


class Clone(Git):
    """A clone of somebody else's. Its configuration is not trusted."""

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_CEILING_DIRECTORIES": str(self.folder.parent),
        }

    def command(self, *words: str) -> list[str]:
        # The clone may be another user's, as a project of AWX is.
        options = {
            "safe.directory": str(self.folder),
            "core.hooksPath": "/dev/null",
            "core.fsmonitor": "false",
            "core.pager": "cat",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return ["git", "--no-pager", *settings, *words]

    def described(self) -> Described:
        """Return what is checked out. Raise Failure."""
        return Described(
            self._run("describe", "--tags", "--always", at=self.folder),
            self._run("rev-parse", "--verify", "HEAD", at=self.folder),
        )


def describe(path: str) -> Described:
    """Return what is checked out in a local clone. Raise Failure."""
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise Failure(f"source (mcp_source) is {path}, which is no folder here: clone the server's repository there.")
    try:
        return Clone(Remote("", "", seconds=SECONDS), folder.resolve()).described()
    except Failure as failure:
        raise Failure(
            f"{failure.msg} source (mcp_source) is {path}: it must be a clone of the server's repository with a commit."
        ) from None
