#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_status_info
short_description: Read what is live of an MCP server, and show it as a table
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Reads the route, the release record, the Lease and the pods of both pools, and counts answers through the gateway.
  - It shows a table as the task runs, whatever the play's stdout callback and its result format are. A callback whose
    output is for programs, such as C(ansible.posix.json), has the table on stderr, and in RV(lines).
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.attributes
  - mcp.server.attributes.read_only
  - mcp.server.attributes.action_group
options:
  endpoint:
    required: true
  seconds:
    description: For how many seconds answers are counted, to measure the share of each pool; 0 to count none.
    type: float
    default: 2.0
  releases:
    description: How many of the newest releases are shown.
    type: int
    default: 5
seealso:
  - module: mcp.server.mcp_release_info
  - module: mcp.server.mcp_version_check
  - module: mcp.server.mcp_watch
"""

EXAMPLES = r"""
- name: Show what is live
  mcp.server.mcp_status_info:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp.example.com
"""

RETURN = r"""
lines:
  description: The table, line by line.
  returned: success
  type: list
  elements: str
  sample:
    - POOL         WEIGHT  ANSWERS  READY  VERSION  IMAGE
    - blue (live)  100 %   100.0 %  2/2    1.1.5    ghcr.io/org/mcp-server:v1.1.5
    - green        0 %     0.0 %    0/0    -        ghcr.io/org/mcp-server:v1.2.0
release:
  description: What M(mcp.server.mcp_release_info) returns.
  returned: success
  type: dict
pools:
  description: The key C(pools) of what M(mcp.server.mcp_version_check) returns.
  returned: success
  type: dict
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_status_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
