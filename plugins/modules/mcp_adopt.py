#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_adopt
short_description: Give a server that runs as one Deployment a second pool
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - A server has one Deployment or StatefulSet, one Service and one route. These become the live pool, blue, as they
    are, and their pods are not restarted. Only the idle pool is added, without pods, and the route lists both, with all
    traffic where it was and O(pool_header) on the answers of each. A release can then go to the idle pool.
  - The idle pool is a copy of the live one, with other values for as few labels as keep existing Services,
    Deployments and PodDisruptionBudgets apart from its pods. It has a copy of each PodDisruptionBudget and
    NetworkPolicy of the live pods that does not select its own. Whoever releases gets the releaser's Role.
  - What stands against a second pool is refused, all reasons at once.
  - The route is changed in one request, which fails when somebody else has changed it meanwhile. It keeps what its
    rules were in the annotation C(mcp.server/before-adoption), for O(state=absent).
  - A route that belongs to a GitOps tool or Helm is not changed. Nothing is; RV(for_repository) has what to put into
    its repository.
  - A second run changes nothing, and what releases have changed stays. A run that was stopped can be run again.
  - Before it writes, it takes the server's Lease. So it fails while a release runs, is paused or was interrupted,
    unless nothing is to be changed.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.releaser
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: The API server validates each object and stores nothing (C(dryRun=All)).
  diff_mode:
    support: full
    details: It shows each object that changes as YAML. Values of the environment that look like secrets are hidden.
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) adds the idle pool.
      - V(absent) is the way back. The route gets its former backends, and what the adoption made is deleted. It is
        refused while the idle pool has traffic, and where somebody has changed these backends since.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Of O(blue), the default is the Deployment with the name O(server). Its Service is the one of the same name, or the
    only one that selects its pods. Of O(green), the default is the same names with C(-green).
  - Without O(route), the route is the object that leads to the Service. It must be the only one of O(namespace).
  - The user needs the adopter's Role of C(docs/adopt.md).
seealso:
  - module: mcp.server.mcp_install
  - module: mcp.server.mcp_preflight
"""

EXAMPLES = r"""
- name: Give the server a second pool
  mcp.server.mcp_adopt:
    namespace: weather
    server: weather
    releasers:
      - {kind: ServiceAccount, name: mcp-releaser}

- name: Give a server whose objects have other names a second pool
  mcp.server.mcp_adopt:
    namespace: weather
    server: weather
    blue: {deployment: weather-mcp, service: weather-http}
    route: public
    route_kind: httpproxy

- name: Take the second pool away again
  mcp.server.mcp_adopt:
    namespace: weather
    server: weather
    state: absent
"""

RETURN = r"""
objects:
  description: All objects in the order in which they were written, and what was done, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Its kind.
      type: str
    name:
      description: Its name.
      type: str
    action:
      description: C(created), C(changed), C(deleted) or C(unchanged).
      type: str
  sample:
    - {kind: Service, name: weather-green, action: created}
    - {kind: Deployment, name: weather-green, action: created}
    - {kind: HTTPRoute, name: weather, action: changed}
route:
  description: The route, with its kind as in O(route_kind).
  returned: success
  type: dict
  sample: {kind: httproute, name: weather}
inventory:
  description: The lines for the inventory, so that releases know the pools.
  returned: success
  type: str
  sample: |
    mcp_blue: weather
    mcp_green: weather-green
notes:
  description: What else to know, a sentence for each.
  returned: success
  type: list
  elements: str
  sample: ["HorizontalPodAutoscaler weather scales Deployment weather, and the idle pool has none."]
route_patch:
  description: What changes in the manifest of the route, as YAML; empty when nothing does.
  returned: success
  type: str
  sample: ""
for_repository:
  description: Where the route belongs to a GitOps tool or Helm, the new objects and the patch of the route, as YAML.
  returned: success
  type: str
  sample: ""
problems:
  description: Why the server can't be adopted as it is, or the adoption can't be undone, a sentence for each reason.
  returned: on failure, when that is why
  type: list
  elements: str
  sample: ["Deployment weather has hostPort 8080: pods of both pools would want the same port of a node."]
route_to_write:
  description: The route to write where nothing leads to the Service that could give two pools a part of the traffic.
  returned: on failure, when that is why
  type: str
  sample: ""
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_adopt import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
