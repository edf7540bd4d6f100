#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_plan_info
short_description: Plan a release, and list all that would fail
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Shows the whole plan of a release - pools, images, steps with the weights that the route reaches, gates, time, each
    field of each object that would change - and all that would fail already, without stopping at the first.
  - Makes all checks of M(mcp.server.mcp_preflight), also of what is needed later; what the release can do without
    (webhooks, Alertmanager, the report) is a warning. It asks the registry for the image, and the live pool whether it
    answers. The API server is asked by dry runs whether it takes the new workload and the new weights.
  - It does not fail because of what it finds; see RV(problems).
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.auth
  - mcp.server.alertmanager
  - mcp.server.later
  - mcp.server.prometheus
  - mcp.server.registry
  - mcp.server.required_secrets
  - mcp.server.gitops
  - mcp.server.server
  - mcp.server.endpoint
  - mcp.server.run_id
  - mcp.server.webhooks
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
options:
  version:
    description:
      - The version to release, which is the tag of O(image) in any form, or its digest.
      - A number is refused, as it may have lost digits; put the version in quotes.
    type: raw
    required: true
  force_version:
    description:
      - The version that may be released although the newest end of it in the release record is failed or rolled back,
        which is a problem otherwise.
      - It has to be equal to O(version).
    type: str
  image:
    description: The image without its tag.
    type: str
    required: true
  deploy_digest:
    description: Whether the release deploys the digest that the registry has for the tag with it.
    type: bool
    default: true
  steps:
    description: The steps in order, the last with all the traffic.
    type: list
    elements: dict
    required: true
    suboptions:
      weight:
        description: Percent of the traffic for the new version.
        type: int
        required: true
      seconds:
        description: How long this step is watched.
        type: float
        required: true
  endpoint:
    required: true
  contract_check:
    description: Whether the new version is held to the live one's contract, so that the live pods must answer.
    type: bool
    default: true
  wait_timeout:
    description: Seconds until all new pods must be ready.
    type: float
    default: 600.0
  shift_timeout:
    description: Seconds until the traffic must follow a shift, as C(timeout) in M(mcp.server.mcp_traffic_shift).
    type: float
    default: 120.0
  warm_seconds:
    description: Seconds after the last step in which the old pool stays at full scale and the triggers are still
      watched.
    type: float
    default: 0.0
  guard:
    description: Whether the release starts a guard (M(mcp.server.mcp_guard)), which takes further rights.
    type: bool
    default: false
  guard_service_account:
    description: The ServiceAccount of the guard, as O(mcp.server.mcp_guard#module:service_account).
    type: str
    default: mcp-guard
  take_over:
    description: Whether the release takes over from one that goes on somewhere else, which is a problem otherwise.
    type: bool
    default: false
  gate_descriptions:
    description: What each step must pass, with its limits, a sentence each, to be shown with the plan.
    type: list
    elements: str
    default: []
  problems:
    description: What the caller knows already that would fail, a sentence each.
    type: list
    elements: str
    default: []
seealso:
  - module: mcp.server.mcp_preflight
  - module: mcp.server.mcp_release
"""

EXAMPLES = r"""
- name: Plan a release of v1.2.0
  mcp.server.mcp_plan_info:
    namespace: mcp-prod
    server: mcp-server
    image: ghcr.io/org/mcp-server
    version: v1.2.0
    endpoint:
      url: https://mcp.example.com
    steps:
      - {weight: 10, seconds: 300}
      - {weight: 100, seconds: 60}
  register: plan
"""

RETURN = r"""
problems:
  description: A sentence for each thing that would make the release fail; empty when nothing would.
  returned: success
  type: list
  elements: str
summary:
  description: RV(problems) in one sentence, empty when there are none.
  returned: success
  type: str
  sample: "The release of v9.9.9 to mcp-prod/mcp-server would fail, for 1 reason: ghcr.io/org/mcp-server:v9.9.9 is not
    in the registry https://ghcr.io: \
    push it, or correct image or version."
lines:
  description: The plan as it is shown.
  returned: success
  type: list
  elements: str
plan:
  description:
    - The plan as data. What could not be found is null, or missing in its C(pools).
    - C(steps) are those that are left, each with C(weight), C(seconds), C(reached), the weight that the route reaches,
      and C(of_all_traffic), what that is of all the route's traffic, which is less where the route has other backends.
    - C(weights) are of both pools, C(of_all_traffic) is what they are of all the route's traffic. C(route_notes) tells,
      a clause for each, which rules no shift changes, which pools get copies of requests, and what else to know.
    - C(seconds) are C(watched), the warm ones included, C(until_first_step) as the last release that succeeded took,
      and C(most).
    - C(changes) are fields, each with C(object), C(field), C(before) and the C(values) that it gets one after the
      other.
  returned: success
  type: dict
  sample:
    server: mcp-prod/mcp-server
    version: v1.2.0
    image_ref: ghcr.io/org/mcp-server:v1.2.0
    digest: sha256:...
    live: blue
    idle: green
    weights: {blue: 100, green: 0}
    of_all_traffic: {blue: 25.0, green: 0.0}
    route_notes: ["rule 0 gives 75 % of its traffic to other backends"]
    pools:
      blue: {image_ref: "ghcr.io/org/mcp-server:v1.1.5", replicas: 2, ready: 2, digest: "sha256:..."}
      green: {image_ref: "ghcr.io/org/mcp-server:v1.1.4", replicas: 0, ready: 0, digest: ""}
    replicas: 2
    resumed: false
    already_live: false
    steps:
      - {weight: 10, seconds: 300.0, reached: 10, of_all_traffic: 2.5}
      - {weight: 100, seconds: 60.0, reached: 100, of_all_traffic: 25.0}
    gate_descriptions: ["at most 1 % of the answers may fail during a watch"]
    seconds: {watched: 360.0, until_first_step: 12.4, most: 1020.0}
    changes: [{object: Deployment mcp-prod/mcp-server-green, field: spec.replicas, before: 0, values: [2]}]
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_plan_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
