# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import check_results

DOCUMENTATION = r"""
name: check_results
short_description: Return the results of the checks that a task made
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - For O(mcp.server.mcp_verdict#module:checks). A task that has no such results, or failed before it had any, counts as
    one check itself. One that was skipped has none.
positional: check_id, name, passed, warns
options:
  _input:
    description: What the task registered. The task has C(failed_when=false).
    type: dict
    required: true
  check_id:
    description: The id of the check that the task itself is.
    type: str
    required: true
  name:
    description: Its name, for people.
    type: str
    required: true
  passed:
    description: What is said of it when it passed, a sentence.
    type: str
    default: ""
  warns:
    description: Whether none of them fails the play.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the results, and fail by them
  mcp.server.mcp_verdict:
    title: Pre-flight of mcp-server
    checks: "{{ image | mcp.server.check_results('registry', 'image in the registry') }}"
"""

RETURN = r"""
_value:
  description: The results, as in RV(mcp.server.mcp_verdict#module:checks).
  type: list
  elements: dict
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"check_results": check_results}
