#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_load_test
short_description: Send a load of MCP requests to a server, and judge what it answers
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Sends requests at an even rate to O(endpoint) by a load tool of yours, and judges the part that fails, the 95th
    percentile of the latencies, and how many good answers a second come.
  - The tool is C(vegeta), which repeats one MCP request of the server's era, or C(k6) with a script of yours. Neither
    is part of this collection. Where there is none, the verdict is V(cannot_measure).
  - First the load generator itself is measured for two seconds, against a server on this machine that repeats one
    answer. When it can't send the load, nothing is sent to the server, and the verdict is V(cannot_measure).
  - A request fails when its HTTP status is not 200, when its answer is a JSON-RPC error, and when a tool says that it
    failed (C(isError)). Of an answer of more than 64 KiB (4 KiB where most are long) only status and beginning count.
  - On a server that keeps sessions, O(sessions) are opened before, share the requests, and are ended after, also when
    this task fails or is interrupted. When it is killed, the tool ends too, and the server ends the sessions in its own
    time.
  - The load goes to O(endpoint) only, without redirects and proxies, at most 300,000 requests. Credentials are in no
    command line and in no output.
  - All checks are made, also when one fails. The task fails at the end when one of RV(checks) is not ok.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.server
  - mcp.server.auth
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: Nothing is sent.
  diff_mode:
    support: N/A
    details: This module changes nothing.
  idempotent:
    support: full
    details: This module changes nothing, but for what the called tool of the server does.
options:
  namespace:
    description: The namespace of the Secrets that O(auth) names. It is needed for these only.
    type: str
    required: false
  server:
    description: Name of the MCP server. It is not used here.
    type: str
    required: false
  era:
    description: How to address the server, as in M(mcp.server.mcp_health). A server of both eras gets the load in the
      modern one; V(legacy) sends what most clients send today. V(sse) needs a script for C(k6).
    type: str
    choices: [auto, modern, legacy, sse]
    default: auto
  limits:
    description:
      - Where other limits and O(enabled) are not given, those of the guide for this environment.
      - Of V(staging), the load is sent, and fewer than 2 % of the requests may fail, with a p95 below 200 ms.
      - Of V(production), the load is sent only with O(enabled=true), and fewer than 2 % of the requests may fail, with
        a p95 below 300 ms, at more than 1000 good answers a second.
    type: str
    choices: [staging, production]
    default: staging
  enabled:
    description: Whether the load is sent. Otherwise the only check is skipped.
    type: bool
  tool:
    description: What sends the load. V(auto) is V(k6) where O(script) is given, and V(vegeta) otherwise.
    type: str
    choices: [auto, vegeta, k6]
    default: auto
  tool_path:
    description: The tool's executable, where it is not on C(PATH).
    type: path
  script:
    description:
      - A script of yours for C(k6), which gets C(ENDPOINT) (the value of O(endpoint.url)), C(MCP_URL) (with
        O(endpoint.mcp_path)) and C(MCP_HOST) (the C(Host) header) by C(--env). It brings its own rate and credentials.
      - Every exit code of C(k6) but 0 fails, and so does a threshold that is on a metric without samples.
    type: path
  request:
    description:
      - The tool of the server that each request calls. Once before the load it must answer without an error.
      - Without it, each request is C(tools/list), or C(ping) where the server refuses that.
    type: dict
    suboptions:
      tool:
        description: Its name.
        type: str
        required: true
      arguments:
        description: Its arguments. They are the same in all requests.
        type: dict
        default: {}
  rate:
    description: Requests a second, from 1 to 10,000. The default is 50, or 1.25 times O(min_throughput). Not for C(k6).
    type: float
  duration:
    description: Seconds for which the load is sent, at most 600. With O(rate), at least 100 requests. Not for C(k6).
    type: int
    default: 10
  sessions:
    description: Sessions that are opened on a server that keeps them, at most 20. Not for C(k6).
    type: int
    default: 5
  answer_timeout:
    description: Seconds after which a request that is not answered has failed. Not for C(k6).
    type: float
    default: 10.0
  max_error_percent:
    description: The check fails when this part of the requests fails, or more.
    type: float
  max_p95_ms:
    description: The check fails when the 95th percentile of the latencies is this many milliseconds, or more.
    type: float
  min_throughput:
    description: The check fails when no more good answers a second than this come.
    type: float
requirements:
  - vegeta 12, or k6 0.26 or newer, where the module runs
seealso:
  - module: mcp.server.mcp_health
  - module: mcp.server.mcp_verdict
"""

EXAMPLES = r"""
- name: Send 50 requests a second for 10 s, with the limits of staging
  mcp.server.mcp_load_test:
    endpoint:
      url: https://mcp-staging.example.com

- name: Call a tool of the server a thousand times a second
  mcp.server.mcp_load_test:
    limits: production
    enabled: true
    endpoint:
      url: https://mcp.example.com
    auth:
      token_env: MCP_TOKEN
    request:
      tool: search_inventory
      arguments: {text: bolt}

- name: Run a script for k6
  mcp.server.mcp_load_test:
    endpoint:
      url: https://mcp-staging.example.com
    script: load-tests/basic-flow.js
"""

RETURN = r"""
checks:
  description: The checks. Without a load there is one of the id C(load), which is skipped.
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description: What was looked at, for programs - C(load_generator), C(load_errors), C(load_p95),
        C(load_throughput), and C(load_thresholds) of a script for C(k6).
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped), or V(cannot_measure) where the generator is the limit, or there is
        none.
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    required:
      description: Whether the module fails when it is not ok.
      type: bool
    skipped:
      description: Whether it was skipped.
      type: bool
    message:
      description: What was found, and what to do.
      type: str
    seconds:
      description: How long it took. One load is for all of them, and its time is that of C(load_errors).
      type: float
  sample:
    - id: load_p95
      name: load p95
      verdict: passed
      ok: true
      required: true
      skipped: false
      message: The p95 of the latency is 46 ms; the limit is 200 ms.
      seconds: 0.0
load:
  description: The figures. Empty when no load was sent.
  returned: always, once the options were found right
  type: dict
  contains:
    tool:
      description: What sent the load.
      type: str
    planned_rate:
      description: Requests a second that were planned.
      type: int
    seconds:
      description: Seconds that were planned.
      type: int
    era:
      description: How the server was addressed.
      type: str
    session_mode:
      description: V(modern), V(stateless) or V(stateful).
      type: str
    sessions:
      description: Sessions that were opened for the load.
      type: int
    method:
      description: The method of each request.
      type: str
    generator:
      description: What the generator reached on this machine (C(rate), requests a second), with the latency C(p95_ms).
      type: dict
    sent:
      description: Requests that were sent.
      type: int
    failed:
      description: Those of them that failed.
      type: int
    error_percent:
      description: The same in percent.
      type: float
    p95_ms:
      description: The 95th percentile of the latencies of all requests, in milliseconds.
      type: float
    throughput:
      description: Good answers a second.
      type: float
    problems:
      description: How often requests failed, by reason.
      type: dict
    unread:
      description: Answers of which only status and beginning were judged.
      type: int
    exit_code:
      description: Of C(k6).
      type: int
  sample:
    tool: vegeta
    planned_rate: 50
    sent: 500
    failed: 0
    p95_ms: 45.77
    throughput: 50.1
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_load_test import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
