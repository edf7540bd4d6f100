#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_stage
short_description: Bring a version to a server without pools, and wait until it runs
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - For a server that is one Deployment or StatefulSet, as in a staging namespace. A server with pools is released by
    P(mcp.server.bluegreen#role).
  - Applies your manifests server-side, with O(image_ref) as the image of the server's container, whatever image they
    have. First all of them as a dry run, so that nothing is written when one of them is refused.
  - It writes to O(namespace) only. An object that is of another namespace, of the whole cluster, or changed by releases
    is refused. Nothing is deleted.
  - Fields with other values that others set are refused, unless O(force) is set.
  - Without O(folder), O(kustomize) and O(helm_release), the workload that is there gets the image.
  - Then it waits until all pods are ready, and ends at once when that can't be - an image that is missing, a container
    that crashes again and again, a quota, no node with room.
  - It holds the Lease C(SERVER-release) while it writes. A run that was killed is finished by the next one.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: Each object is applied as a dry run by the API server. The rollout is not waited for.
  diff_mode:
    support: full
    details: Values of Secrets are hidden.
  idempotent:
    support: full
options:
  image_ref:
    description: The image with its tag, its digest or both.
    type: str
    required: true
  workload:
    description:
      - The server's workload - the name of a Deployment, or a dictionary with C(deployment) or C(stateful_set), and
        C(service).
      - By default Deployment and Service have the name of O(server).
    type: raw
  folder:
    description: A folder with manifests, in files that end with C(.yaml), C(.yml) or C(.json). Those in folders below
      it are left out.
    type: path
  kustomize:
    description: A kustomize folder. Needs C(kustomize) or C(kubectl).
    type: path
  helm_release:
    description: The Helm release that has been applied. Then the image is only looked at.
    type: str
  force:
    description: Whether to take over fields to which others gave other values.
    type: bool
    default: false
  wait_timeout:
    description: Seconds until all pods must be ready.
    type: float
    default: 300.0
  ready_grace:
    description: Seconds after which a problem that could pass by itself counts as one that does not.
    type: float
    default: 30.0
seealso:
  - module: mcp.server.mcp_install
  - module: mcp.server.mcp_flow_check
"""

EXAMPLES = r"""
- name: Deploy a version to staging
  mcp.server.mcp_stage:
    namespace: mcp-staging
    server: mcp-server
    image_ref: ghcr.io/org/mcp-server:v1.2.0
    folder: k8s/staging
"""

RETURN = r"""
checks:
  description: The results, C(apply) and C(rollout).
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description: V(apply) or V(rollout).
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), or V(skipped), of the rollout after a failed apply and in check mode.
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    skipped:
      description: Whether it was not made.
      type: bool
    required:
      description: Always true.
      type: bool
    message:
      description: What was found; of a failure also what to do.
      type: str
    seconds:
      description: How long it took.
      type: float
objects:
  description: The objects that were applied, those that did not change first. After a failure, those up to it.
  returned: always, once the options were found right
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
      description: V(created), V(changed) or V(unchanged).
      type: str
image_ref:
  description: The image.
  returned: always, once the options were found right
  type: str
service:
  description: The server's Service.
  returned: always, once the options were found right
  type: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_stage import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
