# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions in serverInfo that are not the server's own: a library's, which fills them in, or a constant. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import printable


class Library(t.NamedTuple):
    """A library that reports its own version for a server that sets none.

    releases: the last patch of each minor release since it has Streamable HTTP, without which it is of no use here.
    What is newer than the table is not recognised. is_modern: whether it has the modern era, None when some have.
    """

    title: str
    cure: str
    releases: dict[str, int]
    is_modern: bool | None = None


def _releases(text: str) -> dict[str, int]:
    """Return the last patch of each minor release that the text names."""
    return {minor: int(patch) for minor, _dot, patch in (one.rpartition(".") for one in text.split())}


# Of the Python SDK 1.x; since 2.0 it reports an empty text. As PyPI listed them on 28 November 2026.
_MCP = Library(
    "the Python SDK (mcp)",
    "pass version to Server(...), or to MCPServer(...) of its version 2",
    _releases(
        "1.8.1 1.9.4 1.10.1 1.11.0 1.12.4 1.13.1 1.14.1 1.15.0 1.16.0 1.17.0 1.18.0 1.19.0 1.20.0 1.21.2 1.22.0 1.23.3 "
        "1.24.0 1.25.0 1.26.0 1.27.2 1.28.1 1.29.1 1.30.0"
    ),
    is_modern=False,
)
_FASTMCP = Library(
    "FastMCP (fastmcp)",
    "pass version to FastMCP(...)",
    _releases(
        "2.3.5 2.4.0 2.5.2 2.6.1 2.7.1 2.8.1 2.9.2 2.10.6 2.11.3 2.12.5 2.13.3 2.14.7 3.0.2 3.1.1 3.2.4 3.3.1 3.4.11 "
        "4.0.11 4.1.7 4.2.3"
    ),
)
LIBRARIES = (_MCP, _FASTMCP)

# By name in serverInfo: what it always reports, whatever its release is.
CONSTANTS = {
    ("mcp-servers/everything", "2.0.0"): "server-everything, which reports 2.0.0 whatever its release is",
    ("example-servers/everything", "1.0.0"): "an example server, which reports 1.0.0 whatever its release is",
    ("secure-filesystem-server", "0.2.0"): "server-filesystem, which reports 0.2.0 whatever its release is",
    ("memory-server", "0.6.3"): "server-memory, which reports 0.6.3 whatever its release is",
}
# Hubs and proxies that report their own version for the servers behind them.
PROXIES = {"mcphub": "MCPHub, which reports its own version for the servers behind it"}

_VERSION = re.compile(r"(\d{1,4}\.\d{1,4})\.(\d{1,4})", re.ASCII)


def recognised(name: t.Any, version: t.Any, *, is_modern: bool) -> str:
    """Return what a version in serverInfo is instead of the server's own, as a part of a sentence; empty when unknown.

    name, version: as the server reports them. is_modern: whether it has the modern era. A server's own version may be
    equal to one of a library, so this is asked only of one that disagrees with all else.
    """
    if not isinstance(version, str):
        return ""
    if version == "":
        return "empty, as the SDKs send it for a server that sets none"
    shown = printable(name, 80) if isinstance(name, str) else ""
    if known := CONSTANTS.get((shown, version)):
        return known
    for prefix, what in PROXIES.items():
        if re.match(rf"{re.escape(prefix)}(?![a-z0-9])", shown, re.IGNORECASE):
            return what
    found = [one for one in LIBRARIES if one.is_modern in (None, is_modern) and _is_release(version, one.releases)]
    return " or ".join(f"a release of {one.title} ({one.cure})" for one in found)


def _is_release(version: str, releases: t.Mapping[str, int]) -> bool:
    found = _VERSION.fullmatch(version)
    return found is not None and int(found[2]) <= releases.get(found[1], -1)
