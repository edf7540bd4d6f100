# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_modules/ending_options.py, without those of the fragment gitops
    DOCUMENTATION = r"""
options:
  failed_replicas:
    description: Replicas of the bad pool after a rollback.
    type: int
    default: 0
  rollback_retry_timeout:
    description: Seconds that a rollback waits for an API server that does not answer. It takes the place of
      O(api_retry_timeout), which may be shorter.
    type: float
    default: 600.0
  rollback_timeout:
    description: Seconds within which the traffic must follow a rollback.
    type: float
    default: 120.0
  start_timeout:
    description: Seconds that half of the good pool may take to get ready in a rollback, when it has no ready endpoint.
    type: float
    default: 300.0
  ready_grace:
    description: As in M(mcp.server.mcp_rollout), for this wait.
    type: float
    default: 30.0
  verify_seconds:
    description:
      - Seconds since the weights were written for which a rollback reads the route every 2 s, at least once, in case
        another client reverts them. Each time, the weights are written again and the seconds start again, for at most 3
        minutes; then it fails and names who does it.
      - With V(0) it looks once, writes nothing again, and fails when it was undone.
      - After a release or watch that somebody overwrote it is V(0), whatever is set, so that nobody is fought.
    type: float
    default: 30.0
  silence:
    description: The options of M(mcp.server.mcp_silence) that the server's alerts are silenced by; the silence ends
      with the task.
    type: dict
  announce:
    description: The options C(webhooks) and C(escalation) of M(mcp.server.mcp_announce), for the end. Whom to call is
      also shown.
    type: dict
  report:
    description: The options C(dest) and C(prometheus) of M(mcp.server.mcp_report). Without it no report is written.
    type: dict
"""
