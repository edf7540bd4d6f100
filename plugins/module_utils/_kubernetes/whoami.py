# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the API server who the user is."""

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable


def known_as(cluster: Api) -> str:
    """Return the end of a sentence with the user's name there; empty before Kubernetes 1.28, which does not say."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        status = cluster.create(paths.SUBJECT_REVIEWS, review, dryRun="All").get("status")
    except Failure:
        return ""
    info = status.get("userInfo") if isinstance(status, dict) else None
    name = info.get("username") if isinstance(info, dict) else None
    return f", and knows the user as {printable(name, 200)}" if name and isinstance(name, str) else ""
