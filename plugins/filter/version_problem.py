# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._versions import problem

DOCUMENTATION = r"""
name: version_problem
short_description: Return what is wrong with a version
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - A sentence when it is not a version, such as a number, which may have lost digits (1.1 for 1.10); empty when it is
    one.
  - A version is a tag of an image in any form, a digest, or both.
options:
  _input:
    description: The version, of any type.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Validate the version
  ansible.builtin.assert:
    that: version | mcp.server.version_problem == ''
    fail_msg: "{{ version | mcp.server.version_problem }}"
"""

RETURN = r"""
_value:
  description: The sentence.
  type: str
  sample: "version is missing: pass it, such as -e version=v1.2.0."
"""


def version_problem(version: t.Any) -> str:
    return problem(version)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"version_problem": version_problem}
