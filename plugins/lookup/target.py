# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: target
short_description: Return the server and the cluster that the inventory names
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The options that all modules of this collection share, from C(mcp_namespace), C(mcp_server) (default is the host's
    name), C(mcp_kubeconfig) and the like.
  - Options that are not set are left out.
options:
  strict:
    description:
      - Whether to fail when a value is not valid. Otherwise that is a warning, and the default is taken, as an
        emergency does.
      - A variable that names the server, cluster or user fails all the same, as without it another one would be
        changed.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Show which server is meant
  module_defaults:
    group/mcp.server.mcp: "{{ lookup('mcp.server.target') }}"
  mcp.server.mcp_release_info:
"""

RETURN = r"""
_raw:
  description: The options, by name.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleError

from ansible_collections.mcp.server.plugins.plugin_utils import _variables
from ansible_collections.mcp.server.plugins.plugin_utils._reading import ReadingLookup


class LookupModule(ReadingLookup):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        found = {"server": variables.get("inventory_hostname")}
        for name, option in _variables.TARGET.items():
            value = self.read_if_possible(name, variables, kwargs.get("strict", True), default=False)
            if value is not None:
                found[option] = value
        if "namespace" not in found:
            raise AnsibleError(_variables.needed("mcp_namespace"))
        return [found]
