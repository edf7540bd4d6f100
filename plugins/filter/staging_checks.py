# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._staging import checks

DOCUMENTATION = r"""
name: staging_checks
short_description: Return the results of all checks of staging.yml
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - For O(mcp.server.mcp_verdict#module:checks). What was not made has a result, too, with the reason.
positional: has, is_check
options:
  _input:
    description: What the tasks registered, by C(image), C(helm), C(stage), C(internal), C(external), C(flows) and
      C(load). The tasks have C(failed_when=false).
    type: dict
    required: true
  has:
    description: Whether there are C(registry), C(helm), C(endpoint), C(flows) and an C(entry).
    type: dict
    required: true
  is_check:
    description: Whether the play runs in check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the results, and fail by them
  mcp.server.mcp_verdict:
    title: Staging
    checks: "{{ {'image': image, 'stage': staged} | mcp.server.staging_checks({'registry': true}) }}"
"""

RETURN = r"""
_value:
  description: The results, as in RV(mcp.server.mcp_verdict#module:checks).
  type: list
  elements: dict
"""


def staging_checks(found: t.Any, has: t.Any, is_check: t.Any = False) -> list[t.Mapping[str, t.Any]]:
    return checks(found, has, is_check)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"staging_checks": staging_checks}
