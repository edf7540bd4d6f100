#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_rollout_info
short_description: List what each pool ran, runs, and could return to
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Reads the rollout history of both pools' Deployments or StatefulSets, as C(kubectl rollout history) does, with the
    images and with what has the traffic.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.read_only
  - mcp.server.attributes.action_group
seealso:
  - module: mcp.server.mcp_rollback_target
"""

EXAMPLES = r"""
- name: List what a rollback could return to
  mcp.server.mcp_rollout_info:
    namespace: mcp-prod
    server: mcp-server
  register: history
"""

RETURN = r"""
pools:
  description: By pool, what it has.
  returned: success
  type: dict
  contains:
    workload:
      description: Kind, namespace and name of its Deployment or StatefulSet.
      type: str
    weight:
      description: Percent of the traffic that the route gives it.
      type: int
    live:
      description: Whether that is more than half.
      type: bool
    image_ref:
      description: The image of the server's container.
      type: str
    replicas:
      description: How many pods it shall have.
      type: int
    ready:
      description: How many can answer.
      type: int
    revisions:
      description: The workload's revisions that are kept, oldest first.
      type: list
      elements: dict
      contains:
        revision:
          description: Its number.
          type: int
        former:
          description: Numbers that it had before, as going back to a revision gives it a new one. A StatefulSet keeps
            none.
          type: list
          elements: int
        image_ref:
          description: The image of the server's container in it.
          type: str
        change_cause:
          description: The annotation C(kubernetes.io/change-cause).
          type: str
        created:
          description: When it came first.
          type: str
        replicas:
          description: How many pods of it there shall be.
          type: int
        ready:
          description: How many of its pods are ready.
          type: int
        current:
          description: Whether the pool has it now.
          type: bool
  sample:
    blue:
      workload: Deployment mcp-prod/mcp-server-blue
      weight: 100
      live: true
      image_ref: ghcr.io/org/mcp-server:v1.1.5
      replicas: 2
      ready: 2
      revisions:
        - revision: 3
          former: [1]
          image_ref: ghcr.io/org/mcp-server:v1.1.5
          change_cause: ""
          created: "2026-11-23T11:20:00Z"
          replicas: 2
          ready: 2
          current: true
live:
  description: The pool with more than half of the traffic, or null.
  returned: success
  type: str
  sample: blue
rollback_pool:
  description: The pool that a rollback returns to, in whose history a revision is looked up; null when that is not
    known.
  returned: success
  type: str
  sample: blue
lines:
  description: The same for people.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_rollout_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
