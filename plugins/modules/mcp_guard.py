#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_guard
short_description: Start or remove the guard of a release, which acts when the machine that releases has died
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - A guard is a Job in the server's namespace, C(SERVER-guard), with an execution-environment image that holds this
    collection.
  - It watches the Lease of the release. When the run that releases does not renew it any more, it rolls back, by the
    same code as M(mcp.server.mcp_rollback), or it pauses the release; and writes that into the release record.
  - With O(prometheus), as it is reached from inside the cluster, it also watches the triggers of a release whose run is
    gone. A credential for it can only be a Secret (C(token_secret)).
  - It ends when the release has ended, or another one has begun, and its Job is deleted ten minutes later.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.prometheus
  - mcp.server.gitops
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
      - V(present) starts the Job, in place of one for another run or with other options, and waits until the guard has
        written into the release record that it watches. So it is known to run, to reach the API server, and to have its
        rights.
      - V(absent) deletes the Job.
      - V(running) is the guard itself, which the Job runs. It watches the release until that has ended or is rolled
        back. By hand it does the same.
    type: str
    choices: [present, absent, running]
    default: present
  release_id:
    description: The id of the release, as M(mcp.server.mcp_release) returned it in its record. Needed for
      O(state=present).
    type: str
  action:
    description:
      - What the guard does when the run is gone.
      - V(pause) leaves the traffic as it is, says so in the record, and goes on watching, until somebody runs the
        release again or rolls back.
    type: str
    choices: [rollback, pause]
    default: rollback
  image_ref:
    description: An execution-environment image that holds this collection, of the same version. Needed for
      O(state=present).
    type: str
  service_account:
    description: The ServiceAccount of the Job's pod. It needs the Role in C(docs/guard.md), which is smaller than that
      of who releases.
    type: str
    default: mcp-guard
  endpoint:
    description:
      - The server's public address as the guard reaches it, from inside the cluster, and the paths that it serves.
        Files that it names are the image's.
      - Without it the guard's rollback is not verified by what clients get.
  auth:
    description:
      - Credentials for MCP requests, by which the guard's rollback is verified where there is no O(health_path). They
        can only be in Secrets, which the guard's Role must let it C(get).
  triggers:
    description:
      - Changes of the triggers, as in M(mcp.server.mcp_watch). With O(prometheus) a breach of one rolls back a release
        whose run is gone, also where the guard pauses. What can't be measured rolls nothing back.
    type: dict
    default: {}
  verify_seconds:
    description: Seconds for which the guard's rollback looks at the route afterwards, as in M(mcp.server.mcp_rollback).
    type: float
    default: 30.0
  wait_timeout:
    description: Seconds until the guard must watch, with O(state=present).
    type: float
    default: 120.0
  guard_id:
    description: The guard's id in the release record, which O(state=present) returns and O(options) has.
    type: str
  options:
    description:
      - With O(state=running), where it is needed, the guard's other options as JSON text. The Job gives them so, as
        Ansible's ad-hoc command would template them otherwise.
      - It must have C(release_id) and C(guard_id).
    type: dict
"""

EXAMPLES = r"""
- name: Start the guard of a release that mcp_release began
  mcp.server.mcp_guard:
    namespace: mcp-prod
    server: mcp-server
    release_id: "{{ release.record.id }}"
    run_id: "{{ release.run_id }}"
    image_ref: ghcr.io/org/mcp-server-ee:1.0.0

- name: Remove the guard
  mcp.server.mcp_guard:
    namespace: mcp-prod
    server: mcp-server
    state: absent
"""

RETURN = r"""
job:
  description: The name of the Job.
  returned: with O(state=present)
  type: str
  sample: mcp-server-guard
guard_id:
  description: The guard's id, which tells what it was made from.
  returned: with O(state=present)
  type: str
  sample: 0c2b6cbd1f5e
guard:
  description: What the release record says of the guard. Its C(state) is V(running), V(paused), V(rolled_back) or
    V(failed).
  returned: with O(state=present), not in check mode
  type: dict
  sample: {id: 0c2b6cbd1f5e, action: rollback, state: running, at: "2026-11-24T06:20:00.000Z", reason: ""}
kept_logs:
  description: What was kept of the bad pool's logs, as RV(mcp.server.mcp_rollout#module:kept_logs).
  returned: with O(state=running), after a rollback
  type: dict
decision:
  description: Why there is nothing more to guard, V(end) or V(rollback). After a rollback the keys of
    M(mcp.server.mcp_rollback) are there too.
  returned: with O(state=running)
  type: str
  sample: rollback
reason:
  description: The same in words.
  returned: with O(state=running)
  type: str
  sample: the run of deploy@runner last renewed its Lease 64 s ago
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_guard import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
