# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: is_extra_variable
short_description: Return whether a variable was given on the command line
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Extra variables (C(-e), the survey of an AWX job) hold for every host. What only a server's own line in the
    inventory may permit must not come from there.
options:
  _terms:
    description: The name of the variable.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse what holds for every host
  ansible.builtin.assert:
    that: not lookup('mcp.server.is_extra_variable', 'mcp_drill')
"""

RETURN = r"""
_raw:
  description: Whether it is an extra variable.
  type: list
  elements: bool
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        (name,) = terms
        return [name in load_extra_vars(self._loader)]
