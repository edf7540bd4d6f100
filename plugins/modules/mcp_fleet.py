#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_fleet
short_description: Note how the servers of a fleet are, and announce how their release ended
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Works on the fleet that C(bluegreen.yml) has made of the servers of a play. It fails anywhere else. The role
    P(mcp.server.fleet#role) calls it.
  - How each server is lives in the memory of the play's process. All tasks of the play see it, and it is gone with the
    play.
  - It knows no cluster.
extends_documentation_fragment:
  - mcp.server.attributes
  - mcp.server.webhooks
attributes:
  check_mode:
    support: partial
    details: Nothing is announced, and the file is not written.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: Each O(state=concluded) announces.
options:
  state:
    description:
      - V(planned) shows the waves.
      - V(begun), V(released_before), V(failed), V(taken_back) and V(not_taken_back) note this of the server. V(failed)
        counts for the stop of the fleet.
      - V(concluded) shows all servers, writes them to O(dest) and O(report_dest), and announces the outcome.
      - V(judged) fails when the server has not the version.
    type: str
    choices: [planned, begun, released_before, failed, taken_back, not_taken_back, concluded, judged]
    required: true
  reason:
    description: Why, with V(failed) and V(not_taken_back).
    type: str
    default: ""
  version:
    description: The version that is released, for the announcement.
    type: str
    default: ""
  timeout:
    description: Seconds for all webhooks together, with their repetitions.
    type: float
    default: 6.0
  escalation:
    description: Whom to call when a server has not the version, as in M(mcp.server.mcp_announce).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Who it is.
        type: str
        required: true
      contact:
        description: How to reach them.
        type: str
      when:
        description: When they are called, in words.
        type: str
      kind:
        description: The kind of failure that they are called for.
        type: str
        choices: [deployment, application, business, customer]
  dest:
    description: File for the outcome of all servers as JSON.
    type: path
  report_dest:
    description: Where the report of the fleet goes, an HTML file or a folder. In a folder, time and version name it.
    type: path
seealso:
  - module: mcp.server.mcp_announce
"""

EXAMPLES = r"""
# In a playbook that runs after the waves of bluegreen.yml
- name: Announce how the release of the fleet ended
  mcp.server.mcp_fleet:
    state: concluded
    version: v1.2.0
    webhooks:
      - url_env: MCP_WEBHOOK
"""

RETURN = r"""
announcement:
  description: What is announced, as M(mcp.server.mcp_announce) has it; C(fleet) has a row for each server.
  returned: with O(state=concluded)
  type: dict
delivered:
  description: To how many webhooks it was delivered.
  returned: with O(state=concluded)
  type: int
report:
  description: The path of the report; empty when none was written.
  returned: with O(state=concluded)
  type: str
  sample: /srv/reports/fleet-2026-11-28T095403.120Z-v1.2.0.html
lines:
  description: The table of all servers.
  returned: with O(state=concluded)
  type: list
  elements: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_fleet import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
