#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_version_consistency
short_description: Compare everything that names the version of an MCP server
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Compares the tag of the image that a pool has, C(git describe) of the source, the image's labels, the digest in the
    registry and of the pods, the release record, the health document, C(serverInfo) and the contract.
  - One result names all that agree. Each source that disagrees is a result of its own, and so is one that is missing.
  - The version is the image's tag. Where that is no number, such as C(sha-abc1234), it is the first that is one.
  - What a server says of itself, and the label, which images inherit, only warn when they disagree, unless
    O(compare_version) names them. A version in C(serverInfo) that is a library's (the Python SDK, FastMCP), a constant
    or a proxy's is reported, and is no disagreement then.
  - In the clone of O(source) nothing is run but C(git describe) and C(git rev-parse), without hooks and downloads.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.registry
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.attributes
  - mcp.server.attributes.read_only
  - mcp.server.attributes.action_group
options:
  pool:
    description: The pool to look at. Without it, the live one.
    type: str
    choices: [blue, green]
  source:
    description: A local clone of the server's source, where the module runs. Without it, Git is not asked.
    type: path
  compare_version:
    description: The versions that must agree, among those that servers report of themselves.
    type: list
    elements: str
    choices: [health, server_info]
    default: []
  timeout:
    description: Seconds for all that a pod is asked.
    type: float
    default: 20.0
  step_timeout:
    description: Seconds for each request.
    type: float
    default: 5.0
seealso:
  - module: mcp.server.mcp_version_check
  - module: mcp.server.mcp_contract
"""

EXAMPLES = r"""
- name: Compare what names the version of what is live
  mcp.server.mcp_version_consistency:
    namespace: mcp-prod
    server: mcp-server
    source: ~/src/mcp-server
    health_path: /health
    compare_version: [health]
"""

RETURN = r"""
checks:
  description:
    - What agrees (C(version_agrees)), and a result for each source that disagrees or is missing, as of
      M(mcp.server.mcp_verdict). Their ids are C(version_) with one of C(tag), C(git), C(label), C(revision), C(health),
      C(server_info), C(digest), C(record) and C(contract).
  returned: when the live pool is known
  type: list
  elements: dict
  sample:
    - id: version_agrees
      name: "version: what agrees"
      verdict: passed
      ok: true
      skipped: false
      required: true
      message: "v1.2.0: the image's tag, the health document, the digest of the pods' image (sha256:5f1c2e...)."
      seconds: 0.0
pool:
  description: The pool that was looked at.
  returned: when the live pool is known
  type: str
  sample: green
image_ref:
  description: The image that its workload has.
  returned: when the live pool is known
  type: str
  sample: ghcr.io/org/mcp-server:v1.2.0@sha256:5f1c2e...
host_notes:
  description: Sentences about hosts that were found by asking, see O(endpoint).
  returned: when the live pool is known
  type: list
  elements: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_version_consistency import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
