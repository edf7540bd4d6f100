# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.plugin_utils import _fleet
from ansible_collections.mcp.server.plugins.plugin_utils._inventory import problem, route_of

DOCUMENTATION = r"""
name: is_no_mcp_server
short_description: Return whether a host takes no part in a play, as it is no MCP server
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - True for a host without C(mcp_namespace), which the playbooks of this collection leave alone.
  - Fails for the first host of a play that must not run, because no host is an MCP server, two hosts are the same
    server, or the playbook makes changes and several servers match that were not named.
  - In the C(when) of C(ansible.builtin.meta) it needs no task, so an emergency does not wait for it.
  - With O(waves), it is true for several servers, too. It divides them into waves, which P(mcp.server.fleet#lookup)
    then knows, and fails when they can't be divided as C(mcp_waves) and C(mcp_waves_by) say.
positional: hostvars, hosts, named, writes, forks, also, waves
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
    description: The servers that the user named, by C(-l) or C(mcp_hosts); empty without any.
    type: str
    default: ""
  writes:
    description: The name of a playbook that makes changes; empty for one that only reads.
    type: str
    default: ""
  forks:
    description: How many hosts Ansible works on at once, C(ansible_forks), for a playbook that needs all of them at
      once.
    type: int
    default: 0
  also:
    description: What else the command of the playbook takes, for an example in the sentence; empty for no example.
    type: str
    default: ""
  waves:
    description: Whether several servers are left to the plays that release them in waves, unless C(mcp_waves) is empty.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Skip hosts that are no MCP server
  ansible.builtin.meta: end_host
  when: >-
    inventory_hostname | mcp.server.is_no_mcp_server(hostvars, ansible_play_hosts_all,
    named=ansible_limit | default(mcp_hosts | default('')), writes='rollback.yml')
"""

RETURN = r"""
_value:
  description: Whether it takes no part.
  type: bool
  sample: false
"""


def is_no_mcp_server(
    host: str,
    hostvars: t.Any,
    hosts: t.Sequence[str],
    named: str = "",
    writes: str = "",
    forks: int = 0,
    also: str = "",
    waves: bool = False,
) -> bool:
    if host == hosts[0]:  # once a play, as reading the variables takes a millisecond a host
        routes = {one: route_of(one, hostvars[one]) for one in hosts if "mcp_namespace" in hostvars[one]}
        if sentence := problem(hosts, routes, named=bool(named), writes=writes, forks=int(forks), also=also):
            raise AnsibleFilterError(sentence)
        try:
            _fleet.divide(list(routes) if waves else [], hostvars)
        except ValueError as error:
            raise AnsibleFilterError(str(error)) from None
    return "mcp_namespace" not in hostvars[host] or _fleet.has(host)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"is_no_mcp_server": is_no_mcp_server}
