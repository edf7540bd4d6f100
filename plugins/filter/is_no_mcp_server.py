# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.plugin_utils._inventory import problem, route_of

DOCUMENTATION = r"""
name: is_no_mcp_server
short_description: Whether a host of a play is no MCP server
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - True for a host without C(mcp_namespace), which a playbook of this collection leaves alone.
  - Fails for the first host of a play that must not run at all, because no host is an MCP server, two hosts are the same server,
    or the playbook changes something and more than one server matches without being named.
  - It costs no task of its own in the C(when) of C(ansible.builtin.meta), so an emergency does not wait for it.
positional: hostvars, hosts, named, writes, forks
options:
  _input:
    description: The host, C(inventory_hostname).
    type: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
  hosts:
    description: All hosts of the play, C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
  named:
    description: How the user named the servers that are meant, by C(-l) or C(mcp_hosts); empty when nobody did.
    type: str
    default: ""
  writes:
    description: The name of a playbook that changes something; empty for one that only reads.
    type: str
    default: ""
  forks:
    description: For a playbook that must work on all of its servers at once, how many it can, C(ansible_forks).
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Leave alone what is no MCP server
  ansible.builtin.meta: end_host
  when: >-
    inventory_hostname | mcp.server.is_no_mcp_server(hostvars, ansible_play_hosts_all,
    named=ansible_limit | default(mcp_hosts | default('')), writes='rollback.yml')
"""

RETURN = r"""
_value:
  description: Whether it is none.
  type: bool
  sample: false
"""


def is_no_mcp_server(
    host: str, hostvars: t.Any, hosts: t.Sequence[str], named: str = "", writes: str = "", forks: int = 0
) -> bool:
    if host == hosts[0]:  # once for the play: the variables of a host take a millisecond each
        routes = {one: route_of(one, hostvars[one]) for one in hosts if "mcp_namespace" in hostvars[one]}
        if sentence := problem(hosts, routes, named=bool(named), writes=writes, forks=int(forks)):
            raise AnsibleFilterError(sentence)
    return "mcp_namespace" not in hostvars[host]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"is_no_mcp_server": is_no_mcp_server}
