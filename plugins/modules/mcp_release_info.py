#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_release_info
short_description: Read what is live of an MCP server, who releases, and the release record
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Reads the server's route, its release record (the ConfigMap C(SERVER-release)) and its Lease.
  - Fails when both pools have half of the traffic and no release is recorded as running, as neither is live then.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.read_only
  - mcp.server.attributes.action_group
seealso:
  - module: mcp.server.mcp_release
"""

EXAMPLES = r"""
- name: Read what is live and who releases
  mcp.server.mcp_release_info:
    namespace: mcp-prod
    server: mcp-server
  register: release
"""

RETURN = r"""
live:
  description: The pool that has the traffic; during a release, the one that had it before.
  returned: success
  type: str
  sample: blue
idle:
  description: The pool that a release goes to.
  returned: success
  type: str
  sample: green
weights:
  description: Percent of each pool on the route.
  returned: success
  type: dict
  sample: {blue: 100, green: 0}
record:
  description:
    - The record of the newest release; null when there was none. It has C(paused), with C(at) and C(reason), while it
      waits to be run again.
    - C(run_id) is the id of the run that wrote it last, where that was one.
  returned: success
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
history:
  description: The records of the releases before it, newest first.
  returned: success
  type: list
  elements: dict
  sample: []
stats:
  description: The newest release for the jobs that follow, as M(mcp.server.mcp_announce) returns it; null when there is
    none.
  returned: success
  type: dict
  sample: null
holder:
  description: Who releases now, since when, and until when the Lease lasts if it is not renewed; null when nobody does.
  returned: success
  type: dict
  sample: {by: deploy@runner, since: "2026-11-23T11:20:00+00:00", until: "2026-11-23T11:21:12+00:00"}
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_release_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
