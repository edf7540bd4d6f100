# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts from the revisions of MCP, as data. Revisions are names in a set: nothing compares or computes them."""

from __future__ import annotations

MODERN = "modern"
LEGACY = "legacy"
AUTO = "auto"
SSE = "sse"
ERAS = (AUTO, MODERN, LEGACY, SSE)  # what a user may ask for

# Newest last. A modern server has server/discover and no sessions; a legacy one has initialize.
REVISIONS = {
    "2024-11-05": LEGACY,
    "2025-03-26": LEGACY,
    "2025-06-18": LEGACY,
    "2025-11-25": LEGACY,
    "2026-07-28": MODERN,
}


def revisions(era: str) -> tuple[str, ...]:
    return tuple(revision for revision, its_era in REVISIONS.items() if its_era == era)


METHOD_NOT_FOUND = -32601

# JSON-RPC error codes that only a modern server answers.
UNSUPPORTED_VERSION = -32022
REQUEST_REFUSED = {-32020: "HeaderMismatch", -32021: "MissingRequiredClientCapability"}

# HTTP statuses, without such a code, of servers that do not know the request of the other era.
OTHER_ERA_STATUSES = frozenset({400, 404, 405, 406, 415})
# Those that an HTTP+SSE server returns for a POST to the path of its event stream.
NO_POST_STATUSES = frozenset({400, 404, 405})
# Those of a server, or of a gateway before it, that has no time for a request now.
TRY_LATER_STATUSES = frozenset({429, 503})

# The version is this collection's major one.
CLIENT = {"name": "mcp_health", "version": "1"}

META = "io.modelcontextprotocol/"

# The parameter that a modern request repeats in the header Mcp-Name.
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
