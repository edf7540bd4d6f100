# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.mcp.server.plugins.plugin_utils import _variables

DOCUMENTATION = r"""
name: variables_checked
short_description: Check the variables of a host before anything is done
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Fails when a variable is missing that the roles need, or has a value that cannot be meant.
  - Warns of C(version) where only a rollback runs, which does not read it, and of variables that begin with C(mcp_)
    and that nothing reads, with the name that is likely meant.
  - It costs no task of its own in the C(when) of C(ansible.builtin.meta), so an emergency does not wait for it.
options:
  _terms:
    description: The roles of the play.
    type: list
    elements: str
    required: true
  strict:
    description: Whether to fail. Otherwise an emergency goes on without what it cannot read, with a warning.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Check the variables of each server
  ansible.builtin.meta: end_host
  when: not lookup('mcp.server.variables_checked', 'preflight', 'bluegreen')
"""

RETURN = r"""
_raw:
  description: Always true.
  type: list
  elements: bool
"""


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        host = variables.get("inventory_hostname")
        strict = kwargs.get("strict", True)
        problems = _variables.missing(terms, lambda name: not _variables.is_unset(self._given(name, variables))) if strict else []
        own: list[str] = []
        for name in dict.fromkeys([*_variables.TARGET, "mcp_own_variables", *(name for role in terms for name in _variables.of_role(role))]):
            try:
                found = _variables.value(name, self._given(name, variables))
            except (_variables.Invalid, AnsibleError) as error:
                problems.append(str(error))
                continue
            if name == "mcp_own_variables":
                own = found
        if problems and strict:
            raise AnsibleError(f"{host}: {' '.join(problems)}")
        for problem in problems:
            Display().warning(f"{problem} Going on as if it were not set.")
        if "version" in variables and "rollback" in terms and "bluegreen" not in terms:
            Display().warning(f"{host}: version is for releases and is not read here. To go back to a named one: -e mcp_rollback_version=v1.1.5.")
        if sentence := _variables.strangers(variables, own):
            Display().warning(f"{host}: {sentence}")
        return [True]

    def _given(self, name: str, variables: t.Any) -> t.Any:
        return self._templar.template(variables[name]) if name in variables else None
