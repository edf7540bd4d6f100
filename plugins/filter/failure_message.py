# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import failure_message

DOCUMENTATION = r"""
name: failure_message
short_description: Return why a task failed
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The task's own message, or a sentence that says where to look when it has none.
options:
  _input:
    description: The result of the task, C(ansible_failed_result).
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Read what is live, and remember why that failed
  block:
    - name: Read what is live
      mcp.server.mcp_release_info:
        namespace: prod
        server: mcp-server
  rescue:
    - name: Remember why it failed
      ansible.builtin.set_fact:
        failure: "{{ ansible_failed_result | mcp.server.failure_message }}"
"""

RETURN = r"""
_value:
  description: The message.
  type: str
  sample: "The API server https://cluster:6443 does not answer."
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"failure_message": failure_message}
