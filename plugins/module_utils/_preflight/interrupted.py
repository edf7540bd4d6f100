# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release that was interrupted, and that goes on: it may have half of the traffic."""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, record
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def find(context: Context) -> record.Release | None:
    """Return the release in the record that the version to release goes on with; None when it begins anew."""
    if context.params.get("version") in (None, ""):
        return None
    try:
        current = context.once("record", lambda: record.read(context.cluster, context.server))[0].current
        version = _versions.text_of(context.params)
    except Failure:  # other checks report it
        return None
    if current is None or not record.is_running(current):
        return None
    return current if failed_versions.has(current["to"], version) else None
