# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and report what it would change without changing it.
  diff_mode:
    description: Returns what has changed, or would change, in C(diff) mode.
  idempotent:
    description: A second run with the same arguments changes nothing.
requirements:
  - python >= 3.11 where the module runs
"""

    # For modules that only read
    READ_ONLY = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: This module reads and changes nothing.
  diff_mode:
    support: N/A
    details: This module changes nothing.
  idempotent:
    support: full
    details: This module changes nothing.
"""

    # For the modules that act on a server in a cluster
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mcp.server.mcp) in C(module_defaults) to set options for all modules that act on a server
      in a cluster.
    support: full
    membership:
      - mcp.server.mcp
"""
