# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the last drill of a server was, and whether it passed: an annotation beside its release record."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._release import noted
from ansible_collections.mcp.server.plugins.module_utils._server import Server

ANNOTATION = "mcp.server/last-drill"


class Last(t.TypedDict):
    """at: ISO 8601. Both are None when no drill is noted."""

    at: str | None
    passed: bool | None


NONE: Last = {"at": None, "passed": None}


def read(cluster: Api, server: Server) -> Last:
    """Return what the last drill noted. Raises Failure."""
    return parse(noted.read(cluster, server, ANNOTATION))


def parse(text: t.Any) -> Last:
    """Return what an annotation says. Pure; anybody may have edited it."""
    note = noted.parse(text)
    at = _times.parse(note.get("at"))
    return {"at": _times.iso(at, "seconds"), "passed": note.get("passed") is True} if at else NONE
