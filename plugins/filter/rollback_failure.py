# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import rollback_failure

DOCUMENTATION = r"""
name: rollback_failure
short_description: Return what became of a rollback, one of whose tasks failed
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Tells a rollback that failed from one that another run took over when all traffic was back already.
positional: server, sent, verified
options:
  _input:
    description: The result of the task that failed, C(ansible_failed_result).
    type: raw
    required: true
  server:
    description: The server, for the message.
    type: str
    required: true
  sent:
    description: The result of the task that wrote the weights, if it ran.
    type: raw
  verified:
    description: The result of the task that verified them, if it ran.
    type: raw
"""

EXAMPLES = r"""
- name: Remember why the rollback failed
  ansible.builtin.set_fact:
    outcome: "{{ ansible_failed_result | mcp.server.rollback_failure('prod/mcp-server', sent, verified) }}"
"""

RETURN = r"""
_value:
  description:
    - C(message), a sentence.
    - C(taken_over), whether another run releases the server now.
    - C(success), whether all traffic was back when it took over.
  type: dict
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rollback_failure": rollback_failure}
