# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils import _staging

DOCUMENTATION = r"""
name: helm_values
short_description: Return the values of a Helm chart with the version in them
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Sets one value, and leaves the others as they are.
positional: path, version
options:
  _input:
    description: The values.
    type: dict
    required: true
  path:
    description: The keys that lead to the value, with dots.
    type: str
    required: true
  version:
    description: The value, such as a tag with its digest.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the values
  ansible.builtin.debug:
    msg: "{{ {'replicaCount': 1} | mcp.server.helm_values('image.tag', 'v1.2.0') }}"
"""

RETURN = r"""
_value:
  description: The values.
  type: dict
  sample: {"replicaCount": 1, "image": {"tag": "v1.2.0"}}
"""


def helm_values(values: t.Any, path: str, version: str) -> dict[str, t.Any]:
    return _staging.helm_values(values, path, version)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"helm_values": helm_values}
