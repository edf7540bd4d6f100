#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_flow_check
short_description: Run checks of a server now, each with a verdict
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - Runs the critical flows of a server, in the form of a release's checks - a call of a tool with an expression on its
    result, an HTTP request, a command in a pod, or a script of yours with its exit code and output.
  - All of them run, one after the other, also when one fails. The module fails at the end, with the sentence of each
    that failed.
  - A check that cannot work (an empty command, an invalid expression) fails, and the others run.
extends_documentation_fragment:
  - mcp.server.checks
  - mcp.server.auth
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: No check is made; each is skipped.
  diff_mode:
    support: N/A
    details: It changes nothing itself; what the checks do is yours.
  idempotent:
    support: full
    details: It changes nothing itself; what the checks do is yours.
options:
  checks:
    description:
      - The checks that run one after the other. Each is a result of its own.
      - Each has exactly one of O(checks[].mcp), O(checks[].http), O(checks[].pod) and O(checks[].command).
      - C(docs/checks.md) in the collection has examples.
  check_id:
    description: How the ids of the results begin; the check's number follows.
    type: str
    default: flow
  endpoint:
    description: Where O(checks[].mcp) calls. Without it, a ready pod is asked through the API server.
  era:
    description: The era of the handshake; V(auto) finds it.
    type: str
    choices: [auto, modern, legacy, sse]
    default: auto
  pool:
    description: The pool whose pods are asked. By default the live one, which is looked up when a check needs it.
    type: str
    choices: [blue, green]
  workload:
    description:
      - The workload of a server without pools, such as the one in a staging namespace - the name of a Deployment, or
        C(deployment) or C(stateful_set), and C(service).
      - Without it, the server has pools.
    type: raw
  version:
    description: The version that should run, for C(MCP_VERSION) of O(checks[].command).
    type: str
seealso:
  - module: mcp.server.mcp_traffic_shift
  - module: mcp.server.mcp_health
"""

EXAMPLES = r"""
- name: Make the critical flows
  mcp.server.mcp_flow_check:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp-prod.example.com
    checks:
      - name: the forecast works
        mcp:
          tool: forecast
          arguments: {region: eu}
          expect: length(structuredContent.days) > `0`
      - name: acceptance tests
        timeout: 120
        command:
          argv: [./scripts/validate-mcp-operations.sh, production]
"""

RETURN = r"""
checks:
  description: The results, in the order of O(checks).
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description: O(check_id) and the check's number, such as C(flow_1).
      type: str
    name:
      description: The check's name.
      type: str
    kind:
      description: V(mcp), V(http), V(pod) or V(command).
      type: str
    verdict:
      description: V(passed), V(failed), or V(skipped) in check mode.
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    skipped:
      description: Whether it was not made.
      type: bool
    required:
      description: Always true.
      type: bool
    message:
      description: What was found; of a failure also why, with the exit code of a command.
      type: str
    output:
      description: The end of what its command wrote.
      type: str
    seconds:
      description: How long it took.
      type: float
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_flow_check import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
