#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_guide_stamp
short_description: Note which checks of the guide passed and when, and say which are overdue
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Takes the results of the parts of C(validate_guide.yml), and makes of them one result for each item of the
    deployment guide. Day and result of each stand in the annotation C(mcp.server/last-guide) of the release record.
  - An item that was not checked now warns when it never was, did not pass the last time, or was checked longer ago than
    it may be. That is a month for commands, and a quarter for what is reviewed with the guide.
  - One item is the quarterly review of the guide itself. It warns when the review that this collection has is older.
  - Without O(results) it reads what was noted, and changes nothing.
  - It fails at the end with the sentence of each failed check.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run notes another time.
options:
  allowed:
    description: Whether this server is there for it, as staging servers are. Others are refused.
    type: bool
    default: false
  results:
    description: The results by part (C(preflight), C(validate), C(break_glass) and so on), each a list as C(checks) of
      M(mcp.server.mcp_verdict).
    type: dict
  escalation:
    description: Whom to call, as C(escalation) in M(mcp.server.mcp_announce). One of the items is that somebody is
      named.
    type: list
    elements: dict
    default: []
notes:
  - Times are the API server's.
seealso:
  - module: mcp.server.mcp_verdict
"""

EXAMPLES = r"""
- name: Record day and result of what was checked
  mcp.server.mcp_guide_stamp:
    namespace: mcp-staging
    server: mcp-server
    allowed: true
    results:
      preflight: "{{ found | mcp.server.check_results('preflight', 'pre-flight') }}"

- name: Read what is overdue
  mcp.server.mcp_guide_stamp:
    namespace: mcp-staging
    server: mcp-server
    allowed: true
  register: guide
"""

RETURN = r"""
checks:
  description: A result for each item of the guide, in its order.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The item, for programs.
      type: str
    name:
      description: The guide's heading, and what the item is about.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) or V(cannot_measure).
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    skipped:
      description: Whether it was not checked now.
      type: bool
    required:
      description: Whether the play fails by it. What is overdue only warns.
      type: bool
    message:
      description: What was found; of a failure also what to do.
      type: str
    seconds:
      description: How long its checks took.
      type: float
overdue:
  description: The items that are to be checked again, or passed no check.
  returned: always
  type: list
  elements: str
stamps:
  description: When each item was checked last, and with what verdict, by its id.
  returned: always
  type: dict
  sample: {"nodes": {"at": "2026-11-28T02:00:00Z", "verdict": "passed"}}
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_guide_stamp import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
