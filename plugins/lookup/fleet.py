# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
short_description: Return what a play has to know of its fleet
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Knows the servers that P(mcp.server.is_no_mcp_server#filter) has divided into waves, and how each of them is.
    Without a fleet it returns empty lists.
options:
  _terms:
    description:
      - V(hosts), all servers in the order of their waves; V(serial), the sizes of the waves; V(first), the first
        server; V(to_roll_back), the servers that C(mcp_fleet_on_failure) rolls back; V(judged), the first one and those
        that were begun and have not the version; V(stopped), whether the fleet has stopped.
      - V(playbook) returns the playbook that releases the servers of a command, before any play has begun.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Release the servers in waves
  hosts: "{{ query('mcp.server.fleet', 'hosts') }}"
  serial: "{{ query('mcp.server.fleet', 'serial') }}"
"""

RETURN = r"""
_raw:
  description: The names, numbers, or whether it has.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

from ansible_collections.mcp.server.plugins.plugin_utils import _fleet


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        (what,) = terms
        if what == "playbook":
            return ["fleet/waves.yml" if self._may_be_fleet(variables or {}) else "fleet/servers.yml"]
        if what == "stopped":
            return [_fleet.stopped()]
        hosts = _fleet.plan.hosts if _fleet.plan else []
        found: dict[str, list[t.Any]] = {
            "hosts": hosts,
            "serial": [len(wave) for wave in _fleet.plan.waves] if _fleet.plan else [],
            "first": hosts[:1],
            "to_roll_back": _fleet.to_roll_back(),
            "judged": list(dict.fromkeys([*hosts[:1], *_fleet.bad()])),
        }
        if what not in found:
            raise AnsibleError(f"fleet knows {', '.join(found)}, stopped and playbook, not {what}.")
        return found[what]

    def _may_be_fleet(self, variables: t.Any) -> bool:
        """Return whether more than one host matches. Which of them are MCP servers is not known before a play."""

        def matching(pattern: t.Any) -> list[str]:
            patterns = pattern if isinstance(pattern, list) else [str(pattern)]
            names = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=self._loader, templar=self._templar)
            found: list[str] = names.run([",".join(map(str, patterns))], variables=variables)
            return found

        limit = str(variables.get("ansible_limit") or "all")
        named = set(matching(variables.get("mcp_hosts") or "all"))
        return len(named if "@" in limit else named & set(matching(limit))) > 1
