#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_watch
short_description: Watches for a while what clients of an MCP server get
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Asks for health documents through the gateway at a steady rate, on kept and on new connections, and shows a line every 5 seconds.
  - Fails as soon as more than O(max_failed_percent) of the answers failed, and when there were fewer than O(min_answers).
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.lock
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
options:
  namespace:
    description: Namespace of the server. Required with O(lock), and not used otherwise.
    type: str
  server:
    description: Name of the MCP server. Required with O(lock), and not used otherwise.
    type: str
  endpoint:
    required: true
  seconds:
    description: How long to watch.
    type: float
    required: true
  rate:
    description: Answers a second.
    type: float
    default: 20.0
  max_failed_percent:
    description: How many percent of the answers may fail.
    type: float
    default: 1.0
  min_answers:
    description: Fewer answers than these give no verdict but C(no data), which fails.
    type: int
    default: 20
  pool_key:
    description: The key of the health document that tells the pool.
    type: str
    default: pool
  label:
    description: A text before each line of progress.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Watch for five minutes
  mcp.server.mcp_watch:
    endpoint:
      url: https://mcp-prod.example.com
    seconds: 300
"""

RETURN = r"""
verdict:
  description: C(pass), C(breach) or C(no data). In check mode it is C(no data), without a failure.
  returned: always
  type: str
  sample: pass
answers:
  description: How many were asked for.
  returned: always
  type: int
failed:
  description: How many failed.
  returned: always
  type: int
reason:
  description: Why the last answer that failed did; empty when none did.
  returned: always
  type: str
blue:
  description: Percent of the answers that came from blue.
  returned: always
  type: float
green:
  description: Percent of the answers that came from green.
  returned: always
  type: float
p95:
  description: The time that 95 percent of the answers did not exceed, in seconds.
  returned: always
  type: float
seconds:
  description: How long it watched.
  returned: always
  type: float
"""

from ansible_collections.mcp.server.plugins.module_utils._task import main
from ansible_collections.mcp.server.plugins.module_utils._traffic.watch import SPEC, run

if __name__ == "__main__":
    main(SPEC, run)
