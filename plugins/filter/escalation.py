# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.module_utils._announce.escalation import lines

DOCUMENTATION = r"""
name: escalation
short_description: Return an escalation tree as lines
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Whom to call, one line each, in the order of the tree.
options:
  _input:
    description: The tree; each element has C(name), and may have C(when) and C(contact).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show whom to call
  ansible.builtin.debug:
    msg: "{{ [{'when': 'Deployment issues', 'name': 'Platform Engineering On-Call'}] | mcp.server.escalation }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample: ["1. Deployment issues: Platform Engineering On-Call"]
"""


def escalation(tree: t.Any) -> list[str]:
    sound = isinstance(tree, (list, tuple)) and all(isinstance(one, t.Mapping) and one.get("name") for one in tree)
    if not sound:
        raise AnsibleFilterError(
            "The escalation tree (mcp_escalation) must be a list whose elements have name, and may have when and "
            "contact."
        )
    return lines(tree)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"escalation": escalation}
