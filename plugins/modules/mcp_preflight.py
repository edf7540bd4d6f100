#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_preflight
short_description: Check that the cluster has what a release needs
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - Looks at the API server, the namespace, our rights in it, the Deployment or StatefulSet and the Service of each
    pool, the route, what tells which pool answers, the tools that would put back what a release writes
    (C(docs/gitops.md)), the Secrets, the nodes and their room for the idle pool, quotas, limit ranges and budgets, what
    the pools run and in what they differ, and the image, and fails with all that is missing in one message.
  - The rights are asked for by the names of the server's objects, so that a Role may be narrowed to them by
    C(resourceNames), as the one in the collection's README is. What is missing is named with its verb, resource, group,
    name and namespace, and with the rule to add.
  - Whether answers name their pool is tried with at most 10 requests to O(endpoint), 3 where each opens a session.
    Without O(endpoint) it goes by the route alone.
  - Also tries what the release needs later - a query for each source of O(prometheus), a connection to each of
    O(webhooks) without a message, O(alertmanager), the digest of O(guard_image_ref), places and O(files) - side by side
    and within 20 s.
  - Secrets are looked at with their keys, their age and their last change; no value is returned. What the
    ServiceAccount of the pods may do is asked of the API server (C(docs/secrets.md)).
  - What a release does not need and we may not look at (the namespace's own object, the nodes, quotas, the guard's
    ServiceAccount) is skipped (C(docs/preflight.md)).
extends_documentation_fragment:
  - mcp.server.alertmanager
  - mcp.server.later
  - mcp.server.prometheus
  - mcp.server.registry
  - mcp.server.webhooks
  - mcp.server.cluster
  - mcp.server.auth
  - mcp.server.endpoint
  - mcp.server.required_secrets
  - mcp.server.gitops
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
options:
  auth:
    description:
      - Credentials for O(endpoint), where MCP requests are sent to it.
      - At most one of the three places of a token can be given. Without one, none is sent.
  guard:
    description: Whether a guard is wanted (M(mcp.server.mcp_guard)), so that the rights for its Job are asked for, and
      its ServiceAccount is looked at.
    type: bool
    default: false
  guard_service_account:
    description: The ServiceAccount of the guard, as O(mcp.server.mcp_guard#module:service_account).
    type: str
    default: mcp-guard
  version:
    description:
      - The version to release - a tag in any form, or a digest. It is refused when its newest end in the release record
        is failed or rolled back.
      - A number is refused, as it may have lost digits; put the version in quotes.
    type: raw
  force_version:
    description: The version that may be released all the same. It has to be equal to O(version).
    type: str
  image:
    description: The server's image without its tag. O(registry) stands in for its registry, and for that of
      O(guard_image_ref) when it is the same.
    type: str
  scope:
    description: Which checks are made - V(now), of what has to be there now, and V(later), of what the release needs
      later.
    type: list
    elements: str
    choices: [now, later]
    default: [now, later]
  quiet:
    description: Whether no line is shown for each check. A play that shows RV(checks) at its end needs none.
    type: bool
    default: false
  starts_release:
    description:
      - Whether a release starts with this. Then webhooks, O(alertmanager) and O(report_dest), which it can do without,
        are warned of and fail nothing.
      - All of V(later) is only warned of for a release that goes on after it was cut off, and has traffic already.
    type: bool
    default: false
requirements:
  - requests (Python), for the image and for what is needed later
notes:
  - The image is looked for when both O(image) and O(version) are given.
seealso:
  - module: mcp.server.mcp_version_check
  - module: mcp.server.mcp_health
"""

EXAMPLES = r"""
- name: Check what a release needs
  mcp.server.mcp_preflight:
    namespace: mcp-prod
    server: mcp-server
    required_secrets:
      - name: mcp-server-secrets
        keys: [DATABASE_URL]

- name: Check what a release needs later
  mcp.server.mcp_preflight:
    namespace: mcp-prod
    server: mcp-server
    scope: [later]
    prometheus:
      url: https://prometheus.example.com
      token_env: PROMETHEUS_TOKEN
    webhooks:
      - url_env: SLACK_WEBHOOK_URL
        format: slack
"""

RETURN = r"""
checks:
  description: The checks in the order in which they were made. After a missing API server or namespace there are only
    those of V(later).
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description:
        - What was looked at, for programs. It stays the same when the words of RV(checks[].name) and
          RV(checks[].message) change.
        - Of V(now), C(api_server), C(namespace), C(rights), C(workload_blue), C(workload_green), C(service_blue),
          C(service_green), C(overlap), C(route), C(pool_header), C(gitops), C(break_glass), C(secrets),
          C(secrets_age), C(service_account_rights), C(service_account_excess), C(guard_service_account), C(nodes),
          C(room), C(quotas), C(limit_ranges), C(disruption_budgets), C(running_blue), C(running_green), C(drift),
          C(registry), C(platform), C(image_check) and C(version).
        - Of V(later), C(metrics), C(guard_image), C(files), C(webhooks), C(alertmanager) and C(report), as far as there
          is something to look at.
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) where it could not be looked at because we may not, or
        V(cannot_measure).
      type: str
    ok:
      description: Whether it is as a release needs it; also true when it was skipped.
      type: bool
    required:
      description:
        - Whether the module fails when it is not so. Otherwise it is a warning, which a release goes on with.
        - C(secrets_age), C(disruption_budgets), C(running_blue), C(running_green) and C(drift) only warn; so do one bad
          node of several, a lack of room where nodes may be added, and the default list of
          O(service_account_forbidden).
        - For a release that was interrupted and goes on, what its pods needed to start only warns, too.
      type: bool
    skipped:
      description: Whether it could not be looked at because we may not.
      type: bool
    message:
      description: What was found.
      type: str
    seconds:
      description: How long it took.
      type: float
  sample:
    - id: route
      name: route
      verdict: passed
      ok: true
      required: true
      skipped: false
      message: HTTPRoute mcp-prod/mcp-server is in force, with blue at 100 % and green at 0 %.
      seconds: 0.021
checked_digest:
  description: The digest of the image that O(image_check_command) was given; empty without one. A release of another
    digest, as of a tag that was moved since, is refused.
  returned: as RV(checks)
  type: str
  sample: ""
goes_on:
  description: Whether O(version) is that of a release that was interrupted, which the same command goes on with.
  returned: as RV(checks)
  type: bool
  sample: false
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_preflight import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
