# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import deployment_failure

DOCUMENTATION = r"""
name: deployment_failure
short_description: Return the sentence for a rollback whose version could not be deployed
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Says that the traffic was not changed, why, and whether the pool could be restored.
positional: pool, image_ref, restored
options:
  _input:
    description: Why it failed, as a sentence.
    type: str
    required: true
  pool:
    description: The pool that the version was to run in.
    type: str
    required: true
  image_ref:
    description: The image that was to be deployed.
    type: str
    required: true
  restored:
    description: The result of the task that restored the pool, if it ran.
    type: raw
"""

EXAMPLES = r"""
- name: Fail with the reason
  ansible.builtin.fail:
    msg: "{{ 'A pod crashed.' | mcp.server.deployment_failure('green', 'ghcr.io/org/mcp-server:v1.1.4') }}"
"""

RETURN = r"""
_value:
  description: The sentence.
  type: str
  sample: >-
    Rollback to ghcr.io/org/mcp-server:v1.1.4 failed, and the traffic was not changed.
    Cause: Pod mcp-server-green-1 crashed.
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"deployment_failure": deployment_failure}
