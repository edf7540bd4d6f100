#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_validate
short_description: Validate an MCP server after a release
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Makes all O(checks), also when one fails, and fails at the end if one of them does. Each has a verdict of its own in
    RV(checks).
  - C(health) - the health document says that the server is healthy, and its timestamp is that of the answer. Without
    O(health_checks), words such as HEALTHY, OK and UP are good, and such as UNHEALTHY, DOWN and FAIL are bad; any other
    one is V(cannot_measure).
  - C(mcp) - a whole MCP handshake, and a list of the tools, at O(endpoint).
  - C(metrics) - the counter of requests rises by what was sent, in Prometheus (O(prometheus), for each
    O(prometheus.source) that counts requests), or in the pods (O(metrics)). It waits for up to three scrapes.
  - C(distribution) - requests on new connections reach each ready pod. A pod fails it when it gets less than half of
    its share or more than twice as much, and the probability of that by chance is below one in a million. So at least
    21 requests are sent for two pods, and 153 for ten, but never more than 400. Pods are told apart by C(instance_id)
    in the health document, or by the counter of each pod.
  - C(latency), C(throughput) - the gates of the set C(validation) of M(mcp.server.mcp_gate), by the live traffic.
    What cannot be told by it is a warning. Fewer requests than the gate demands are V(cannot_measure), unless O(gates)
    has a limit for C(throughput).
  - Its own requests are few, at most four at once. A server that keeps sessions gets one new session a second, and
    at most ten.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.server
  - mcp.server.auth
  - mcp.server.prometheus
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
requirements:
  - jmespath (Python), unless O(health_checks) is empty
options:
  endpoint:
    required: true
  checks:
    description: Which checks are made. By default all of them.
    type: list
    elements: str
    choices: [health, mcp, metrics, distribution, latency, throughput]
    default: [health, mcp, metrics, distribution, latency, throughput]
  pool:
    description: The pool that has the traffic. By default those that the route gives some, as it is read.
    type: str
    choices: [blue, green]
  era:
    description: The era of MCP that is spoken, as in M(mcp.server.mcp_health).
    type: str
    choices: [auto, modern, legacy, sse]
    default: auto
  expect_version:
    description: The version that the health document has to report, as in M(mcp.server.mcp_health). By default any.
    type: str
  compare_version:
    description: Where O(expect_version) has to be reported, as in M(mcp.server.mcp_health).
    type: list
    elements: str
    choices: [health, server_info]
  health_max_age:
    description:
      - Seconds that the C(timestamp) in the health document may be old. It fails with an older one, or none.
      - Without this option nobody has said that this is the time of the answer, and one that is older than 300 s is
        V(cannot_measure).
    type: float
  metrics:
    description: The counter of requests that each pod exports. It is read through the API server.
    type: dict
    suboptions:
      counter:
        description: Its name. Of its samples with several labels the sum counts.
        type: str
        default: mcp_server_requests_total
      port:
        description: The port of the pods.
        type: int
        default: 9090
      path:
        description: The path.
        type: str
        default: /metrics
  requests:
    description: How many requests are sent at least, to see the counter rise and how they are spread; from 1 to 400.
    type: int
    default: 20
  seconds:
    description: How many seconds of live traffic C(latency) and C(throughput) are judged by.
    type: float
    default: 300.0
  gates:
    description: Changes of the gates C(latency) (0.3 s) and C(throughput) (1000 requests a second), as in
      M(mcp.server.mcp_gate).
    type: dict
    default: {}
seealso:
  - module: mcp.server.mcp_verdict
  - module: mcp.server.mcp_gate
"""

EXAMPLES = r"""
- name: Validate the server after its release
  mcp.server.mcp_validate:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp.example.com
    health_path: /health
    health_checks: ["status == 'HEALTHY'"]
    prometheus:
      url: https://prometheus.example.com
      token_env: PROMETHEUS_TOKEN

- name: Check whether the pods count what they answer, without a Prometheus
  mcp.server.mcp_validate:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp.example.com
    checks: [metrics, distribution]
    metrics:
      counter: http_requests_total
      port: 8080
"""

RETURN = r"""
checks:
  description: The results, in the order of O(checks)'s choices.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: What was checked, for programs.
      type: str
      sample: distribution
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) or V(cannot_measure).
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    skipped:
      description: Whether it was not made.
      type: bool
    required:
      description: Whether the play fails by it.
      type: bool
    message:
      description: What was found; of a failure also what to do.
      type: str
    seconds:
      description: How long it took.
      type: float
instances:
  description: How many requests each instance got, by name. Empty where that was not checked.
  returned: always
  type: dict
  sample: {mcp-server-green-5c9f7-2xk4d: 14, mcp-server-green-5c9f7-9vw7q: 13}
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_validate import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
