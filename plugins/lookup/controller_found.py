# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: controller_found
short_description: Return what AWX has that concerns the role controller
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Asks with the lookup C(awx.awx.controller_api), which takes address and login from its environment variables, such
    as E(CONTROLLER_HOST), or its C(tower_cli.cfg). Fails when the collection C(awx.awx) is not installed.
  - Returns the fields by which objects are known, and no other, such as variables of jobs.
options:
  _terms:
    description: What the names of all objects begin with, and the name of the organization.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what there is
  ansible.builtin.debug:
    msg: "{{ lookup('mcp.server.controller_found', 'mcp', 'MCP servers') }}"
"""

RETURN = r"""
_raw:
  description: Lists of objects, by the endpoints of the API.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

from ansible_collections.mcp.server.plugins.plugin_utils import _controller


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        prefix, organization = terms
        plugin = lookup_loader.get("awx.awx.controller_api", loader=self._loader, templar=self._templar)
        if plugin is None:
            raise AnsibleError(
                "The collection awx.awx is not installed, so the controller was not asked. Install it where the "
                "playbook runs: ansible-galaxy collection install awx.awx"
            )
        found = {}
        for one in _controller.queries(prefix, organization):
            objects = plugin.run(
                [one["endpoint"]], variables, query_params=one["query"], return_all=True, max_objects=10_000
            )
            found[one["name"]] = [_controller.known_fields(each) for each in objects]
        return [found]
