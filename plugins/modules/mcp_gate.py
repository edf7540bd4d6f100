#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_gate
short_description: Evaluate gates on a pool of an MCP server by its metrics
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Reads samples from Prometheus once, and gives a verdict for each gate. M(mcp.server.mcp_watch) does so again and
    again for a while.
  - A verdict is C(pass), C(breach), C(no_data) (nothing there, or too few requests to judge) or C(cannot_measure)
    (Prometheus does not answer, or does not see the server any more). With the last two the outcome is C(inconclusive),
    unless the gate says otherwise.
  - In check mode it never fails on a verdict, and shows the queries and what each of them gives now.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.prometheus
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
options:
  prometheus:
    required: true
  pool:
    description: The pool that is judged. Gates that compare take the other one as the live one.
    type: str
    required: true
    choices: [blue, green]
  checks:
    description:
      - Which sets of gates. Their limits are in C(docs/gates.md) in the collection.
      - V(triggers) are those whose breach takes a release back, V(shift) those that a step of a release is passed by,
        V(validation) what is expected under full load.
      - Of two gates with the same name, RV(gates[].window) tells the trigger from the gate of a step.
    type: list
    elements: str
    choices: [triggers, shift, validation]
    default: [triggers]
  gates:
    description:
      - Changes of these gates, by name, and gates of your own. Each is a dictionary. A change is one of each gate with
        that name.
      - C(limit), C(window) (seconds), C(clear), C(floor) (seconds), C(min_requests), C(no_data) and C(cannot_measure)
        (V(inconclusive), V(pass) or V(fail)), and C(enabled).
      - One of your own needs C(query), in PromQL with C($namespace), C($server), C($pool), C($deployment) (of that
        pool, or its StatefulSet), C($service) and C($pods) (a regular expression of the names of its pods), and
        C(limit); it may have C(direction) (V(above) or V(below)) and C(unit).
    type: dict
    default: {}
  seconds:
    description: What is judged at once, and not by a window, is judged over so many seconds until now.
    type: float
    default: 300.0
  fail_on:
    description: V(inconclusive) fails on everything that does not pass, V(breach) on a breach only.
    type: str
    choices: [breach, inconclusive, never]
    default: breach
"""

EXAMPLES = r"""
- name: Evaluate the triggers of the green pool
  mcp.server.mcp_gate:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    prometheus:
      url: https://prometheus.example.com
      token_env: PROMETHEUS_TOKEN

- name: Evaluate the guide's performance gates by Envoy's metrics, and the length of a queue
  mcp.server.mcp_gate:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    checks: [validation]
    fail_on: inconclusive
    prometheus:
      url: https://prometheus.example.com
      source: [envoy, kubelet]
    gates:
      throughput:
        limit: 200
      queue:
        query: max(queue_length{namespace="$namespace", pod=~"$pods"})
        limit: 100
"""

RETURN = r"""
verdict:
  description: What the gates come to together, C(pass), C(breach) or C(inconclusive).
  returned: always
  type: str
  sample: pass
at:
  description: When, in seconds since 1970 by Prometheus' clock; nothing when it never answered.
  returned: always
  type: float
gates:
  description: The verdict of each gate.
  returned: always
  type: list
  elements: dict
  contains:
    gate:
      description: Its name.
      type: str
    verdict:
      description: C(pass), C(breach), C(no_data) or C(cannot_measure).
      type: str
    outcome:
      description: What that comes to by the gate's policy, C(pass), C(breach) or C(inconclusive).
      type: str
    value:
      description: The value now, or over the whole time where there is no window; nothing when there is none.
      type: float
    unit:
      description: Its unit, such as C(%) or C(s).
      type: str
    limit:
      description: The limit, in the same unit.
      type: float
    window:
      description: Seconds that the value has to be past the limit for a breach; nothing where the whole time is judged
        at once.
      type: float
    seconds_past:
      description: How long it has been past the limit, or was when the window was full.
      type: float
    since:
      description: Since when, in seconds since 1970 by Prometheus' clock.
      type: float
    requests:
      description: How many requests the value is made of.
      type: int
    coverage:
      description: Percent of the time of which there are samples.
      type: float
    reason:
      description: Why it does not pass; empty when it does.
      type: str
queries:
  description: What Prometheus was asked, in PromQL.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_gate import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
