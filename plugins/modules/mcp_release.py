#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_release
short_description: Begin, update, pause or end a release of an MCP server in its release record
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The release record is what the cluster keeps of each release, in the ConfigMap C(SERVER-release) - who, when, from
    what, to what, each step, the outcome.
  - Begin a release before anything is changed; a rollback finds there what to go back to.
  - A release that was cut off is resumed when the same image is released again. One of another image takes its place
    and keeps its stable pool.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.gitops
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
      - V(begun) and V(ended) write the record. M(mcp.server.mcp_release_info) reads it.
      - V(updated) adds O(contract) to the newest release.
      - V(paused) says in the record why the newest release waits for whoever runs it again (V(begun)) or takes it back.
      - V(begun) also takes the server's Lease C(SERVER-release), and fails while another run holds it, or while a tool
        would put back what the release writes (O(gitops_ignores)). Hand RV(run_id) to the tasks that follow, which keep
        it renewed while they work. V(ended), V(paused) and V(lease_returned) give it back, and the autoscalers'
        C(minReplicas) that M(mcp.server.mcp_rollout) raised.
      - A run that was killed loses it after 60 s, or at once when it ran on this machine.
    type: str
    choices: [begun, updated, paused, ended, lease_returned]
    required: true
  bypassed:
    description: What a person bypassed by name, with O(state=begun). It stays in the record of this release, and
      M(mcp.server.mcp_announce) says it until a release without any has succeeded.
    type: list
    elements: str
    default: []
  bypass_reason:
    description: Why, for O(bypassed).
    type: str
    default: ""
  take_over:
    description: Take the Lease from whoever holds it, with O(state=begun). Needs O(reason).
    type: bool
    default: false
  image_ref:
    description: The image that is released, with its tag or digest. Needed for O(state=begun).
    type: str
  digest:
    description: The image's digest for the record, with O(state=begun) or V(updated).
    type: str
  digest_problem:
    description: Why the registry does not tell the digest of O(image_ref), a sentence. Such a release is refused,
      unless it resumes one that was interrupted, whose digest the record has. For O(state=begun).
    type: str
    default: ""
  version:
    description:
      - The version that is released - the tag of O(image_ref) in any form, or its digest. Needed for O(state=begun).
      - A number is refused, as it may have lost digits; put the version in quotes.
    type: raw
  force_version:
    description:
      - With O(state=begun), the version that may be released although the newest end of it in the record is failed or
        rolled back.
      - Without it, such a version is refused, so that an automatic retry does not release it again. It has to be equal
        to O(version).
    type: str
  contract:
    description: What the released version offers. Needed for O(state=updated).
    type: dict
    suboptions:
      structure_hash:
        description: As M(mcp.server.mcp_contract) returns it.
        type: str
        required: true
      text_hash:
        description: As M(mcp.server.mcp_contract) returns it.
        type: str
        required: true
      accepted:
        description: The names of differences from the live version that were accepted. The record keeps the first 20,
          and how many there were.
        type: list
        elements: str
        default: []
  outcome:
    description: How the release ended. Needed for O(state=ended).
    type: str
    choices: [succeeded, failed, rolled_back]
  judged:
    description:
      - Whether the end (O(state=ended)) says anything of the version.
      - Set it to V(false) for a release that was refused before anything was deployed. The version may be released
        again then without O(force_version).
    type: bool
    default: true
  return_lease:
    description: Whether the run's Lease is given back with O(state=ended) and O(state=paused). Without that, end with
      O(state=lease_returned).
    type: bool
    default: true
  paused_until:
    description:
      - With O(state=paused), the time in ISO 8601 until which the release is paused for an approval.
      - A guard (M(mcp.server.mcp_guard)) takes the Lease, and rolls back then.
    type: str
  by:
    description: Who releases; default is AWX's job, or else the user and the machine that Ansible runs as and on.
    type: str
  reason:
    description: Why, for whoever reads the record; at most 500 characters of it are kept. Needed for O(state=paused).
    type: str
    default: ""
seealso:
  - module: mcp.server.mcp_release_info
"""

EXAMPLES = r"""
- name: Begin a release
  mcp.server.mcp_release:
    namespace: mcp-prod
    server: mcp-server
    state: begun
    image_ref: ghcr.io/org/mcp-server:v1.2.0
    version: v1.2.0
  register: release

- name: Record its contract
  mcp.server.mcp_release:
    namespace: mcp-prod
    server: mcp-server
    state: updated
    contract:
      structure_hash: "{{ contract.structure_hash }}"
      text_hash: "{{ contract.text_hash }}"

- name: End the release
  mcp.server.mcp_release:
    namespace: mcp-prod
    server: mcp-server
    state: ended
    outcome: succeeded
"""

RETURN = r"""
live:
  description: The pool that has the traffic; during a release, the one that had it before.
  returned: unless O(state=lease_returned)
  type: str
  sample: blue
idle:
  description: The pool that a release goes to.
  returned: unless O(state=lease_returned)
  type: str
  sample: green
weights:
  description: Percent of each pool on the route.
  returned: unless O(state=lease_returned)
  type: dict
  sample: {blue: 100, green: 0}
image_ref:
  description: The image to deploy, which is O(image_ref), or as the release that is resumed began with it.
  returned: with O(state=begun)
  type: str
  sample: ghcr.io/org/mcp-server:v1.2.0@sha256:9b2c5d0f2f1c0b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4
previous_image_ref:
  description: The image of the pool RV(live).
  returned: unless O(state=lease_returned)
  type: str
  sample: ghcr.io/org/mcp-server:v1.1.5
replicas:
  description: Replicas of the pool RV(live).
  returned: unless O(state=lease_returned)
  type: int
  sample: 2
resumed:
  description: Whether a release that was cut off goes on.
  returned: unless O(state=lease_returned)
  type: bool
run_id:
  description: The id of this run, for the option C(run_id) of the tasks that follow.
  returned: with O(state=begun)
  type: str
  sample: 5f1c2e9a7b30
already_live:
  description: Whether the image has all the traffic already, so that there is nothing to release.
  returned: unless O(state=lease_returned)
  type: bool
record:
  description:
    - The record of the newest release; null when there was none. It has C(paused), with C(at) and C(reason), while it
      waits to be run again.
    - C(run_id) is the id of the run that wrote it last, where that was one.
  returned: unless O(state=lease_returned)
  type: dict
  sample:
    id: 2026-11-23T11:20:00.000Z-v1.2.0
    server: mcp-server
    run_id: 5f1c2e9a7b30
    started: "2026-11-23T11:20:00.000Z"
    by: deploy@runner
    reason: ""
    from: {pool: blue, image_ref: "ghcr.io/org/mcp-server:v1.1.5", digest: "sha256:...", version: v1.1.5, weights:
      {blue: 100, green: 0}, replicas: 2}
    to: {pool: green, image_ref: "ghcr.io/org/mcp-server:v1.2.0", digest: "", version: v1.2.0}
    steps: []
    outcome: running
    ended: null
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_release import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
