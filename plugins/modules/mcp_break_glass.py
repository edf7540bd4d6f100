#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_break_glass
short_description: Get an MCP server to answer without safety measures, and restore what that changed
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - For an outage in which nothing else helps. It needs no Lease, release record, Prometheus, registry, DNS or webhook,
    only the API server.
  - It goes on past what fails, and fails at the end with a sentence for each of these.
  - It names the GitOps tools and KEDA that would undo what it writes, with the command that suspends each.
  - The old values stand in the annotation C(mcp.server/break-glass) of each changed object, written in the same request
    as the change. A second run keeps the values of the first one. No image is noted or restored.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.auth
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
  state:
    description:
      - V(broken) does O(actions).
      - V(restored) puts back the old values of all objects of the server, both pools, with one patch for each object.
        What somebody has changed since stays, is named, and lets it fail at the end; O(keep) accepts it.
    type: str
    choices: [broken, restored]
    default: broken
  actions:
    description:
      - What is done, always in this order.
      - V(traffic) gives all traffic to O(pool). It says when the gateway does not take the weights.
      - V(readiness) sets C(publishNotReadyAddresses) on the pool's Service, so that pods that are not ready get
        traffic, too. Nothing restarts.
      - V(scale) sets the size of the pool's autoscaler and workload.
      - V(probes) removes the liveness, readiness and startup probes of the server's container. B(Kubernetes replaces
        all pods of the pool then.) Probes with headers or a command may hold secrets; they are kept in the Secret
        C(SERVER-break-glass).
    type: list
    elements: str
    choices: [traffic, readiness, scale, probes]
    default: [traffic, readiness, scale]
  pool:
    description:
      - The pool that is to answer.
      - Without it V(traffic) asks up to three pods of each pool, for 2 seconds in total, and takes the pool that
        answers better; the other actions take the pool that has most of the traffic.
    type: str
    choices: [blue, green]
  replicas:
    description:
      - The size of the pool. An autoscaler is set to exactly this size.
      - Without it the pool gets at least as many pods as either pool has ready, and never fewer than it has.
    type: int
  reason:
    description: Why. It is noted on each changed object, without secrets. Needed with O(state=broken).
    type: str
    default: ""
  keep:
    description:
      - With O(state=restored), drops the notes of what can't be restored, mostly as somebody has changed it since. It
        stays as it is now, and the module does not fail for it. All else is restored.
    type: bool
    default: false
notes:
  - The pods are asked with O(endpoint), O(auth) and O(health_path), and only where no pool is named.
seealso:
  - module: mcp.server.mcp_rollback
"""

EXAMPLES = r"""
- name: Break the glass for the blue pool
  mcp.server.mcp_break_glass:
    namespace: mcp-prod
    server: mcp-server
    pool: blue
    reason: INC-42, nothing answers

- name: Restore what that changed
  mcp.server.mcp_break_glass:
    namespace: mcp-prod
    server: mcp-server
    state: restored
"""

RETURN = r"""
found:
  description: What it found, a sentence each, such as a tool that would undo this, and how to suspend it.
  returned: always
  type: list
  elements: str
did:
  description: What it did, a sentence each.
  returned: always
  type: list
  elements: str
  sample: ["HTTPRoute mcp-prod/mcp-server: all traffic to pool blue (it was blue 0 %, green 100 %)"]
problems:
  description: What it could not do, a sentence each.
  returned: always
  type: list
  elements: str
gave_up:
  description: Whether it has waited for the API server in vain. The objects after that got one attempt each.
  returned: always
  type: bool
pool:
  description: The pool that is to answer; null where none was named or found.
  returned: with O(state=broken)
  type: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_break_glass import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
