#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_version_check
short_description: Check that a version's image exists and that a pool runs it
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - Fails when the image of O(version) is not in the registry and, with O(pool), when a ready pod of that pool does not
    run it. All differences are reported at once.
  - A pod runs the version when its image and digest are the registry's. What servers report of themselves counts only
    on request (O(compare_version)), and pods are asked only then.
  - With O(namespace) it returns what runs in both pools, also without a version to compare with.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.registry
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
options:
  namespace:
    description: The namespace of the server. Without it, only the registry is asked.
    type: str
    required: false
  server:
    description: Name of the MCP server, which its objects' names begin with. Required with O(namespace).
    type: str
    required: false
  version:
    description:
      - The version, which is the tag of O(image) in any form, such as V(v1.2.0) or V(sha-abc1234), or its digest, or
        both (V(v1.2.0@sha256:...)).
      - A number is refused, as it may have lost digits (1.1 for 1.10); put the version in quotes.
      - A tag without a digit in it, such as V(latest), is warned of, as it may name another image later.
      - With O(compare_version), what pods report is compared with a version such as V(v1.2.0) or V(1.10), and not with
        other tags and digests, which is warned of once.
    type: raw
  image:
    description: The image without its tag, such as V(ghcr.io/org/mcp-server). Required with O(version).
    type: str
  pool:
    description: Assert that this pool runs O(version).
    type: str
    choices: [blue, green]
  check_registry:
    description:
      - Whether the registry is asked for the image. Turn it off where it can't be reached from here; pods are then
        compared by their image's name and tag, and all of them must run one digest.
  digests:
    description:
      - Whether to return RV(registry_image.digests) too, for O(mcp.server.mcp_traffic_shift#module:digests). That is
        one more request, which Docker Hub counts as a pull.
      - Without O(pool), only the registry is asked then.
    type: bool
    default: false
  compare_version:
    description:
      - Which versions that each ready pod reports must be O(version) too, beside its image and digest - that of its
        health document (V(health), needs O(health_path)), or of MCP's C(serverInfo) (V(server_info)), which often is
        the version of a library.
      - Without O(pool) the ready pods of both pools are asked, and nothing is compared.
    type: list
    elements: str
    choices: [health, server_info]
    default: []
  timeout:
    description: Seconds that one pod may take to report its version.
    type: float
    default: 10.0
notes:
  - Pods are asked through the API server. O(endpoint.url) is not asked; it gives them the Host that they are used to.
seealso:
  - module: mcp.server.mcp_health
  - module: mcp.server.mcp_rollout
"""

EXAMPLES = r"""
- name: Check that the image is in the registry
  mcp.server.mcp_version_check:
    image: ghcr.io/org/mcp-server
    version: v1.2.0

- name: Check that every ready pod of the green pool runs it
  mcp.server.mcp_version_check:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    image: ghcr.io/org/mcp-server
    version: v1.2.0

- name: Check too that its health document says so
  mcp.server.mcp_version_check:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    image: ghcr.io/org/mcp-server
    version: v1.2.0
    health_path: /health
    compare_version: [health]

- name: Read what the pools run
  mcp.server.mcp_version_check:
    namespace: mcp-prod
    server: mcp-server
  register: running
"""

RETURN = r"""
registry_image:
  description: What the registry has of the version.
  returned: always, once the options were found right
  type: dict
  contains:
    image_ref:
      description: The image with its tag; null without O(version).
      type: str
    digest:
      description: The digest that the tag points at; null when it does not exist or was not asked for.
      type: str
    digests:
      description: With O(digests), that digest and all others by which a node may know the image - of an index those
        of its platforms, of a manifest that of its configuration.
      type: list
      elements: str
    exists:
      description: Whether it is in the registry; null when that was not asked.
      type: bool
  sample:
    image_ref: ghcr.io/org/mcp-server:v1.2.0
    digest: sha256:9b2c5d0f2f1c0b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4
    digests: []
    exists: true
host_notes:
  description: A sentence for each pool, Service or pod that refuses the public C(Host) over the port-forward and was
    asked under another one, see O(endpoint.pods.host).
  returned: always, once the options were found right
  type: list
  elements: str
  sample:
    - 'Pool green refuses the Host mcp.example.com over the port-forward (403 Forbidden: invalid Host header
      "mcp.example.com") and is asked as localhost:8080. If it refuses that Host to clients too, allow it in the
      server''s settings.'
pools:
  description: What runs in each pool, by V(blue) and V(green); empty without O(namespace).
  returned: always, once the options were found right
  type: dict
  contains:
    blue:
      description: The same keys as in RV(pools.green).
      type: dict
    green:
      description: The green pool.
      type: dict
      contains:
        image_ref:
          description: The image of the workload.
          type: str
        replicas:
          description: How many pods it shall have.
          type: int
        ready:
          description: How many are ready.
          type: int
        pods:
          description: The pods that are not on their way out.
          type: list
          elements: dict
          contains:
            name:
              description: Name of the pod.
              type: str
            image_ref:
              description: The image that it was made with.
              type: str
            digest:
              description: The digest that the node runs; null when it is not known.
              type: str
            ready:
              description: Whether it is ready. Only ready ones are asked for their version, with O(compare_version).
              type: bool
            health_version:
              description: The version in its health document; null when it gave none or was not asked.
              type: str
            server_version:
              description: The version in C(serverInfo); null when it gave none or was not asked.
              type: str
            problem:
              description: Why it reports no version; null when it does or was not asked.
              type: str
  sample:
    blue: {image_ref: "ghcr.io/org/mcp-server:v1.1.5", replicas: 0, ready: 0, pods: []}
    green:
      image_ref: ghcr.io/org/mcp-server:v1.2.0
      replicas: 1
      ready: 1
      pods:
        - name: mcp-server-green-6d4b
          image_ref: ghcr.io/org/mcp-server:v1.2.0
          digest: sha256:9b2c5d0f2f1c0b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4
          ready: true
          health_version: null
          server_version: null
          problem: null
mismatches:
  description: A sentence for each difference. Empty on success.
  returned: always, once the options were found right
  type: list
  elements: str
  sample: []
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_version_check import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
