# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import failure_kind

DOCUMENTATION = r"""
name: failure_kind
short_description: Return the kind of a failure
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - V(deployment) for what pre-flight, the registry or a rollout found, V(application) for a trigger, the health or the
    contract of the new version or a check, V(business) for a rollback that failed, and V(customer) when more than
    5 % of the answers at the public endpoint failed in the watch that is given.
  - The filter P(mcp.server.escalation#filter) returns whom to call for it.
positional: module
options:
  _input:
    description: The result of the task that failed, such as C(ansible_failed_result), or of a watch after it.
    type: raw
    required: true
  module:
    description: The module of the task that failed, such as C(ansible_failed_task.action).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Release in a play of your own
  block:
    - name: Check every pod
      mcp.server.mcp_health:
        namespace: mcp-prod
        server: mcp-server
        pool: green
  rescue:
    - name: Show whom to call
      ansible.builtin.debug:
        msg: "{{ lookup('mcp.server.variable', 'mcp_escalation') | mcp.server.escalation(kind) }}"
      vars:
        kind: "{{ ansible_failed_result | mcp.server.failure_kind(ansible_failed_task.action) }}"
"""

RETURN = r"""
_value:
  description: The kind.
  type: str
  sample: application
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"failure_kind": failure_kind}
