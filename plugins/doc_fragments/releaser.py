# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors RELEASER of module_utils/_install/manifests.py
    DOCUMENTATION = r"""
options:
  releasers:
    description: Who gets the releaser's Role by a RoleBinding. Without any there is a Role only.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: What it is.
        type: str
        required: true
        choices: [User, Group, ServiceAccount]
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Of a ServiceAccount; default is O(namespace).
        type: str
  guard:
    description: Whether the releaser's Role has the rights for a guard. The guard's own ServiceAccount and Role are in
      C(docs/guard.md).
    type: bool
    default: false
  guard_service_account:
    description: The guard's ServiceAccount.
    type: str
    default: mcp-guard
"""
