#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_rollback_target
short_description: Choose the pool for a rollback to a named version or revision, and record it
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Decides which pool a named version gets its traffic on, and what has to be done there first. A pool that has traffic
    never gets another image.
  - The rollback role does the rest with M(mcp.server.mcp_rollout), M(mcp.server.mcp_health) and
    M(mcp.server.mcp_rollback). A rollback to what was live before needs none of it; that is M(mcp.server.mcp_rollback)
    alone.
extends_documentation_fragment:
  - mcp.server.auth
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.registry
  - mcp.server.server
  - mcp.server.run_id
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
      - V(begun) decides from the cluster's state, and takes the server's Lease from whoever holds it, unless nothing is
        to be done or O(run_id) is given.
      - V(checked) records that O(pool) runs O(image_ref) and is what an emergency returns to;
        M(mcp.server.mcp_rollback) then brings the traffic there.
      - V(failed) adds a rollback to the record's history that did not get to the traffic.
    type: str
    choices: [begun, checked, failed]
    default: begun
  version:
    description:
      - The version to go back to, which is the tag of O(image) in any form, or its digest. For O(state=begun).
      - A number is refused, as it may have lost digits; put the version in quotes.
    type: raw
  force_version:
    description:
      - The version that may come back although the newest end of it in the release record is failed or rolled back.
      - Without it, such a version is refused. It has to be equal to O(version), or to the tag of the image of
        O(revision).
    type: str
  endpoint:
    description:
      - Where clients reach the server. When O(version) is live already, it is asked there whether it answers well, or
        without this in its pods.
      - If it does not, the module fails, as an emergency that changes nothing is no success.
  image:
    description: The image without its tag. Needed with O(version).
    type: str
  deploy_digest:
    description:
      - Whether the image is deployed by a digest - the one that the release record has for O(version), or else the one
        that the registry has.
      - When the registry no longer has the digest, the tag alone is used, which is warned of. A registry that does not
        answer is a warning, too.
    type: bool
    default: true
  image_ref:
    description: The image with its tag or digest, as RV(image_ref) was. Needed for V(checked) and V(failed) of
      O(state).
    type: str
  revision:
    description:
      - Instead of O(version), a revision of the rollout history of O(pool). For O(state=begun).
      - Only the image of the server's container is taken from it. M(mcp.server.mcp_rollout_info) lists them.
    type: int
  pool:
    description:
      - The pool that runs, or should have run, O(image_ref), for V(checked) and V(failed) of O(state).
      - With O(revision), the pool whose history it is of; by default the one that the traffic is to return to.
    type: str
    choices: [blue, green]
  reason:
    description: Why, for the release record; at most 500 characters of it are kept.
    type: str
    default: ""
seealso:
  - module: mcp.server.mcp_rollout_info
  - module: mcp.server.mcp_rollback
"""

EXAMPLES = r"""
- name: Choose the pool for v1.1.5
  mcp.server.mcp_rollback_target:
    namespace: mcp-prod
    server: mcp-server
    version: v1.1.5
    image: ghcr.io/org/mcp-server
  register: pin

- name: Record that it runs there and was checked
  mcp.server.mcp_rollback_target:
    namespace: mcp-prod
    server: mcp-server
    state: checked
    pool: "{{ pin.pool }}"
    image_ref: "{{ pin.image_ref }}"
    run_id: "{{ pin.run_id }}"
"""

RETURN = r"""
needed:
  description: Whether anything is to be done. Not when the image is live and no rollback to it was cut off.
  returned: with O(state=begun)
  type: bool
pool:
  description: The pool that gets all traffic.
  returned: with O(state=begun)
  type: str
  sample: blue
bad_pool:
  description: The other one.
  returned: with O(state=begun)
  type: str
  sample: green
image_ref:
  description: The image that gets the traffic.
  returned: with O(state=begun)
  type: str
  sample: ghcr.io/org/mcp-server:v1.1.5@sha256:9b2c5d0f2f1c0b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4
version:
  description: Its version, which is its tag, or its digest.
  returned: with O(state=begun)
  type: str
  sample: v1.1.5
clear_first:
  description: Whether both pools have traffic and none has the image, so that all traffic goes to the stable one first.
  returned: with O(state=begun)
  type: bool
deploy:
  description: Whether the pool must get the image or more pods first.
  returned: with O(state=begun)
  type: bool
replicas:
  description: How many pods it shall have.
  returned: with O(state=begun)
  type: int
  sample: 2
weights:
  description: Percent of each pool on the route.
  returned: with O(state=begun)
  type: dict
  sample: {blue: 0, green: 100}
run_id:
  description: The id of this run, for the option C(run_id) of the tasks that follow; empty when none was needed.
  returned: with O(state=begun)
  type: str
  sample: 5f1c2e9a7b30
record:
  description: The record of what an emergency rolls back now.
  returned: with V(checked) and V(failed) of O(state)
  type: dict
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_rollback_target import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
