# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils import _staging

DOCUMENTATION = r"""
name: helm_problem
short_description: Return why a Helm release cannot be made here
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - It needs the collection kubernetes.core and C(helm) on the C(PATH) of the play, and must reach the same cluster as
    the modules of this collection, as the same user.
positional: target
options:
  _input:
    description: The release. When it is empty, there is no problem.
    type: dict
    required: true
  target:
    description: The server and the cluster, as P(mcp.server.target#lookup) returns them.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what is missing
  ansible.builtin.debug:
    msg: "{{ {'release': 'mcp', 'chart': 'charts/mcp'} | mcp.server.helm_problem(lookup('mcp.server.target')) }}"
"""

RETURN = r"""
_value:
  description: A sentence; empty when nothing is missing.
  type: str
"""


def helm_problem(chart: t.Any, target: t.Any = None) -> str:
    return _staging.helm_problem(chart, target)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"helm_problem": helm_problem}
