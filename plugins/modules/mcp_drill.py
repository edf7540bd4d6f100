#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_drill
short_description: Rehearse break-glass on a server that is there for it
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Breaks a server on purpose, breaks the glass (M(mcp.server.mcp_break_glass)), verifies that clients get answers,
    repairs the server, restores what break-glass changed, and verifies that all is as before.
  - The pods of the live pool are replaced by ones that run and are never ready, by a readiness gate that nobody sets.
    Clients get errors until the glass is broken. Image, probes and environment stay as they are, but sessions in the
    memory of these pods are lost.
  - Refused unless O(allowed), while a release runs, is paused or was interrupted, while a glass is broken, and where
    clients get no answers before the drill.
  - A drill that was killed is put back by the next run, which does nothing else then.
  - It takes the server's Lease, so that no release begins meanwhile. Day, outcome and seconds of the last drill stand
    in the annotation C(mcp.server/last-drill) of the release record.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.gitops
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: partial
    details: Checks all that would refuse a drill, and says which pool it would break.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run is a drill.
options:
  allowed:
    description: Whether this server is there for drills, and its clients may get errors.
    type: bool
    default: false
  endpoint:
    required: true
  break_timeout:
    description: Seconds within which clients must get errors once the pool is broken.
    type: float
    default: 120
  answer_timeout:
    description: Seconds within which clients must get answers once the glass is broken.
    type: float
    default: 30
  ready_timeout:
    description: Seconds within which the pods of the pool must be ready once it is repaired.
    type: float
    default: 300
notes:
  - It breaks a Deployment. A pool that is a StatefulSet is refused, and so is a route whose traffic goes by labels of
    pods.
  - The user needs the Role in C(docs/drill.md).
seealso:
  - module: mcp.server.mcp_break_glass
"""

EXAMPLES = r"""
- name: Rehearse an outage
  mcp.server.mcp_drill:
    namespace: mcp-drills
    server: mcp-server
    endpoint: {url: "https://drills.example.com"}
    allowed: true
"""

RETURN = r"""
pool:
  description: The pool that was broken; null when a drill that was killed was put back.
  returned: always
  type: str
  sample: blue
cleaned_up:
  description: Whether it put back what a drill left that was killed, and did nothing else.
  returned: always
  type: bool
seconds:
  description: The seconds of each part, by name.
  returned: always
  type: dict
  sample: {"clients get errors": 3.1, "break-glass": 2.6, "repair": 14.0, "restore": 0.3}
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_drill import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
