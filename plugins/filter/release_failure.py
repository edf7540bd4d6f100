# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import release_failure

DOCUMENTATION = r"""
name: release_failure
short_description: Return the sentence for a release that failed before it got any traffic
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Says where the traffic is, and why the release failed.
positional: version, live
options:
  _input:
    description: Why it failed, as a sentence.
    type: str
    required: true
  version:
    description: The version that was to be released.
    type: str
    required: true
  live:
    description: The pool that has all the traffic.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Fail with the outcome of the release
  ansible.builtin.fail:
    msg: "{{ 'Pod mcp-server-green-1 crashed.' | mcp.server.release_failure('v1.2.0', 'blue') }}"
"""

RETURN = r"""
_value:
  description: The sentence.
  type: str
  sample: >-
    Release of v1.2.0 failed before it got any traffic; all traffic is on blue.
    Cause: Pod mcp-server-green-1 crashed.
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"release_failure": release_failure}
