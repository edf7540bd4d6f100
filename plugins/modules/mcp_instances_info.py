#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_instances_info
short_description: Read the instances of an MCP server, its pods, as data
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Reads the pods of both pools, what they use of memory and CPU by the metrics API, how often they were restarted and
    why, and what ready pods report themselves.
  - With O(label_selector) it reads all pods with these labels instead, in one namespace or in all, whatever server they
    belong to. So you find those that no inventory has.
  - What cannot be read is null, with a sentence in RV(unread). It fails when no pods can be read at all.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.attributes
  - mcp.server.attributes.read_only
  - mcp.server.attributes.action_group
options:
  namespace:
    description: Namespace of the server, or of the pods with the labels. Required without O(all_namespaces).
    required: false
  server:
    description: Name of the MCP server. Required without O(label_selector), with which it does not count.
    required: false
  label_selector:
    description: Labels as kubectl takes them, such as V(app=mcp-server). Pods that are found so are not asked anything.
    type: str
  all_namespaces:
    description: Whether O(label_selector) counts in all namespaces. That needs a ClusterRole (C(docs/status.md)).
    type: bool
    default: false
  endpoint:
    description: How pods are reached, for the health document.
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
  - module: mcp.server.mcp_status_info
"""

EXAMPLES = r"""
- name: Read the instances of a server
  mcp.server.mcp_instances_info:
    namespace: mcp-prod
    server: mcp-server
    health_path: /health
  register: found

- name: Find all pods of MCP servers in the cluster
  mcp.server.mcp_instances_info:
    all_namespaces: true
    label_selector: app.kubernetes.io/part-of=mcp
"""

RETURN = r"""
instances:
  description: The pods, those of pool blue first.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: Its namespace.
      type: str
    pod:
      description: Its name.
      type: str
    pool:
      description: Its pool; by the label C(pool) with O(label_selector), null for another one.
      type: str
    labels:
      description: Its labels.
      type: dict
    node:
      description: The node that runs it, null for none.
      type: str
    ready:
      description: Whether it is ready.
      type: bool
    state:
      description: Its state in one word, as kubectl shows it, such as V(Running) or V(CrashLoopBackOff).
      type: str
    finished:
      description: Whether it has ended and never runs again, such as an evicted pod.
      type: bool
    version:
      description: The tag of its image, null without one.
      type: str
    health_version:
      description: The version that its health document reports; null without O(health_path).
      type: str
    instance_id:
      description: The C(instance_id) that its health document reports; null without one.
      type: str
    image_ref:
      description: The image of the server's container.
      type: str
    digest:
      description: The digest of the image that it runs, null when it is unknown.
      type: str
    restarts:
      description: How often its containers were restarted, together.
      type: int
    restart_reason:
      description: Why the last restart was, such as V(OOMKilled, exit code 137); null without one.
      type: str
    restarted_at:
      description: When the container that was restarted last had ended.
      type: str
    created:
      description: When it was created.
      type: str
    age_seconds:
      description: Seconds since then.
      type: int
    memory_bytes:
      description: The memory that the server's container uses; null when it is not known.
      type: float
    memory_limit_bytes:
      description: Its limit; null without one.
      type: float
    cpu_cores:
      description: The CPU that it uses; null when it is not known.
      type: float
    cpu_limit_cores:
      description: Its limit; null without one.
      type: float
    sessions:
      description: Its open sessions; null without O(sessions_metric).
      type: int
    problem:
      description: Why it did not report what it was asked; null when it did.
      type: str
pools:
  description:
    - By pool, how many C(instances) there are, how many are C(ready), and their C(restarts) together; under V(none),
      those of no pool.
  returned: success
  type: dict
  sample:
    blue: {instances: 2, ready: 2, restarts: 0}
    green: {instances: 0, ready: 0, restarts: 0}
unread:
  description: What could not be read and why, a sentence each.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_instances_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
