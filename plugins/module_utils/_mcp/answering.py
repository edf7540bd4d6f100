# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a server's answers before it is asked: its health path, and how an answer names its pool."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import checked
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

# Documented in doc_fragments/server.py
NAMES = ("health_path", "health_checks", "pool_header", "pool_key")


@dataclass(frozen=True)
class Answering:
    """The options of a server that say how its answers are read."""

    health_path: str | None = None  # None: MCP requests are sent in its place
    health_checks: tuple[str, ...] = ()
    pool_header: str = OPTIONS["pool_header"]["default"]
    pool_key: str = OPTIONS["pool_key"]["default"]

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Answering:
        """Return what a task's options say; one that the module does not have is as by default. Raise Failure."""
        given = {name: params[name] for name in NAMES if params.get(name)}
        found = cls(**{**given, "health_checks": tuple(given.get("health_checks", ()))})
        if found.health_path is not None and not is_path(found.health_path):
            raise Failure(f"health_path {found.health_path!r} is not a path, such as /healthz.")
        try:
            checked({found.pool_header: ""})
        except Fault:
            raise Failure(f"pool_header {found.pool_header!r} is not the name of a header.") from None
        if found.health_checks:
            if found.health_path is None:
                raise Failure(
                    "health_checks are for what health_path answers, which is not set: set it to the path of the "
                    "server's health document, or remove health_checks."
                )
            # lazy: emergency path
            from ansible_collections.mcp.server.plugins.module_utils._mcp import expressions

            expressions.check("health_checks", found.health_checks)
        return found


BY_DEFAULT = Answering()


def is_path(text: str) -> bool:
    """Return whether this is a path of a URL, perhaps with a query."""
    return text.startswith("/") and text.isascii() and text.isprintable() and " " not in text
