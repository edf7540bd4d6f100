# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: require_hosts
short_description: Return the hosts of a play, and fail when there is none
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Ansible says "no hosts matched" and succeeds when a play has no hosts. For an emergency that is a failure.
positional: pattern, limit
options:
  _input:
    description: The names of the hosts that match.
    type: list
    elements: str
    required: true
  pattern:
    description: The pattern that they match, for the message.
    type: str
    required: true
  limit:
    description: The limit that they match too, C(ansible_limit), for the message.
    type: str
    default: all
"""

EXAMPLES = r"""
- name: Return the traffic to the previous version
  hosts: "{{ query('ansible.builtin.inventory_hostnames', 'production') | mcp.server.require_hosts('production') }}"
"""

RETURN = r"""
_value:
  description: The names.
  type: list
  elements: str
  sample: [mcp-server]
"""


def require_hosts(hosts: t.Sequence[str], pattern: str, limit: str = "all") -> list[str]:
    if not hosts:
        patterns = " and ".join(dict.fromkeys(one for one in (pattern, limit) if one != "all"))
        what = f"No host of the inventory matches {patterns}" if patterns else "The inventory has no host"
        raise AnsibleFilterError(f"{what}, so nothing was done. Check the inventory (-i), mcp_hosts and -l.")
    return list(hosts)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"require_hosts": require_hosts}
