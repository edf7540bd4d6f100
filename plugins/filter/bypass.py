# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.plugin_utils import _bypass

DOCUMENTATION = r"""
name: bypass
short_description: Return what a release does without when a person bypasses checks by name
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - For the roles preflight and bluegreen, which pass each part on to the modules that make the checks.
positional: reason
options:
  _input:
    description: The names, C(mcp_bypass).
    type: list
    elements: str
    required: true
  reason:
    description: Why, C(mcp_reason).
    type: str
  gates:
    description: C(mcp_gates).
    type: dict
  triggers:
    description: C(mcp_triggers).
    type: dict
  checks:
    description: C(mcp_checks).
    type: list
    elements: dict
  validation:
    description: C(mcp_validation).
    type: list
    elements: str
  switched_off:
    description: Names of what extra variables leave out already, which is recorded, too.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Validate what is bypassed
  ansible.builtin.assert:
    that: found.problem == ''
    fail_msg: "{{ found.problem }}"
  vars:
    found: "{{ ['registry', 'triggers.latency'] | mcp.server.bypass('The registry is away.') }}"
"""

RETURN = r"""
_value:
  description:
    - C(problem), sentences, empty when all names are known and there is a reason.
    - C(names) and C(reason), for the release record.
    - C(all_of_preflight), and C(preflight), the ids of the checks that are left out.
    - C(gates), C(triggers), C(checks) and C(validation) without those that are left out; C(synthetic), whether the
      synthetic requests of a step are not judged; C(judged), whether Prometheus is needed.
    - C(health) and C(contract), whether they are left out.
  type: dict
"""


def bypass(
    names: t.Any,
    reason: t.Any = None,
    *,
    gates: t.Any = None,
    triggers: t.Any = None,
    checks: t.Any = None,
    validation: t.Any = None,
    switched_off: t.Any = (),
) -> dict[str, t.Any]:
    if not isinstance(names, (list, tuple)):
        raise AnsibleFilterError("mcp_bypass must be a list of names, or text with commas between them.")
    return _bypass.bypass(
        names,
        reason,
        gates=gates,
        triggers=triggers,
        checks=checks,
        validation=validation,
        switched_off=switched_off,
    )


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"bypass": bypass}
