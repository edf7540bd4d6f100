#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_watch
short_description: Watch the requests and the metrics of an MCP server for a while
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Asks the server through the gateway at a steady rate, on kept and on new connections, and reads the server's metrics
    out of Prometheus, if there is one. It shows a line every 5 seconds.
  - With O(health_path) that path is asked, else the cheapest MCP request that the server answers is sent
    (C(docs/mcp.md)). A server that keeps sessions is sent one a second, so that a burst of errors is seen later; the
    watch says so.
  - It fails as soon as a trigger is breached. At the end of O(seconds) everything has to pass. It waits for gates that
    are inconclusive, at most O(inconclusive_timeout), and then fails too, with RV(inconclusive), so that nothing is
    rolled back for it.
  - With O(namespace), O(server) and O(pool) it also reads the route and the pools' workloads and autoscalers every 3 s.
    When another client changes the weights or an image, it fails and names it, by C(managedFields). With O(rollback)
    it gives all traffic back to the stable pool then, once, and scales nothing. Fewer pods, or a lower C(minReplicas),
    are a warning. An API server that is slow or does not answer does not delay the watch.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.prometheus
  - mcp.server.run_id
  - mcp.server.ending
  - mcp.server.gitops
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: In check mode nothing is watched.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Without O(rollback) nothing is changed; a rollback that is done changes nothing the second time.
options:
  namespace:
    description: Namespace of the server. Required with O(run_id) and O(prometheus).
    required: false
  server:
    description: Name of the MCP server. Required with O(run_id) and O(prometheus).
    required: false
  endpoint:
    required: true
  seconds:
    description: How long to watch.
    type: float
    required: true
  rate:
    description: Requests a second that it sends itself, at most. A server that keeps sessions gets one a second.
    type: float
    default: 20.0
  max_failed_percent:
    description: How many percent of these answers may fail, over the whole time. With O(prometheus) more of them are
      inconclusive, as they don't tell the pool.
    type: float
    default: 1.0
  min_requests:
    description: Fewer requests than these are inconclusive, and waited for.
    type: int
    default: 20
  label:
    description: A text before each line of progress.
    type: str
    default: ""
  pool:
    description: The pool that is judged. Required with O(prometheus).
    type: str
    choices: [blue, green]
  weight:
    description: Percent of the traffic that O(pool) has. Answers that failed don't tell whose they are, so they are
      held against this part of all.
    type: int
    default: 100
  checks:
    description: What is judged, the triggers all the time (V(triggers)) and the gates of a step at the end (V(shift)).
    type: list
    elements: str
    choices: [shift, triggers]
    default: [shift, triggers]
  gates:
    description: Changes of the gates of a step, by name, and gates of your own, as in M(mcp.server.mcp_gate).
    type: dict
    default: {}
  triggers:
    description:
      - Changes of the triggers, likewise.
      - The trigger C(error_burst) is judged by the answers that the watch gets itself too, and C(errors) by them where
        there is no O(prometheus).
    type: dict
    default: {}
  since:
    description:
      - When the release began, in ISO 8601. A trigger that was breached after that is breached, also when this watch
        did not run then.
      - Without it only what is past its limit while it watches counts.
    type: str
  other_backends:
    description:
      - Whether the route has other backends than the pools. Answers that name no pool do not count then, unless their
        status is 500 or more. So the route has to set O(pool_header), or the health document to name the pool.
      - Without it, this is read from the route, with O(namespace), O(server) and O(pool).
    type: bool
  inconclusive_timeout:
    description: Seconds after O(seconds) in which what is inconclusive may still pass.
    type: float
    default: 600.0
  rollback:
    description:
      - Whether a breach returns the traffic to the pool that was live before, as
        O(mcp.server.mcp_traffic_shift#module:rollback) does, and scales the bad pool to O(failed_replicas). The task
        does that itself, waits for no other host of the play, and fails afterwards.
      - Needs O(namespace) and O(server). In check mode nothing is watched and nothing is returned.
    type: bool
    default: false
  poll_interval:
    description: Seconds between two polls of Prometheus; 2 while a trigger is above its limit.
    type: float
    default: 5.0
"""

EXAMPLES = r"""
- name: Watch for five minutes
  mcp.server.mcp_watch:
    endpoint:
      url: https://mcp-prod.example.com
    seconds: 300

- name: Watch a pool with a tenth of the traffic, with its metrics, and a stricter trigger
  mcp.server.mcp_watch:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp-prod.example.com
    seconds: 300
    pool: green
    weight: 10
    prometheus:
      url: https://prometheus.example.com
      source: [envoy, app, kubelet]
    triggers:
      errors: {limit: 2, window: 60}

- name: Watch for an hour, and roll back on a breach
  mcp.server.mcp_watch:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp-prod.example.com
    seconds: 3600
    checks: [triggers]
    pool: green
    rollback: true
"""

RETURN = r"""
kind:
  description: The kind of the failure, see O(mcp.server.mcp_announce#module:kind). It says whom to call first.
  returned: on a breach that O(rollback) rolls back
  type: str
  sample: application
verdict:
  description: C(pass), C(breach) or C(inconclusive). In check mode it is C(no_data), without a failure.
  returned: always
  type: str
  sample: pass
inconclusive:
  description: Whether it ended because something could not be judged. That is no reason to roll back.
  returned: always
  type: bool
gates:
  description:
    - The newest verdict of each trigger and gate, as M(mcp.server.mcp_gate) returns them.
    - The gate C(synthetic_requests) judges the requests that the watch sends itself, by O(max_failed_percent).
  returned: always
  type: list
  elements: dict
requests:
  description: How many requests the watch made itself.
  returned: always
  type: int
failed_requests:
  description: How many of them failed.
  returned: always
  type: int
reason:
  description: Why the last answer that failed did; empty when none did.
  returned: always
  type: str
measured_by:
  description:
    - What the answers name their pool by, V(header) (O(pool_header)), V(health) (O(pool_key)) or V(server_info), the
      least trustworthy that occurred. V(null) when nothing names it, so that blue and green are unknown.
  returned: always
  type: str
  sample: header
unnamed:
  description: How many of the last 2000 answers are good and name no pool.
  returned: always
  type: int
blue:
  description: Percent of the last 2000 answers that came from blue, of those that name their pool.
  returned: always
  type: float
green:
  description: Percent of the last 2000 answers that came from green, likewise.
  returned: always
  type: float
p95:
  description: The time that 95 percent of the last 2000 answers did not exceed, in seconds.
  returned: always
  type: float
seconds:
  description: How long it watched.
  returned: always
  type: float
stats:
  description: The release for the jobs that follow, as M(mcp.server.mcp_announce) returns it.
  returned: with O(rollback), after a rollback
  type: dict
report:
  description: The file of the report.
  returned: with O(rollback) and O(report), after a rollback
  type: str
overwritten:
  description: What another client changed, as RV(mcp.server.mcp_traffic_shift#module:overwritten). The values above are
    missing then.
  returned: on failure, when that is why
  type: dict
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_watch import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
