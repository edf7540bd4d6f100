#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_traffic_shift
short_description: Shift traffic between the blue and the green pool of an MCP server
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Sets the weights of both pools on the server's route, and is done when the gateway has accepted them and the share
    of answers that is measured through O(endpoint) is what was set.
  - Answers tell which pool they are from by the header O(pool_header), which the route sets, or by the health document.
    Otherwise the gateway's own counters are read (O(prometheus)), or C(serverInfo) where that of the pools differs.
    Where nothing tells the pool, nothing is written, unless the O(route_kind) can't set the header. C(docs/routes.md)
    in the collection has the lines for each kind.
  - With O(route_kind=service) the weights that are set can be others than O(weight) when O(route_nearest) is set, and
    the share is measured over new connections only.
  - With the weights, the same request writes the annotations C(mcp.server/stable), the pool to return to, and
    C(mcp.server/run), the run that O(run_id) names. No other field of the route is touched. The route must list the
    Services of both pools; one may have weight 0.
  - Sessions of legacy MCP clients are not ended unless it is allowed, see O(sessions). C(docs/sessions.md) in the
    collection explains what is safe.
  - With O(rollback=true) it is the emergency's one call, as M(mcp.server.mcp_rollback) is. It writes the weights first
    and verifies afterwards. It spares no sessions of the bad pool.
  - A step of a release that is running is added to the release record (see M(mcp.server.mcp_release)).
  - With O(steps) it is a release from its first weight to the end of its warm window - it shifts, asks for a whole
    session, watches, and at a breach returns the traffic itself. Sizes, record, silence, Lease, announcement and report
    are its last acts, however it ends. It needs no other task after it, so several servers in one play do not wait for
    each other. It runs in the controller's process only, and goes on where it was killed.
  - While it verifies a share, and with O(steps) from the first weight to the end, it reads the route every 3 s, with
    O(steps) also the pools' images and sizes and the C(minReplicas) that was raised for them. When another client
    changes them it fails and names it, by C(managedFields). A release gives all traffic back to the stable pool then,
    once, and scales nothing. An autoscaler that goes up is no change; a C(minReplicas) that was lowered, or fewer pods
    of the stable pool, are a warning.
  - With O(steps) the route's weights, the image of the pool and the versions in the answers are read again before the
    release is recorded as succeeded.
  - With O(rollback=true) the tools that hold the route are named before it is written. What another client reverts
    within O(verify_seconds) is written again.
  - What can't be judged is no breach. Then, and on SIGINT, SIGTERM and SIGHUP, the traffic stays as it is, the record
    says why, the Lease is given back, and the same release goes on from there.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.auth
  - mcp.server.server
  - mcp.server.endpoint
  - mcp.server.prometheus
  - mcp.server.run_id
  - mcp.server.checks
  - mcp.server.ending
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
    description: The pool that gets O(weight) percent; the other one gets the rest.
    type: str
    choices: [blue, green]
  weight:
    description: Percent for O(pool), 0 to 100.
    type: int
  rollback:
    description:
      - Give all traffic to the pool that was live before the current release. The first of these says which one that is
        - O(rollback_pool), the
        release record, the note that each write of weights leaves on the route. Without any, it is refused; nothing is
        guessed.
      - A note counts while the route has the weights that it was written with. When they differ, a person moved the
        traffic.
      - The pool is noted and recorded, so that a second rollback does not undo the first.
      - Only another run that holds the server's Lease stops it, or one that wrote the route since. A Lease or record
        that can't be read or written is a warning.
      - It waits for nothing about the bad pool. When the good pool has no ready endpoint, it is scaled up to the size
        that it had before the release, or else to that of the bad one; it shows first how long that may take, and the
        traffic follows when half of its pods are ready. When it can't come up, this fails as soon as the cluster knows,
        and the weights stay.
      - When it cannot confirm that the traffic follows, the module fails; the weights stay written.
    type: bool
    default: false
  rollback_pool:
    description:
      - The pool that O(rollback=true) returns to, whatever is recorded. For when neither the release record nor the
        route says which one is good.
      - When nothing but this option says that the other pool is bad, RV(scale_down) is false.
    type: str
    choices: [blue, green]
  wait:
    description:
      - With V(false), O(rollback=true) writes the weights and waits for nothing, so that the traffic of many servers is
        back before any of them is waited for. The same task without it, with O(rollback_pool) and O(run_id) as this one
        returned them, does the rest.
      - When the API server does not answer, which is not waited for, or the good pool has no ready endpoint, nothing is
        written. That is no failure, see RV(written).
    type: bool
    default: true
  reason:
    description: Why, for the release record; at most 500 characters of it are kept. Used with O(rollback=true).
    type: str
    default: ""
  force:
    description: Give more weight also to a pool with fewer ready endpoints than its workload plans or a
      PodDisruptionBudget asks for, or none.
    type: bool
    default: false
  prometheus:
    description:
      - The Prometheus, or a server with the same HTTP API, that has the gateway's metrics - one of O(prometheus.source)
        must be V(envoy), V(istio) or V(ingress_nginx). It is asked only where answers do not name their pool.
      - With O(steps), that of O(watch) stands in for it.
  tolerance:
    description: How many points the measured share may differ from a split that was set; 0 and 100 percent are always
      exact, unless RV(share.measured_by=counters).
    type: float
    default: 5.0
  samples:
    description: How many answers a split is measured by; default is what O(tolerance) needs, 400 for a half and 5
      points.
    type: int
  timeout:
    description:
      - Seconds after the write within which the route must be in force and the share be what was set. It is more than a
        gateway's controller takes to come back after an outage, and a refusal is reported at once.
      - Where the server can be asked only once a second, the seconds that measuring takes are added.
      - After an outage of the API server meanwhile, the same number of seconds again.
    type: float
    default: 120.0
  sessions:
    description:
      - What becomes of sessions that pods keep by themselves (RV(sessions.mode=stateful) and V(sse)) and no colour mark
        keeps on their pool. A share other than 0 and 100 is refused for these whatever is said here, since it would
        break every one of them.
      - V(keep) refuses to move all traffic at once while sessions are open, or their number is not known.
      - V(drain) lets the losing pool serve until it has no session left or O(drain_timeout) is over, and then moves all
        at once. New clients still go there meanwhile.
      - V(break) moves all at once and accepts that they are lost. Sessions with a mark are lost then too.
      - Not used with O(rollback=true).
    type: str
    choices: [keep, drain, break]
    default: keep
  session_mode:
    description:
      - How the pools keep sessions. V(auto) asks one ready pod of each pool that is concerned, and warns when that
        can't be found out.
      - Name it where pods must not be asked. V(stateful) is then taken to give ids with the pool's mark where the route
        has rules for it.
      - Name V(stateless) where the gateway by itself keeps each session on its pod.
    type: str
    choices: [auto, modern, stateless, stateful, sse]
    default: auto
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
  drain_timeout:
    description: Seconds that O(sessions=drain) waits at most. What is open then is lost.
    type: float
    default: 600.0
  auth:
    description:
      - Credentials for the MCP endpoint of the pods, for O(session_mode=auto). The token is sent nowhere else, and
        shown nowhere.
      - At most one of the three places of a token can be given. Without one, none is sent.
      - With O(auth.expect_401) it is not known how the server keeps sessions, unless O(session_mode) says so.
  compare_version:
    description:
      - Which versions that servers report must be the released one too, those of health documents (V(health), needs
        O(health_path)) or of MCP's C(serverInfo) (V(server_info)).
      - They are compared in the answers that measure the share, as far as these report one.
    type: list
    elements: str
    choices: [health, server_info]
    default: []
  digests:
    description:
      - With O(steps), the digests by which nodes may know the released image, as
        RV(mcp.server.mcp_version_check#module:registry_image.digests). Ready pods with another one end the release
        before any traffic, and before it is recorded as succeeded. The digest in the release record counts too.
      - Without any, all ready pods must run one image, whose digest is recorded.
    type: list
    elements: str
    default: []
  steps:
    description:
      - The steps of a release of O(pool), which has begun (M(mcp.server.mcp_release)) and is deployed, in order, the
        last with all the traffic.
      - Of a release that was cut off, those are left out whose weight the pool has already passed.
    type: list
    elements: dict
    suboptions:
      weight:
        description: Percent for O(pool).
        type: int
        required: true
      seconds:
        description: How long this step is watched.
        type: float
        required: true
  version:
    description: The version that is released, for messages. Used with O(steps).
    type: str
  watch:
    description:
      - The options C(prometheus), C(gates), C(triggers), C(rate), C(max_failed_percent), C(min_requests),
        C(inconclusive_timeout) and C(poll_interval) of M(mcp.server.mcp_watch). Used with O(steps).
    type: dict
    default: {}
  era:
    description: How the client addresses the server when it makes 20 list requests in one session after each step, as
      in M(mcp.server.mcp_health).
    type: str
    choices: [auto, modern, legacy, sse]
    default: auto
  probe:
    description: Whether a whole session through the gateway, with its lists, must succeed after each of O(steps).
    type: bool
    default: true
  warm_seconds:
    description: Seconds after the last step in which the old pool stays as it is and the triggers are still watched.
    type: float
    default: 0.0
  warm_replicas:
    description: Replicas of the old pool after that. Without it the old pool stays as it is.
    type: int
  validation:
    description:
      - The options C(checks), C(prometheus), C(metrics), C(requests), C(seconds), C(gates) and C(health_max_age) of
        M(mcp.server.mcp_validate), which validates the new version in the warm window, beside O(checks). Without it
        nothing is validated.
      - A check that fails takes the release back where that is the new version's fault. To tell, the pods of both
        pools are asked for the same, past the gateway. What fails in the old pool, too, or cannot be measured, is a
        warning.
    type: dict
  guard:
    description:
      - The options C(image_ref), C(action), C(service_account), C(endpoint) and C(prometheus) of
        M(mcp.server.mcp_guard). It starts before the first weight. Without it there is no guard.
    type: dict
  stop_after:
    description:
      - The weight of a step after which the task ends well and the release is paused, as for an approval. Needs
        O(guard), to which the Lease goes. The guard watches the triggers and rolls back at a breach, and when
        O(pause_seconds) are over.
      - The same release without it, or with a later step, goes on from there. A rollback takes the Lease from the
        guard, as from anybody.
    type: int
  pause_seconds:
    description: How long a release may stay paused.
    type: float
    default: 3600.0
  fleet:
    description:
      - Whether the server is one of several that C(bluegreen.yml) releases in waves. Then a release that fails does not
        fail the task, which returns C(fleet_verdict) and C(why). It stops once another server of the fleet has failed.
    type: bool
    default: false
seealso:
  - module: mcp.server.mcp_release
  - module: mcp.server.mcp_rollback
  - module: mcp.server.mcp_watch
"""

EXAMPLES = r"""
- name: Give green a tenth of the traffic
  mcp.server.mcp_traffic_shift:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    weight: 10
    endpoint:
      url: https://mcp-prod.example.com

- name: Shift all traffic once no session is open, or after half an hour
  mcp.server.mcp_traffic_shift:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    weight: 100
    sessions: drain
    drain_timeout: 1800
    sessions_metric:
      name: mcp_server_sessions_open

- name: Shift and watch a release that is deployed, and roll back on a breach
  mcp.server.mcp_traffic_shift:
    namespace: mcp-prod
    server: mcp-server
    run_id: "{{ release.run_id }}"
    pool: "{{ release.idle }}"
    version: v1.2.0
    steps:
      - {weight: 10, seconds: 300}
      - {weight: 50, seconds: 600}
      - {weight: 100, seconds: 60}
    watch:
      prometheus:
        url: https://prometheus.example.com
    warm_seconds: 900
    endpoint:
      url: https://mcp-prod.example.com

- name: Return to the stable pool at once, as mcp_rollback does
  mcp.server.mcp_traffic_shift:
    namespace: mcp-prod
    server: mcp-server
    rollback: true
    endpoint:
      url: https://mcp-prod.example.com
"""

RETURN = r"""
kind:
  description: The kind of the failure, see O(mcp.server.mcp_announce#module:kind). It says whom to call first.
  returned: with O(steps), on failure
  type: str
  sample: application
outcome:
  description:
    - How the release ended, C(succeeded), or C(paused) with O(stop_after). On failure C(rolled_back), or
      C(inconclusive) when a step could not be judged and the traffic stays as it is.
  returned: with O(steps)
  type: str
  sample: succeeded
steps:
  description: What each shift came to, with C(after), C(of_all_traffic), C(share), C(seconds_to_follow), C(written_at)
    and C(sessions) as below.
  returned: with O(steps)
  type: list
  elements: dict
verdicts:
  description: Of each watch, the newest verdict of each trigger and gate, as M(mcp.server.mcp_gate) returns them, with
    C(at) and C(pool).
  returned: with O(steps)
  type: list
  elements: dict
stats:
  description: The release for the jobs that follow, as M(mcp.server.mcp_announce) returns it.
  returned: with O(steps)
  type: dict
report:
  description: The file of the report.
  returned: with O(steps) and O(report)
  type: str
paused_until:
  description: When the guard rolls the paused release back.
  returned: with O(stop_after)
  type: str
  sample: "2026-11-26T15:00:00Z"
before:
  description: Percent of each pool that the route had.
  returned: without O(steps)
  type: dict
  sample: {blue: 100, green: 0}
after:
  description: Percent of each pool that the route has now, or would have in check mode.
  returned: without O(steps)
  type: dict
  sample: {blue: 90, green: 10}
of_all_traffic:
  description: What the weights are of all the route's traffic, percent of each pool. It is less than RV(after) where
    the route has other backends, and the mean where rules differ.
  returned: without O(steps)
  type: dict
  sample: {blue: 22.5, green: 2.5}
route_notes:
  description: What else to know about the route, a clause for each - rules that no shift changes, mirrors, other
    backends, what gateways report beside the weights.
  returned: success
  type: list
  elements: str
  sample: ["rule 0 (requests with header x-test) leads to blue at 0 % and green at 100 % and is left alone"]
run_id:
  description:
    - The id of this run, with O(rollback=true) and without O(run_id). The emergency takes the server's Lease from
      whoever holds it, so that a release that goes on somewhere else stops. Give it back with M(mcp.server.mcp_release)
      and C(state=lease_returned).
  returned: when it took the Lease
  type: str
live:
  description: The pool with more than half of the traffic afterwards, or null.
  returned: without O(steps)
  type: str
  sample: blue
share:
  description: The share that was measured last; null in check mode and without O(endpoint).
  returned: without O(steps)
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
      description: Versions that the answers reported, by the health document or as C(compare_version) says.
      type: list
      elements: str
sessions:
  description: What happened to sessions. Null where they were not looked up, as before an emergency.
  returned: without O(steps)
  type: dict
  contains:
    mode:
      description: How the pool that loses traffic keeps sessions, as
        RV(mcp.server.mcp_health#module:servers[].session_mode). Null when not known.
      type: str
    marked:
      description: Whether the route and that pool's ids carry marks, by which sessions stay on it. With
        O(rollback=true), whether the route does.
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
  returned: without O(steps)
  type: float
  sample: 0.21
written_at:
  description: When the weights were written, in seconds since 1970; null when they were not.
  returned: without O(steps)
  type: float
pool:
  description: The pool that has the traffic again.
  returned: with O(rollback=true)
  type: str
  sample: blue
bad_pool:
  description: The pool that the traffic left.
  returned: with O(rollback=true)
  type: str
  sample: green
written:
  description: Whether the route has the weights, from this task or from before. With O(wait=false) it may not have
    them, and RV(msg) says why.
  returned: with O(rollback=true)
  type: bool
  sample: true
msg:
  description: Why the weights were not written.
  returned: with O(wait=false), when they were not
  type: str
scale_down:
  description:
    - Whether the pool that the traffic left may be scaled down. It must be known to be the bad one, by the release
      record or the route, and nobody may give it traffic again, see RV(gitops) and RV(reverted).
  returned: with O(rollback=true)
  type: bool
  sample: true
gitops:
  description: The tools that hold the route and, by O(gitops_ignores), may put back what is written there.
  returned: with O(rollback=true)
  type: list
  elements: str
  sample: [Argo CD]
reverted:
  description: Each time that another client reverted the rollback and it was written again, as RV(overwritten).
  returned: with O(rollback=true)
  type: list
  elements: dict
digest_gone:
  description: The digest that the image registry no longer had when the good pool was started, which therefore runs the
    tag of its image; empty otherwise.
  returned: with O(rollback=true)
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
  returned: with O(rollback=true), when it had no ready endpoint
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
  returned: with O(rollback=true)
  type: str
  sample: v1.1.5
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_traffic_shift import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
