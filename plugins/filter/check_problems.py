# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._checks.options import CHECKS
from ansible_collections.mcp.server.plugins.module_utils._checks.validation import problems

DOCUMENTATION = r"""
name: check_problems
short_description: Return what is wrong with the checks of a release
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - A sentence for each problem, so that a release is refused before anything is deployed.
options:
  _input:
    description: The checks, as O(mcp.server.mcp_traffic_shift#module:checks).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Validate the checks
  ansible.builtin.assert:
    that: mcp_checks | mcp.server.check_problems == []
"""

RETURN = r"""
_value:
  description: The sentences; none when the checks can be run.
  type: list
  elements: str
"""


def check_problems(checks: t.Any) -> list[str]:
    validated = ArgumentSpecValidator({"checks": CHECKS}).validate({"checks": checks})
    if validated.error_messages:
        return [f"Checks: {message}." for message in validated.error_messages]
    return problems(validated.validated_parameters["checks"])


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"check_problems": check_problems}
