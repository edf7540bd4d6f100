# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.mcp.server.plugins.plugin_utils import _variables

DOCUMENTATION = r"""
name: target
short_description: The server and the cluster that the inventory names
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The options that all modules of this collection share, out of C(mcp_namespace), C(mcp_server) (default is the host's name), C(mcp_kubeconfig) and the like.
  - What is not given is left out.
"""

EXAMPLES = r"""
- name: Show which server is meant
  module_defaults:
    group/mcp.server.mcp: "{{ lookup('mcp.server.target') }}"
  mcp.server.mcp_release:
"""

RETURN = r"""
_raw:
  description: The options, by name.
  type: list
  elements: dict
"""


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        if terms or kwargs:
            raise AnsibleError("target takes no arguments: it reads mcp_namespace, mcp_server and so on.")
        found = {"server": variables.get("inventory_hostname")}
        for name, option in _variables.TARGET.items():
            given = self._templar.template(variables[name]) if name in variables else None
            if not _variables.is_unset(given):
                try:
                    found[option] = _variables.value(name, given)
                except _variables.Invalid as error:
                    raise AnsibleError(str(error)) from None
        if "namespace" not in found:
            raise AnsibleError("mcp_namespace is not set: a host of the inventory is an MCP server when it has one.")
        return [found]
