# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors required_secrets in SPEC of module_utils/_modules/mcp_preflight.py.
    DOCUMENTATION = r"""
options:
  required_secrets:
    description: Secrets that must exist in the namespace. They are read, which needs the right to get each by its name;
      no value is returned.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      keys:
        description: The keys that must have a value.
        type: list
        elements: str
        default: []
"""
