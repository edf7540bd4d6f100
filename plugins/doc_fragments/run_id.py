# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION of module_utils/_release/lease_renewal.py
    DOCUMENTATION = r"""
options:
  run_id:
    description:
      - The run that this task belongs to, as M(mcp.server.mcp_release) returned it when the release began.
      - The task fails when another run has taken over, changes nothing then, and keeps the run's Lease renewed while it
        works. A Lease that was deleted or emptied, or that ran out and that nobody else holds, is taken again, with a
        warning.
      - A rollback ends for nothing else. What keeps the Lease from being read or written is a warning there, after a
        few seconds.
      - The workloads and HorizontalPodAutoscalers that a run changes keep its id in the annotation C(mcp.server/run),
        and so does the release record. The API server refuses the write of a run when another run has written there
        since it looked.
    type: str
"""

    # For modules that read only, and for those that act on no workload or route.
    UNUSED = r"""
options:
  run_id:
    description: Not used here. It is accepted so that one set of defaults serves every module of the group.
    type: str
"""
