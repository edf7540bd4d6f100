# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.module_utils._gates import options, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.decide import synthetic_triggers
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

DOCUMENTATION = r"""
name: unwatched_triggers
short_description: Return a sentence with the triggers that nobody watches without Prometheus
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - A sentence with the triggers that need metrics; empty when there is none.
options:
  _input:
    description: Changes of the triggers, as O(mcp.server.mcp_watch#module:triggers).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Report the triggers that nobody watches
  ansible.builtin.debug:
    msg: "{{ {} | mcp.server.unwatched_triggers }}"
"""

RETURN = r"""
_value:
  description: The sentence.
  type: str
  sample: >-
    Without Prometheus (mcp_prometheus) these triggers are not watched: latency, database, memory.
    Synthetic requests are judged for: errors, error_burst.
"""


def unwatched_triggers(changes: t.Any) -> str:
    try:
        triggers = options.gates(thresholds.TRIGGERS, changes, "triggers")
    except Failure as failure:
        raise AnsibleFilterError(failure.msg) from None
    synthetic = [gate.name for gate in synthetic_triggers(triggers, False)]
    unwatched = [gate.name for gate in triggers if gate.name not in synthetic]
    if not unwatched:
        return ""
    rest = f" Synthetic requests are judged for: {', '.join(synthetic)}." if synthetic else ""
    return f"Without Prometheus (mcp_prometheus) these triggers are not watched: {', '.join(unwatched)}.{rest}"


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"unwatched_triggers": unwatched_triggers}
