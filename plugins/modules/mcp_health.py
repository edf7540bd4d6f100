#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_health
short_description: Check that MCP servers are healthy
version_added: 1.0.0
description:
  - Speaks MCP (Model Context Protocol) with one or more servers as a client does, and asks for their O(health_path), if
    there is one, then fails unless all of them are healthy.
  - Speaks the five revisions of the protocol from 2024-11-05 to 2026-07-28, over Streamable HTTP and over HTTP+SSE, and
    finds out by itself which of them a server speaks.
  - At most one session is open at a time, and every session that a server opens for the check is ended, also when the
    check fails.
  - Pods are reached through the Kubernetes API, without C(kubectl) and without a route to their addresses.
author:
  - the mcp.server authors (@mcp-server)
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.probe
  - mcp.server.server
  - mcp.server.auth
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
requirements:
  - jmespath (Python), unless O(health_checks) is empty and O(calls) asserts nothing
options:
  expect_version:
    description:
      - The version that the health document has to say, or C(serverInfo) where there is none
        (RV(servers[].version_compared)). There it often is that of the MCP library. A leading C(v) makes no difference.
      - O(compare_version) names one of both, or both.
    type: str
  compare_version:
    description:
      - Where it has to report O(expect_version) - in its health document (V(health)), in MCP's C(serverInfo)
        (V(server_info)), or in both. With an empty list it is not compared.
    type: list
    elements: str
    choices: [health, server_info]
  mcp:
    description: Whether to speak MCP with the server. Otherwise only its O(health_path) is asked for.
    type: bool
    default: true
  ping:
    description: Whether the server has to answer a ping, in the era that has it (V(legacy)).
    type: bool
    default: false
  lists:
    description:
      - What to list, of all pages, as far as the server says that it has such things.
      - The default keeps a check of a modern server, with its health document, at four requests, or five when it gives
        sessions to legacy clients. M(mcp.server.mcp_contract) reads everything.
    type: list
    elements: str
    choices:
      - tools
      - prompts
      - resources
      - resource_templates
    default:
      - tools
  calls:
    description:
      - Tools to call, to see whether they work. Take some that only read.
      - A result that says C(isError) is a failure, although it comes as an HTTP 200. So is a tool that the server does
        not list.
    type: list
    elements: dict
    default: []
    suboptions:
      tool:
        description: The name of the tool.
        type: str
        required: true
      arguments:
        description: What to call it with.
        type: dict
        default: {}
      that:
        description:
          - JMESPath expressions on the result (C(content), C(structuredContent)). All of them have to give V(true).
        type: list
        elements: str
        default: []
  stability:
    description:
      - Ask again and again, in the same session, once all else went well. The question is the first list that the
        server has.
      - A modern server that gives legacy clients sessions, as O(era=auto) finds out, is asked in one of those too, and
        RV(servers[].stability) is of that.
    type: dict
    suboptions:
      rounds:
        description: How many answers in a row have to be good.
        type: int
        required: true
      max_p95:
        description: The most seconds that 95 % of the answers may take.
        type: float
  wait_timeout:
    description: Seconds to go on trying until all servers are healthy. The last check may end later by O(timeout).
    type: float
    default: 0.0
"""

EXAMPLES = r"""
- name: Check the server behind its public address
  mcp.server.mcp_health:
    endpoint:
      url: https://mcp.example.com

- name: Check the gateway by its address, before DNS points there
  mcp.server.mcp_health:
    endpoint:
      url: https://192.0.2.7
      host: mcp.example.com
      ca_cert: /etc/ssl/example-ca.pem

- name: Wait until every pod of the new version is healthy and reports it
  mcp.server.mcp_health:
    namespace: mcp
    server: weather
    pool: green
    endpoint:
      url: https://mcp.example.com
    expect_version: v1.2.0
    wait_timeout: 120

- name: Check a pod, also by its health path
  mcp.server.mcp_health:
    namespace: mcp
    service: weather-blue
    health_path: /healthz

- name: Call a tool, and check that twenty lists in one session succeed quickly
  mcp.server.mcp_health:
    endpoint:
      url: https://mcp.example.com
    calls:
      - tool: forecast
        arguments:
          city: Bern
        that:
          - structuredContent.days | length(@) > `0`
    stability:
      rounds: 20
      max_p95: 0.3

- name: Show a token, which is in a Secret beside the server
  mcp.server.mcp_health:
    namespace: mcp
    service: weather-blue
    auth:
      token_secret:
        name: weather-probe

- name: Show an API key, which is in the environment, beside the token
  mcp.server.mcp_health:
    endpoint:
      url: https://mcp.example.com
    auth:
      token_file: /run/secrets/weather-token
      headers:
        X-API-Key:
          env: WEATHER_KEY

- name: Show a user name, with a password that is in a Secret
  mcp.server.mcp_health:
    namespace: mcp
    service: weather-blue
    auth:
      username: probe
      password_secret:
        name: weather-probe

- name: Check pods that speak TLS, with a certificate of an internal CA
  mcp.server.mcp_health:
    namespace: mcp
    server: weather
    pool: green
    endpoint:
      url: https://mcp.example.com
      pods:
        scheme: https
        server_name: weather.internal
        ca_cert: /etc/ssl/internal-ca.pem

- name: Check that the server requires a token, and tells clients where to get one
  mcp.server.mcp_health:
    endpoint:
      url: https://mcp.example.com
    auth:
      expect_401: true

- name: Assert more about the health document, and leave MCP out
  mcp.server.mcp_health:
    namespace: mcp
    pod: weather-green-5d9c7b-x2x9z
    health_path: /health
    health_checks:
      - status == 'HEALTHY'
      - contains(['1.1.5', '1.2.0'], version)
    mcp: false
"""

RETURN = r"""
healthy:
  description: Whether all servers are healthy.
  returned: when servers were asked
  type: bool
  sample: true
seconds:
  description: How long it took, RV(servers) and waiting together.
  returned: when servers were asked
  type: float
  sample: 0.041
host_notes:
  description: A sentence for each pool, Service or pod that refuses the public C(Host) over the port-forward and was
    asked under another one, see O(endpoint.pods.host). Each is a line of progress, too.
  returned: when servers were asked
  type: list
  elements: str
  sample:
    - 'Pool green refuses the Host mcp.example.com over the port-forward (403 Forbidden: invalid Host header
      "mcp.example.com") and is asked as localhost:8080. If it refuses that Host to clients too, allow it in the
      server''s settings.'
servers:
  description: What each server answered, on failure too. What was not reached or not asked is V(null).
  returned: when servers were asked
  type: list
  elements: dict
  contains:
    target:
      description: The URL, or C(pod) with namespace and name.
      type: str
      sample: pod mcp/weather-green-5d9c7b-x2x9z
    healthy:
      description: Whether this server is healthy.
      type: bool
    reason:
      description: What is wrong with it, in one sentence, with the likely cure.
      type: str
      sample: GET /health returned 503 (starting)
    level:
      description: The level that failed, one of those in RV(servers[].levels).
      type: str
      sample: health
    health:
      description: What O(health_path) answered, when that is a JSON object of at most 16 KiB.
      type: dict
      sample: {"status": "HEALTHY", "version": "1.2.0", "instance_id": "weather-green-5d9c7b-x2x9z", "pool": "green"}
    version:
      description: The version in the health document.
      type: str
      sample: 1.2.0
    version_compared:
      description: What O(expect_version) was compared with, V(health) (the health document) or V(server_info).
      type: str
    instance_id:
      description: The instance in the health document.
      type: str
    pool:
      description: The pool in the health document, by O(pool_key).
      type: str
    era:
      description: V(modern) when the server was asked by C(server/discover), V(legacy) when by C(initialize).
      type: str
    session_mode:
      description:
        - V(stateful) when legacy clients get sessions, which bind them to one pod.
        - V(stateless) when they are served without.
        - V(sse) when they are served over HTTP+SSE, where the stream is the session.
        - V(modern) when the server serves modern clients only, who have none, or with O(era=modern), which does not
          look further.
        - So a server of RV(servers[].era=modern) that is V(stateful) or V(stateless) serves both.
      type: str
    session_mark:
      description: The pool with whose name the session's id begins (V(blue) for C(blue-...)), or V(null).
        C(docs/sessions.md) tells what for.
      type: str
    protocol_version:
      description: The protocol revision that was agreed on.
      type: str
      sample: "2026-07-28"
    server_info:
      description: What the server calls itself. The version there is often that of its MCP library.
      type: dict
      sample: {"name": "weather", "version": "1.2.0"}
    capabilities:
      description: What the server can do.
      type: dict
    tools:
      description: The names of its tools, of all pages of the list.
      type: list
      elements: str
      sample: [forecast, stations]
    prompts:
      description: The names of its prompts, with O(lists).
      type: list
      elements: str
    resources:
      description: The URIs of its resources, with O(lists).
      type: list
      elements: str
    resource_templates:
      description: The URI templates of its resources, with O(lists).
      type: list
      elements: str
    stability:
      description: How many answers were good, and the median, the 95th percentile and the longest of their seconds.
      type: dict
      sample: {"rounds": 20, "p50": 0.004, "p95": 0.006, "max": 0.011}
    authorization_servers:
      description: Who gives tokens for the server, with O(auth.expect_401).
      type: list
      elements: str
      sample: [https://login.example.com]
    host:
      description: The C(Host) header of the last request, see O(endpoint.pods.host).
      type: str
      sample: mcp.example.com
    requests:
      description: How many HTTP requests the check of this server took.
      type: int
      sample: 4
    seconds:
      description: How long the check of this server took.
      type: float
    levels:
      description:
        - For V(transport), V(health), V(handshake), V(list), V(call) and V(stability) whether all their steps went well
          (C(ok)) and how long they took (C(seconds)), or V(null) for a level that was not reached or not asked for.
      type: dict
      sample: {"transport": {"ok": true, "seconds": 0.001}, "health": null, "handshake": {"ok": false, "seconds":
        0.012}}
    steps:
      description: The steps of the check.
      type: list
      elements: dict
      contains:
        level:
          description: One of those in RV(servers[].levels), or V(end) for a session that is ended.
          type: str
        name:
          description: What was done.
          type: str
          sample: tools/list
        ok:
          description: Whether that went well. A session that could not be ended does not make the server unhealthy.
          type: bool
        seconds:
          description: How long it took.
          type: float
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_health import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
