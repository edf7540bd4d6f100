# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.filter.failure_kind import FilterModule

failure_kind = FilterModule().filters()["failure_kind"]


@pytest.mark.parametrize(
    ("found", "module", "kind"),
    [
        ({"failed": True, "msg": "It is sick."}, "mcp.server.mcp_health", "application"),
        ({"failed": True, "checks": []}, "mcp.server.mcp_preflight", "deployment"),
        ({"requests": 40, "failed_requests": 1}, "mcp_rollback", "business"),
        ({"requests": 40, "failed_requests": 9}, "mcp_rollback", "customer"),
        ({"requests": 40, "failed_requests": 9, "verdict": "breach"}, "mcp_watch", "customer"),
        ({"skipped": True}, "mcp.server.mcp_rollback", "business"),
        (None, None, "deployment"),
    ],
)
def test_the_kind_of_a_failed_task(found, module, kind):
    assert failure_kind(found, module) == kind
