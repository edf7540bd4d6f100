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
  - Asks one or more MCP (Model Context Protocol) servers for their health document and speaks MCP with them as a client does,
    then fails unless all of them are healthy.
  - Speaks Streamable HTTP. It finds out by itself whether a server is a modern one (revision 2026-07-28 of the protocol,
    C(server/discover)) or a legacy one (up to 2025-11-25, C(initialize)).
  - Every session that a server opens for the check is ended, also when the check fails.
  - Pods are reached through the Kubernetes API, without C(kubectl) and without a route to their addresses.
author:
  - the mcp.server authors (@mcp-server)
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
requirements:
  - jmespath (Python), unless O(health) is empty
options:
  endpoint:
    description:
      - The server's public address, and the paths that it serves.
      - Without O(pod), O(service) and O(pool) this address is checked, and O(endpoint.url) is required.
      - With one of them the pods are asked, in plain HTTP, for the paths given here and under the public address's C(Host),
        or C(localhost) when there is neither O(endpoint.url) nor O(endpoint.host).
  namespace:
    description: The namespace of the pods. Required with O(pod), O(service) and O(pool).
    type: str
  server:
    description: The MCP server's name, which is the value of its pods' label C(app). Required with O(pool).
    type: str
  pod:
    description: Check this pod.
    type: str
  service:
    description: Check one of the pods that are ready behind this Service.
    type: str
  pool:
    description:
      - Check every ready pod of this pool at once, which is the value of their label C(pool).
      - A pool without a ready pod is not healthy.
    type: str
  port:
    description: The port of the container, with O(pod), O(service) and O(pool).
    type: int
    default: 8080
  health:
    description:
      - JMESPath expressions on the health document. All of them have to give V(true).
      - The protocol defines no such document. For a server without one, set this to an empty list.
    type: list
    elements: str
    default:
      - status == 'HEALTHY'
  expect_version:
    description: The version that the health document has to say. A leading C(v) makes no difference.
    type: str
  mcp:
    description: Whether to speak MCP with the server. Otherwise only the health document is asked for.
    type: bool
    default: true
  era:
    description:
      - How to greet the server.
      - V(auto) finds out, and asks a modern server too whether it gives sessions to legacy clients.
      - V(modern) and V(legacy) send nothing of the other era. They save a request or two.
    type: str
    choices:
      - auto
      - modern
      - legacy
    default: auto
  timeout:
    description:
      - Seconds that the check of one server may take. A quarter of them, at most four, is kept for ending its session.
    type: float
    default: 30.0
  step_timeout:
    description: Seconds that each step of it may take.
    type: float
    default: 10.0
  wait:
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

- name: Wait until every pod of the new release is healthy and says the right version
  mcp.server.mcp_health:
    namespace: mcp
    server: weather
    pool: green
    endpoint:
      url: https://mcp.example.com
    expect_version: v1.2.0
    wait: 120

- name: Check a server that has no health document
  mcp.server.mcp_health:
    namespace: mcp
    service: weather-blue
    health: []

- name: Assert more about the health document, and leave MCP out
  mcp.server.mcp_health:
    namespace: mcp
    pod: weather-green-5d9c7b-x2x9z
    health:
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
      description: What is wrong with it.
      type: str
      sample: GET /health is answered 503 (starting)
    health:
      description: The health document.
      type: dict
      sample: {"status": "HEALTHY", "version": "1.2.0", "instance_id": "weather-green-5d9c7b-x2x9z", "pool": "green"}
    version:
      description: The version in RV(servers[].health).
      type: str
      sample: 1.2.0
    instance_id:
      description: The instance in RV(servers[].health).
      type: str
    pool:
      description: The pool in RV(servers[].health).
      type: str
    era:
      description: V(modern) when the server knows C(server/discover), else V(legacy).
      type: str
    session_mode:
      description:
        - V(stateful) when legacy clients get sessions, which bind them to one pod.
        - V(stateless) when they are served without.
        - V(modern) when the server serves modern clients only, who have none, or with O(era=modern), which does not look further.
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
    seconds:
      description: How long the check of this server took.
      type: float
    steps:
      description: The steps of the check. The last one that is not V(ok) is the one that RV(servers[].reason) is about.
      type: list
      elements: dict
      contains:
        level:
          description: One of V(transport), V(health), V(handshake), V(list) and V(end), the latter of a session.
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

from ansible_collections.mcp.server.plugins.module_utils._mcp.health_module import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
