#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_traffic_shift
short_description: Moves traffic between the blue and the green pool of an MCP server
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Sets the weights of both pools on the server's route, and is done when the gateway has accepted them
    and the share of answers that is measured through O(endpoint) is what was set.
  - With O(route_kind=service) the weights that are set can be others than O(weight) when O(route_nearest) is set, and the share is
    measured over new connections only.
  - No other field of the route is touched. The route must list the Services of both pools; one may have weight 0.
  - With O(rollback=true) it is the emergency's one call. It writes the weights first and verifies afterwards.
  - A step of a release that is running is added to the release record (see M(mcp.server.mcp_release)).
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.endpoint
  - mcp.server.lock
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
      - Give all traffic to the pool that was live before the current release, as the release record tells.
      - Without a record, to the pool that is not live now; a record is then written, so that a second rollback does not undo the first.
      - It waits for nothing about the bad pool. When the good pool has no ready endpoint, it is scaled up to the size that it had before
        the release, or else to that of the bad one; how long that may take is said before, and the traffic follows when half of its pods are ready.
        When it can't come up, this fails as soon as the cluster knows, and the weights stay.
      - When it can't be verified that the traffic follows, the module fails and says so; the weights stay written.
    type: bool
    default: false
  reason:
    description: Why, for the release record; at most 500 characters of it are kept. Used with O(rollback=true).
    type: str
    default: ""
  force:
    description: Give more weight also to a pool with fewer ready endpoints than its Deployment plans or a PodDisruptionBudget asks for, or none.
    type: bool
    default: false
  pool_key:
    description: The key of the health document that tells the pool.
    type: str
    default: pool
  tolerance:
    description: How many points the measured share may differ from a split that was set; 0 and 100 percent are always exact.
    type: float
    default: 5.0
  samples:
    description: How many answers a split is measured by; default is what O(tolerance) needs, 400 for a half and 5 points.
    type: int
  timeout:
    description: Seconds after the write within which the route must be in force and the share be what was set.
    type: float
    default: 30.0
  start_timeout:
    description: Seconds that half of the good pool may take to get ready, with O(rollback=true) and when it has no ready endpoint.
    type: float
    default: 300.0
  ready_grace:
    description: As in M(mcp.server.mcp_rollout), for this wait.
    type: float
    default: 30.0
seealso:
  - module: mcp.server.mcp_release
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

- name: Go back to what was live before, at once
  mcp.server.mcp_traffic_shift:
    namespace: mcp-prod
    server: mcp-server
    rollback: true
    endpoint:
      url: https://mcp-prod.example.com
"""

RETURN = r"""
before:
  description: Percent of each pool that the route had.
  returned: always
  type: dict
  sample: {blue: 100, green: 0}
after:
  description: Percent of each pool that the route has now, or would have in check mode.
  returned: always
  type: dict
  sample: {blue: 90, green: 10}
lock:
  description:
    - The id of this run, with O(rollback=true) and without O(lock). The emergency takes the server's Lease from whoever holds it,
      so that a release that goes on somewhere else stops. Give it back with M(mcp.server.mcp_release) and C(state=unlocked).
  returned: when it took the Lease
  type: str
live:
  description: The pool with more than half of the traffic afterwards, or null.
  returned: always
  type: str
  sample: blue
share:
  description: The share that was measured last; null in check mode and without O(endpoint).
  returned: always
  type: dict
  contains:
    blue:
      description: Percent of the answers that came from blue.
      type: float
    green:
      description: Percent of the answers that came from green.
      type: float
    answers:
      description: How many answers this is about, failed ones included.
      type: int
    failed:
      description: How many failed.
      type: int
    reached:
      description: Whether the share is what was set.
      type: bool
    reason:
      description: Why the last answer that failed did; empty when none did.
      type: str
    seconds:
      description: How long these answers took together.
      type: float
    versions:
      description: Versions that the health documents told.
      type: list
      elements: str
seconds_to_follow:
  description:
    - Seconds from the write to the first of the answers that showed that the traffic follows.
      For all or nothing, it is the first of an unbroken row from the right pool.
    - Null when nothing was written or measured.
  returned: always
  type: float
  sample: 0.21
written_at:
  description: When the weights were written, in seconds since 1970; null when they were not.
  returned: always
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

from ansible_collections.mcp.server.plugins.module_utils._task import main
from ansible_collections.mcp.server.plugins.module_utils._traffic.shift import SPEC, run

if __name__ == "__main__":
    main(SPEC, run)
