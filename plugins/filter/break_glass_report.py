# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._announce.escalation import CUSTOMER, lines
from ansible_collections.mcp.server.plugins.module_utils._break_glass import report

DOCUMENTATION = r"""
name: break_glass_report
short_description: Return what break-glass found and did, what is next, and whom to call
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The end of C(break_glass.yml), from the results of its tasks.
positional: escalation, host, restore
options:
  _input:
    description: The results of M(mcp.server.mcp_break_glass), in their order. Skipped tasks may be among them.
    type: list
    elements: dict
    required: true
  escalation:
    description:
      - The escalation tree; of it, whom to call when customers are concerned. Elements without C(name) are left out.
    type: list
    elements: dict
    default: []
  host:
    description: The server's host in the inventory, for the commands.
    type: str
    default: ""
  restore:
    description: Whether this was a restore.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what is next
  ansible.builtin.debug:
    msg: "{{ ([traffic, readiness] | mcp.server.break_glass_report(host=inventory_hostname)).lines }}"
"""

RETURN = r"""
_value:
  description: The C(lines), and the C(problems) in one text, empty without any.
  type: dict
  sample:
    lines: ["DID    HTTPRoute mcp-prod/mcp-server: all traffic to pool blue (it was blue 0 %, green 100 %)"]
    problems: ""
"""


def break_glass_report(
    results: t.Sequence[t.Mapping[str, t.Any]], escalation: t.Any = (), host: str = "", restore: bool = False
) -> dict[str, t.Any]:
    tree = escalation if isinstance(escalation, (list, tuple)) else ()
    sound = [one for one in tree if isinstance(one, t.Mapping) and one.get("name")]  # nothing fails for a contact
    contacts = lines(sound, CUSTOMER)
    return {
        "lines": report.lines(results, contacts, restore=restore, host=host),
        "problems": " ".join(report.problems(results)),
    }


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"break_glass_report": break_glass_report}
