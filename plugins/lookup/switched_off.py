# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: switched_off
short_description: Return which checks of a release extra variables switch off
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Extra variables (C(-e), the survey of an AWX job) are for one release, so what they leave out is recorded like what
    C(mcp_bypass) names. In an inventory, C(mcp_check_registry), C(mcp_contract_check), C(mcp_checks),
    C(mcp_validation) and C(enabled=false) of a gate or a trigger are settings.
options: {}
"""

EXAMPLES = r"""
- name: Show what this release does without
  ansible.builtin.debug:
    msg: "{{ query('mcp.server.switched_off') }}"
"""

RETURN = r"""
_raw:
  description: The names, as C(mcp_bypass) has them.
  type: list
  elements: str
  sample: [registry, contract, triggers.latency]
"""

import typing as t

from ansible.utils.vars import load_extra_vars

from ansible_collections.mcp.server.plugins.plugin_utils import _bypass
from ansible_collections.mcp.server.plugins.plugin_utils._reading import ReadingLookup


class LookupModule(ReadingLookup):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        extra = load_extra_vars(self._loader)
        return _bypass.switched_off({name: self.read(name, variables) for name in _bypass.SETTINGS if name in extra})
