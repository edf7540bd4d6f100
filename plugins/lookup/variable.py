# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: variable
short_description: The value of a variable of this collection
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Converts the value to the variable's type, as C(-e), surveys and the environment give text for everything. Without a
    value it is the default.
  - Lists and dictionaries may be JSON or YAML. An empty text is no value.
  - Fails for an invalid value, with a sentence that names the variable.
options:
  _terms:
    description: The name of the variable.
    type: list
    elements: str
    required: true
  strict:
    description:
      - Whether to fail for an invalid value. Otherwise it is a warning, and the default is used, as in an emergency.
      - An invalid value for the server, cluster, user, version or pool always fails.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Show the steps of a release
  ansible.builtin.debug:
    msg: "{{ lookup('mcp.server.variable', 'mcp_steps') }}"
"""

RETURN = r"""
_raw:
  description: The value; null when there is none and the variable has no default.
  type: list
  elements: raw
"""

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._reading import ReadingLookup


class LookupModule(ReadingLookup):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        (name,) = terms
        return [self.read_if_possible(name, variables, kwargs.get("strict", True))]
