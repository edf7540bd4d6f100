# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import statuses

DOCUMENTATION = r"""
name: statuses
short_description: Return the servers of a play with what was read of each
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - For C(fleet) of M(mcp.server.mcp_status_info). Hosts that are no MCP servers are left out.
options:
  _input:
    description: The hosts of the play.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
  name:
    description: The variable that has the result of M(mcp.server.mcp_status_info).
    type: str
    default: status_result
"""

EXAMPLES = r"""
- name: Show all servers of the play
  mcp.server.mcp_status_info:
    fleet: "{{ ansible_play_hosts_all | mcp.server.statuses(hostvars) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: Each with C(host) and C(status).
  type: list
  elements: dict
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"statuses": statuses}
