#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_preflight
short_description: Assert that the cluster has what a release needs
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - Looks at the API server, the namespace, our rights in it, the Deployment and the Service of each pool, the route, the tools that would
    put back what a release writes (C(docs/gitops.md)), the Secrets and the nodes, and fails with all that is missing in one message.
  - What a release does not need and we may not look at (the namespace's own object, the nodes) is skipped.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.required_secrets
  - mcp.server.gitops
  - mcp.server.server
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
options:
  in_pod_checks:
    description: Whether the release runs checks inside the pods, such as C(./health-check --database), which needs C(get) and C(create) on C(pods/exec).
    type: bool
    default: false
  guard:
    description: Whether a guard is wanted (M(mcp.server.mcp_guard)), so that its rights are asked for.
    type: bool
    default: false
notes:
  - Whether the image exists is asked by M(mcp.server.mcp_version_check).
seealso:
  - module: mcp.server.mcp_version_check
  - module: mcp.server.mcp_health
"""

EXAMPLES = r"""
- name: Is everything there for a release?
  mcp.server.mcp_preflight:
    namespace: mcp-prod
    server: mcp-server
    required_secrets:
      - name: mcp-server-secrets
        keys: [DATABASE_URL]
"""

RETURN = r"""
checks:
  description: The checks in the order in which they were made. After a missing API server or namespace there are no more.
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    name:
      description: What was looked at.
      type: str
    ok:
      description: Whether it is as a release needs it; also true when it was skipped.
      type: bool
    skipped:
      description: Whether it could not be looked at because we may not.
      type: bool
    sentence:
      description: What was found.
      type: str
    seconds:
      description: How long it took.
      type: float
  sample:
    - name: route
      ok: true
      skipped: false
      sentence: HTTPRoute mcp-prod/mcp-server is in force, with blue at 100 % and green at 0 %.
      seconds: 0.021
"""

from ansible_collections.mcp.server.plugins.module_utils._preflight import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
