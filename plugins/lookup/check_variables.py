# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: check_variables
short_description: Check the variables of a host before anything is changed
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Fails when ansible-core is too old for the collection. An emergency (O(strict=false)) warns, and goes on.
  - Fails when a variable is missing that the roles need, or has a value that is not valid.
  - Warns of C(version) where only a rollback runs, which does not read it, and of variables that begin with C(mcp_) and
    that nothing reads, with the likely name.
  - Use it in a task of each host, so that a host which fails stops no other.
  - An emergency has it in the C(when) of C(ansible.builtin.meta), with O(strict=false), where it costs no task. A
    failure there would end the play.
options:
  _terms:
    description: The roles of the play.
    type: list
    elements: str
    required: true
  strict:
    description: Whether to fail. Otherwise an emergency continues without a value that it cannot read, with a warning.
    type: bool
    default: true
  server:
    description: Whether the host is an MCP server, whose own variables are checked and needed, too.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Check the variables of each server
  ansible.builtin.assert:
    that: lookup('mcp.server.check_variables', 'preflight', 'bluegreen')
"""

RETURN = r"""
_raw:
  description: Always true.
  type: list
  elements: bool
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.mcp.server.plugins.plugin_utils import _core_version, _variables
from ansible_collections.mcp.server.plugins.plugin_utils._reading import ReadingLookup


class LookupModule(ReadingLookup):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        host = variables.get("inventory_hostname")
        strict = kwargs.get("strict", True)
        if too_old := _core_version.problem():
            if strict:
                raise AnsibleError(too_old)
            Display().warning(too_old)
        if "git_push" in terms:  # what its caller hands to it
            later = {
                "git_push_version": variables.get("version") or "",
                "git_push_pool": "green",
                "git_push_digest": "",
            }
            self._templar: t.Any = self._templar.copy_with_new_env(available_variables={**variables, **later})
        own: list[str] = []
        problems = []
        target = _variables.TARGET if kwargs.get("server", True) else ()
        for name in dict.fromkeys(
            [*target, "mcp_own_variables", *(name for role in terms for name in _variables.of_role(role))]
        ):
            try:
                found = self.read(name, variables)
            except AnsibleError as error:
                if strict or _variables.can_be_left_out(name):  # otherwise the task that reads it fails
                    problems.append(str(error))
                continue
            if name == "mcp_own_variables":
                own = found
        if strict:
            problems = [
                *_variables.missing(terms, lambda name: not _variables.is_unset(self.given(name, variables)), target),
                *problems,
            ]
            if problems:
                raise AnsibleError(f"{host}: {' '.join(problems)}")
        for problem in problems:
            self.warn(problem)
        if not _variables.is_unset(variables.get("version")) and "rollback" in terms and "bluegreen" not in terms:
            Display().warning(
                f"{host}: version is for releases and is not read here. To roll back to a version, pass "
                "-e mcp_rollback_version=v1.1.5."
            )
        if sentence := _variables.strangers(variables, own):
            Display().warning(f"{host}: {sentence}")
        return [True]
