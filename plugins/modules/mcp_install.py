#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_install
short_description: Make all objects of an MCP server that a release needs
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - Makes a server out of an image. It has a Deployment and a Service for each pool, a ServiceAccount without a token, a
    PodDisruptionBudget for each pool, an HTTPRoute with all traffic on blue, the Role of whoever releases and its
    RoleBinding. The namespace must exist.
  - The pods meet the Pod Security Standard C(restricted).
  - Each object is applied server-side, by the field manager C(mcp.server), and has the label
    C(app.kubernetes.io/managed-by=mcp.server). Nothing is deleted.
  - A second run changes nothing. What releases change stays as it is in objects that exist - images and sizes of the
    pools, weights of the route.
  - Objects of the same name that this module did not make, and fields to which another field manager gave another
    value, are refused. O(force) takes them over.
  - Before it writes, it takes the server's Lease. So it fails while a release runs, is paused or was interrupted,
    unless nothing is to be changed.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.endpoint
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
    details: It shows each object that changes as YAML, a Secret without its values.
  idempotent:
    support: full
options:
  image_ref:
    description: The image of the first version, with its tag or digest. Deployments that exist keep theirs.
    type: str
    required: true
  replicas:
    description:
      - How many pods blue has at first. Green has none until a release. Deployments that exist keep theirs.
      - A server that keeps its sessions in its own memory needs 1, unless the gateway keeps them on one pod.
    type: int
    default: 2
  port:
    description: The port at which the server speaks MCP, in the pods and of the Services.
    type: int
    default: 8080
  metrics_port:
    description: The port of the server's metrics. With it, pods have the annotations C(prometheus.io/scrape) and
      C(prometheus.io/port), and a port named C(metrics).
    type: int
  ready_path:
    description: A path that answers 200 when a pod is ready. Without it a pod is ready when O(port) accepts
      connections.
    type: str
  startup_seconds:
    description: Seconds that the start of a pod may take. The startup probe asks every 2 s until then.
    type: int
    default: 120
  termination_seconds:
    description: Seconds that a pod has to end, O(pre_stop_seconds) among them. Streams are cut at their end.
    type: int
    default: 60
  pre_stop_seconds:
    description:
      - Seconds that a pod goes on serving once it is to end, so that the gateway has heard of it. V(0) for none.
      - It is the C(sleep) of a C(preStop) hook, which Kubernetes has from 1.30 on.
    type: int
    default: 10
  command:
    description: The container's command, in place of the image's.
    type: list
    elements: str
    default: []
  args:
    description: The container's arguments, in place of the image's.
    type: list
    elements: str
    default: []
  env:
    description:
      - The container's environment, as C(env) of a pod in Kubernetes. C(MCP_POOL) is the pool unless it is here.
      - Values are shown in diffs. Refer to a Secret for what is secret.
    type: list
    elements: dict
    default: []
  env_from:
    description: ConfigMaps and Secrets for its environment, as C(envFrom) of a pod.
    type: list
    elements: dict
    default: []
  resources:
    description: The container's resources, as C(resources) of a pod.
    type: dict
    default: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 512Mi}}
  pull_secrets:
    description: Names of the Secrets with credentials for the image's registry.
    type: list
    elements: str
    default: []
  run_as_user:
    description: The number of the user that the container runs as, for an image whose own user is root or a name.
    type: int
  gateway:
    description: The Gateway that the HTTPRoute belongs to. Required with O(route_kind=httproute), unless
      O(manifests.route) or O(kustomize) has the route.
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace; default is that of the server.
        type: str
      section_name:
        description: The listener.
        type: str
  hostname:
    description: The host name of the HTTPRoute; default is that of O(endpoint.host) or O(endpoint.url).
    type: str
  manifests:
    description:
      - Files that replace objects of this module, by what they replace. Each has one object of the same kind and name.
      - It gets the label and, when it exists, keeps image, size and weights as the others do.
    type: dict
    suboptions:
      service_account:
        description: The ServiceAccount of the pods.
        type: path
      role:
        description: The releaser's Role, C(SERVER-releaser).
        type: path
      role_binding:
        description: Its RoleBinding, C(SERVER-releaser).
        type: path
      service_blue:
        description: The Service of blue.
        type: path
      service_green:
        description: The Service of green.
        type: path
      deployment_blue:
        description: The Deployment of blue.
        type: path
      deployment_green:
        description: The Deployment of green.
        type: path
      disruption_budget_blue:
        description: The PodDisruptionBudget of blue.
        type: path
      disruption_budget_green:
        description: The PodDisruptionBudget of green.
        type: path
      route:
        description: The HTTPRoute.
        type: path
  kustomize:
    description:
      - A folder that is built with C(kustomize build), or C(kubectl kustomize) where there is no kustomize.
      - Its objects replace those of the same kind and name. All others are applied first. They must be of the server's
        namespace.
    type: path
  force:
    description: Take over objects that this module did not make, and fields to which others gave other values.
    type: bool
    default: false
notes:
  - The user needs the installer's Role of C(docs/rights.md). Kubernetes lets nobody grant rights that he does not have.
  - There is no liveness probe, as it would restart a server that is slow, and cut the streams of all its clients.
  - With another O(route_kind) than V(httproute) the route is the user's. One that O(kustomize) has is created and never
    changed.
seealso:
  - module: mcp.server.mcp_preflight
  - module: mcp.server.mcp_rollout
"""

EXAMPLES = r"""
- name: Install a server
  mcp.server.mcp_install:
    namespace: mcp-prod
    server: mcp-server
    image_ref: ghcr.io/org/mcp-server:v1.1.5
    metrics_port: 9090
    env_from:
      - secretRef: {name: mcp-server-secrets}
    endpoint:
      url: https://mcp.example.com
    gateway:
      name: public
      namespace: gateways
    releasers:
      - {kind: ServiceAccount, name: mcp-releaser}

- name: Install a server whose blue Deployment and Secrets are yours
  mcp.server.mcp_install:
    namespace: mcp-prod
    server: mcp-server
    image_ref: ghcr.io/org/mcp-server:v1.1.5
    hostname: mcp.example.com
    gateway: {name: public}
    manifests:
      deployment_blue: deploy/blue.yml
    kustomize: deploy/more
"""

RETURN = r"""
objects:
  description: All objects in the order in which they were applied, and what was done, or would be in check mode.
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
      description: C(created), C(changed) or C(unchanged).
      type: str
  sample:
    - {kind: Service, name: mcp-server-blue, action: created}
    - {kind: Deployment, name: mcp-server-blue, action: unchanged}
started:
  description: Whether blue's Deployment was created, so that its pods start now.
  returned: success
  type: bool
  sample: true
replicas:
  description: How many pods blue's Deployment asks for.
  returned: success
  type: int
  sample: 2
notes:
  description: What else to know, a sentence for each.
  returned: success
  type: list
  elements: str
  sample: []
managers:
  description: The field managers that have fields with other values.
  returned: on failure, when that is why
  type: list
  elements: str
  sample: [kubectl-client-side-apply]
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_install import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
