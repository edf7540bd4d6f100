# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.module_utils._announce.escalation import KINDS, lines

DOCUMENTATION = r"""
name: escalation
short_description: Return an escalation tree as lines
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Whom to call, one line each. With O(kind), first those who are called for such a failure, and then, in the order of
    the tree, those of the levels above it and those without a kind.
positional: kind
options:
  _input:
    description: The tree; each element has C(name), and may have C(when), C(contact) and C(kind).
    type: list
    elements: dict
    required: true
  kind:
    description:
      - The kind of the failure, as P(mcp.server.failure_kind#filter) returns it. Without it, all are returned.
      - V(deployment) is the lowest level, V(customer) the highest.
    type: str
    choices: [deployment, application, business, customer]
"""

EXAMPLES = r"""
- name: Show whom to call
  ansible.builtin.debug:
    msg: "{{ lookup('mcp.server.variable', 'mcp_escalation') | mcp.server.escalation('deployment') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample: ["1. Deployment issues: Platform Engineering On-Call"]
"""


def escalation(tree: t.Any, kind: t.Any = None) -> list[str]:
    sound = isinstance(tree, (list, tuple)) and all(isinstance(one, t.Mapping) and one.get("name") for one in tree)
    if not sound:
        raise AnsibleFilterError(
            "The escalation tree (mcp_escalation) must be a list whose elements have name, and may have when, "
            "contact and kind."
        )
    if kind not in (None, "", *KINDS):
        raise AnsibleFilterError(f"The kind of a failure is {kind!r}: it must be one of {', '.join(KINDS)}.")
    return lines(tree, kind or None)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"escalation": escalation}
