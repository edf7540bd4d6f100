#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_compatibility
short_description: Compare a cluster, a server's version and its clients with the compatibility matrix
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Compares the version of Kubernetes, the version of the server and the revisions of MCP that it accepts with a row of
    the compatibility matrix. The collection has the rows of the deployment guide; O(rows) adds those of your server.
  - Compares the revisions that both pools accept. Servers do not list those for older clients, so a pod of each pool is
    asked by a handshake with each, whose sessions it ends.
  - What clients speak is at most what the version before accepts. So it fails when the new version refuses a revision
    that the one before accepts, unless a release has accepted that by name (C(mcp_contract_accept)).
  - All of it is compared, also when something fails. A version that is no number, such as C(sha-abc1234), is skipped.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.attributes
  - mcp.server.attributes.read_only
  - mcp.server.attributes.action_group
options:
  rows:
    description:
      - Rows of your own. Those of a version of the guide replace the collection's of the same version.
      - A row counts when it has the server's version in C(server). Where no row has it, a row of yours fails, and the
        guide's rows only warn, as they are about the versions of one server.
      - Ranges are written as C(1.2.x), C(1.24+), C(1.0.x - 1.2.x) or C(1.2.3), several of them with commas.
    type: list
    elements: dict
    default: []
    suboptions:
      guide:
        description: The version of the guide.
        type: str
        default: "1.0"
      server:
        description: The server's versions, in quotes where they are a number. Without it, all of them.
        type: raw
      revisions:
        description: Revisions of MCP, by date, of which the server must accept one. Without it, any.
        type: list
        elements: str
      kubernetes:
        description: The versions of Kubernetes, in quotes where they are a number. Without it, all of them.
        type: raw
      notes:
        description: A note for people, which is shown.
        type: str
  guide_version:
    description: The version of the guide whose rows count.
    type: str
    default: "1.0"
  version:
    description:
      - The version that is to be released, the tag of an image, its digest or both. Put it in quotes.
      - Without it, the version is the live pool's, and the pools are compared as the newest release in the record went
        from one to the other.
    type: raw
  accept:
    description:
      - Names of changes of the contract that the release accepts (C(mcp_contract_accept)), such as
        C(protocol_versions/2024-11-05). Others than these names of revisions are left alone.
      - Those that the release record has are accepted already.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds for the handshakes with one pod.
    type: float
    default: 15.0
  step_timeout:
    description: Seconds for each of them.
    type: float
    default: 5.0
seealso:
  - module: mcp.server.mcp_contract
  - module: mcp.server.mcp_version_consistency
"""

EXAMPLES = r"""
- name: Compare with the guide's rows
  mcp.server.mcp_compatibility:
    namespace: mcp-prod
    server: mcp-server
    version: v1.2.0

- name: Compare with rows of your own server
  mcp.server.mcp_compatibility:
    namespace: mcp-prod
    server: weather
    rows:
      - server: 0.3.x - 0.5.x
        kubernetes: 1.27+
      - server: 0.6+
        kubernetes: 1.29+
        revisions: ["2025-06-18", "2025-11-25"]
        notes: needs sidecar containers
"""

RETURN = r"""
checks:
  description:
    - The result of each comparison, as of M(mcp.server.mcp_verdict).
    - C(compatibility_kubernetes), C(compatibility_server) and C(compatibility_revisions) are the matrix's,
      C(client_revisions) the pools'.
  returned: when the matrix could be read
  type: list
  elements: dict
  sample:
    - id: compatibility_kubernetes
      name: Kubernetes version
      verdict: passed
      ok: true
      skipped: false
      required: true
      message: Kubernetes v1.34.1 goes with the guide 1.0.
      seconds: 0.0
revisions:
  description: The revisions of MCP that each pool accepts; null of a pool that could not be asked.
  returned: when the matrix could be read
  type: dict
  sample:
    blue: ["2024-11-05", "2025-03-26", "2025-06-18"]
    green: null
host_notes:
  description: Sentences about hosts that were found by asking, see O(endpoint).
  returned: when the matrix could be read
  type: list
  elements: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_compatibility import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
