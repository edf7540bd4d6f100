#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_rollback
short_description: Return the traffic of an MCP server to the stable pool at once
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The emergency's one call. It writes the weights first and verifies afterwards. It spares no sessions of the bad
    pool.
  - The first of these says which pool the traffic returns to - O(pool), the release record, the note that each write of
    weights leaves on the route. Without any, it is refused; nothing is guessed. A note counts while the route has the
    weights that it was written with.
  - The pool is noted and recorded, so that a second rollback does not undo the first.
  - Only another run that holds the server's Lease stops it, or one that wrote the route since. A Lease or record that
    can't be read or written is a warning.
  - It waits for nothing about the bad pool. When the good pool has no ready endpoint, it is scaled up to the size that
    it had before the release, or else to that of the bad one; it shows first how long that may take, and the traffic
    follows when half of its pods are ready. When it can't come up, this fails as soon as the cluster knows, and the
    weights stay.
  - When it cannot confirm that the traffic follows, the module fails; the weights stay written.
  - The tools that hold the route are named before it is written. What another client reverts within O(verify_seconds)
    is written again.
  - It is the same as M(mcp.server.mcp_traffic_shift) with O(mcp.server.mcp_traffic_shift#module:rollback=true).
  - Scaling the bad pool down (RV(scale_down)) and giving the Lease back is left to M(mcp.server.mcp_rollout) and
    M(mcp.server.mcp_release). The rollback role does all of it.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.run_id
  - mcp.server.gitops
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  pool:
    description:
      - The pool that the traffic returns to, whatever is recorded. For when neither the release record nor the route
        says which one is good.
      - When nothing but this option says that the other pool is bad, RV(scale_down) is false.
    type: str
    choices: [blue, green]
  wait:
    description:
      - With V(false) the weights are written and nothing is waited for, so that the traffic of many servers is back
        before any of them is waited for. The same task without it, with O(pool) and O(run_id) as this one returned
        them, does the rest.
      - When the API server does not answer, which is not waited for, or the good pool has no ready endpoint, nothing is
        written. That is no failure, see RV(written).
    type: bool
    default: true
  reason:
    description: Why, for the release record; at most 500 characters of it are kept.
    type: str
    default: ""
  only_unfinished:
    description:
      - Do nothing when the release record says that the newest release has ended, and one pool has all the traffic. For
        a rollback that nobody looks at, such as the one after an approval that was denied.
      - RV(msg) says so then, and what is said about a rollback is not returned.
      - When the record cannot be read, the rollback is made.
    type: bool
    default: false
  force:
    description: Write the weights also when the good pool has no ready endpoint, without scaling it up first.
    type: bool
    default: false
  timeout:
    description:
      - Seconds after the write within which the route must be in force and the share be what was set. It is more than a
        gateway's controller takes to come back after an outage, and a refusal is reported at once.
      - After an outage of the API server meanwhile, the same number of seconds again.
    type: float
    default: 120.0
  start_timeout:
    description: Seconds that half of the good pool may take to get ready, when it has no ready endpoint.
    type: float
    default: 300.0
  ready_grace:
    description: As in M(mcp.server.mcp_rollout), for this wait.
    type: float
    default: 30.0
  verify_seconds:
    description:
      - Seconds since the weights were written for which the route is read every 2 s, at least once, in case another
        client reverts them. Each time, the weights are written again and the seconds start again, for at most 3
        minutes; then it fails and names who does it.
      - With V(0) it looks once, writes nothing again, and fails when it was undone.
    type: float
    default: 30.0
  compare_version:
    description:
      - Which versions that servers report must be the one that returned, those of health documents (V(health), needs
        O(health_path)) or of MCP's C(serverInfo) (V(server_info)), as far as answers report one.
    type: list
    elements: str
    choices: [health, server_info]
    default: []
  sessions_metric:
    description: The gauge of open sessions that each pod shows to Prometheus. Without it their number is not known.
    type: dict
    suboptions:
      name:
        description: The metric's name. Several series of it are added.
        type: str
        required: true
      port:
        description: The port of the pod that shows it.
        type: int
        default: 9090
      path:
        description: The path.
        type: str
        default: /metrics
seealso:
  - module: mcp.server.mcp_rollback_target
  - module: mcp.server.mcp_traffic_shift
"""

EXAMPLES = r"""
- name: Return the traffic to the stable pool at once
  mcp.server.mcp_rollback:
    namespace: mcp-prod
    server: mcp-server
    reason: 5 % of the answers fail
    endpoint:
      url: https://mcp-prod.example.com

- name: Send the traffic to blue without waiting
  mcp.server.mcp_rollback:
    namespace: mcp-prod
    server: mcp-server
    pool: blue
    wait: false
"""

RETURN = r"""
before:
  description: Percent of each pool that the route had.
  returned: success
  type: dict
  sample: {blue: 50, green: 50}
after:
  description: Percent of each pool that the route has now, or would have in check mode.
  returned: success
  type: dict
  sample: {blue: 100, green: 0}
of_all_traffic:
  description: What the weights are of all the route's traffic, percent of each pool. It is less than RV(after) where
    the route has other backends, and the mean where rules differ.
  returned: success
  type: dict
  sample: {blue: 25.0, green: 0.0}
route_notes:
  description: What else to know about the route, a clause for each - rules that no shift changes, mirrors, other
    backends, what gateways report beside the weights.
  returned: success
  type: list
  elements: str
  sample: ["rule 0 (requests with header x-test) leads to blue at 0 % and green at 100 % and is left alone"]
run_id:
  description:
    - The id of this run, without O(run_id). The emergency takes the server's Lease from whoever holds it, so that a
      release that goes on somewhere else stops. Give it back with M(mcp.server.mcp_release) and
      C(state=lease_returned).
  returned: when it took the Lease
  type: str
live:
  description: The pool with more than half of the traffic afterwards, or null.
  returned: success
  type: str
  sample: blue
share:
  description: The share that was measured last; null in check mode and without O(endpoint).
  returned: success
  type: dict
  contains:
    blue:
      description: Percent of the answers that came from blue; null where nothing tells.
      type: float
    green:
      description: Percent of the answers that came from green; null where nothing tells.
      type: float
    requests:
      description: How many requests this is about, failed ones included.
      type: int
    failed:
      description: How many failed.
      type: int
    measured_by:
      description:
        - What told which pool an answer was from - C(header), C(health) for the health document, C(counters) for the
          gateway's own, or C(server_info). Null when nothing did, and the share was not measured.
      type: str
    unnamed:
      description: How many good answers did not tell their pool.
      type: int
    reached:
      description: Whether the share is what was set; null when it was not measured.
      type: bool
    reason:
      description: Why the last answer that failed did; empty when none did.
      type: str
    seconds:
      description: How long these answers took together.
      type: float
    versions:
      description: Versions that the health documents reported.
      type: list
      elements: str
sessions:
  description: What happened to sessions. Null where they were not looked up, as before an emergency.
  returned: success
  type: dict
  contains:
    mode:
      description: How the pool that loses traffic keeps sessions, as
        RV(mcp.server.mcp_health#module:servers[].session_mode). Null when not known.
      type: str
    marked:
      description: Whether the route and that pool's ids carry marks, by which sessions stay on it. In a rollback,
        whether the route does.
      type: bool
    at_risk_before:
      description: How many open sessions of that pool the change would end. Null when not known.
      type: int
    at_risk_after:
      description: How many were still open on it when the change was in force. These are lost. Null when not known.
      type: int
  sample: {mode: stateful, marked: false, at_risk_before: 12, at_risk_after: 0}
seconds_to_follow:
  description:
    - Seconds from the write to the first of the answers that showed that the traffic follows. For all or nothing, it is
      the first of an unbroken row from the right pool.
    - Null when nothing was written or measured.
  returned: success
  type: float
  sample: 0.21
written_at:
  description: When the weights were written, in seconds since 1970; null when they were not.
  returned: success
  type: float
pool:
  description: The pool that has the traffic again.
  returned: success
  type: str
  sample: blue
bad_pool:
  description: The pool that the traffic left.
  returned: success
  type: str
  sample: green
written:
  description: Whether the route has the weights, from this task or from before. With O(wait=false) it may not have
    them, and RV(msg) says why.
  returned: success
  type: bool
  sample: true
msg:
  description: Why the weights were not written.
  returned: with O(wait=false) or O(only_unfinished), when they were not
  type: str
scale_down:
  description:
    - Whether the pool that the traffic left may be scaled down. It must be known to be the bad one, by the release
      record or the route, and nobody may give it traffic again, see RV(gitops) and RV(reverted).
  returned: success
  type: bool
  sample: true
gitops:
  description: The tools that hold the route and, by O(gitops_ignores), may put back what is written there.
  returned: success
  type: list
  elements: str
  sample: [Argo CD]
reverted:
  description: Each time that another client reverted the rollback and it was written again, as RV(overwritten).
  returned: success
  type: list
  elements: dict
digest_gone:
  description: The digest that the image registry no longer had when the good pool was started, which therefore runs the
    tag of its image; empty otherwise.
  returned: success
  type: str
  sample: ""
overwritten:
  description: What another client changed, with C(object), C(field), C(by), C(manager), C(at), C(seen_at), C(suspend),
    C(what) and C(pool).
  returned: on failure, when that is why
  type: dict
  sample:
    what: route
    pool: ""
    object: HTTPRoute mcp-prod/mcp-server
    field: "spec.rules[0].backendRefs[0].weight"
    by: Argo CD
    manager: argocd-controller
    at: "2026-11-26T19:02:11Z"
    seen_at: "19:02:13"
    suspend: argocd app set mcp --sync-policy none
scaled_up:
  description: How the good pool was brought up first.
  returned: when it had no ready endpoint
  type: dict
  contains:
    from:
      description: The pods that it should have had.
      type: int
    to:
      description: The pods that it shall have.
      type: int
    expected_seconds:
      description: How long a rollout took by the release record; null when that is not known.
      type: float
    seconds:
      description: How long it took until the traffic could follow; null in check mode.
      type: float
  sample: {"from": 0, "to": 2, "expected_seconds": 11.2, "seconds": 9.8}
version:
  description: The version that was live before, by the release record; empty when not known.
  returned: success
  type: str
  sample: v1.1.5
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_rollback import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
