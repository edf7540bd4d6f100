# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import watched_pool

DOCUMENTATION = r"""
name: watched_pool
short_description: Return which pool a watch judges
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The pool that has most of the traffic, its weight, whether a breach could be rolled back, and what to do about one.
options:
  _input:
    description: What M(mcp.server.mcp_release_info) returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show which pool a watch judges
  ansible.builtin.debug:
    msg: "{{ (release | mcp.server.watched_pool).pool }}"
"""

RETURN = r"""
_value:
  description: The keys C(pool), C(weight), C(can_roll_back) and C(advice).
  type: dict
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"watched_pool": watched_pool}
