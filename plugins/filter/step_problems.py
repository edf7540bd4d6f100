# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.module_utils._plan.steps import problems

DOCUMENTATION = r"""
name: step_problems
short_description: Return what is wrong with the steps of a release
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - A sentence for each problem; none when the weights rise and end at 100. M(mcp.server.mcp_plan_info) reports the
    same.
options:
  _input:
    description: The steps; each element has C(weight), in percent.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Validate the steps
  ansible.builtin.assert:
    that: problems == []
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ [{'weight': 10, 'seconds': 300}, {'weight': 100, 'seconds': 60}] | mcp.server.step_problems }}"
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
  sample: ["The steps (10, 50) do not end at 100 %: add a step of weight 100. To stay at a lower weight for longer,
    raise its seconds."]
"""


def step_problems(steps: t.Any) -> list[str]:
    try:
        return problems([int(step["weight"]) for step in steps])
    except (TypeError, KeyError, ValueError):
        raise AnsibleFilterError(
            "The steps (mcp_steps) must be a list whose elements have weight, a number, and seconds."
        ) from None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"step_problems": step_problems}
