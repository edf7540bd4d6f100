# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_preflight/options.py, but for what other fragments have
    DOCUMENTATION = r"""
options:
  step_gates:
    description: Changes of the gates that a step is passed by, as C(gates) in M(mcp.server.mcp_watch). With
      O(prometheus), custom queries are tried.
    type: dict
  triggers:
    description: Changes of the triggers that roll back, as in M(mcp.server.mcp_watch). With O(prometheus), custom
      queries are tried.
    type: dict
  guard_image_ref:
    description: The image of a guard (M(mcp.server.mcp_guard)), whose digest its registry is asked for. Without it, it
      is not.
    type: str
  report_dest:
    description: Where the report of the release goes, as C(dest) in M(mcp.server.mcp_report). Nothing is written there.
    type: path
  files:
    description: Further files that are read during the release, where the module runs.
    type: list
    elements: path
    default: []
"""
