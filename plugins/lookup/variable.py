# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: variable
short_description: Return the value of a variable of this collection
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Converts the value to the variable's type, as C(-e), surveys and the environment give text for everything. Without a
    value it is the default.
  - Lists and dictionaries may be JSON or YAML. An empty text is no value.
  - Fails with a sentence that names the variable when the value is not valid.
options:
  _terms:
    description: The name of the variable.
    type: list
    elements: str
    required: true
  strict:
    description:
      - Whether to fail when the value is not valid. Otherwise that is a warning, and the default is taken, as an
        emergency does.
      - A variable that names the server, cluster, user, version or pool fails all the same.
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
