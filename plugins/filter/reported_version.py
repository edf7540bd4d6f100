# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._versions import is_comparable, parts

DOCUMENTATION = r"""
name: reported_version
short_description: Return the version that a server is expected to report
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The tag of a version such as C(v1.2.0) or C(1.10), for C(expect_version) in M(mcp.server.mcp_health).
  - Empty for any other tag, and for a digest, which servers do not report.
options:
  _input:
    description: The version.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Check the version that the server reports
  mcp.server.mcp_health:
    endpoint:
      url: https://mcp.example.com
    expect_version: "{{ version | mcp.server.reported_version | default(omit, true) }}"
"""

RETURN = r"""
_value:
  description: The version; empty when servers do not report it.
  type: str
  sample: v1.2.0
"""


def reported_version(version: t.Any) -> str:
    text = str(version)
    return parts(text)[0] if is_comparable(text) else ""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"reported_version": reported_version}
