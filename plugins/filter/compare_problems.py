# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._versions import compare_problem

DOCUMENTATION = r"""
name: compare_problems
short_description: Return why the versions that a server reports cannot be compared
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - A sentence for each problem, so that a release is refused before anything is deployed.
positional: target
options:
  _input:
    description: What is compared, as O(mcp.server.mcp_traffic_shift#module:compare_version).
    type: list
    elements: str
    required: true
  target:
    description: The server, as P(mcp.server.target#lookup) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Check that the version in the health document can be compared
  ansible.builtin.assert:
    that: "['health'] | mcp.server.compare_problems(lookup('mcp.server.target')) == []"
"""

RETURN = r"""
_value:
  description: The sentences; none when the versions can be compared.
  type: list
  elements: str
"""


def compare_problems(compared: t.Any, target: t.Mapping[str, t.Any]) -> list[str]:
    problem = compare_problem({"compare_version": compared, "health_path": target.get("health_path")})
    return [problem] if problem else []


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"compare_problems": compare_problems}
