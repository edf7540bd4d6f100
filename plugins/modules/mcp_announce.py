#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_announce
short_description: Announce how a release or a rollback of an MCP server ended
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Posts what the release record tells to webhooks, as generic JSON or as Slack (and what is compatible with it) takes
    it.
  - Each end is announced once. The record keeps what was announced, so that a second run posts nothing. Other events
    (O(event)) are always announced.
  - A webhook that is down is a warning and nothing more, and all of them together take no longer than O(timeout).
  - Without anything to announce, it returns RV(stats) all the same.
extends_documentation_fragment:
  - mcp.server.webhooks
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: What is sent is in RV(announcement).
  idempotent:
    support: partial
    details: An end that was announced is not announced again; other events are.
options:
  event:
    description:
      - What happened. With V(ended) the release record tells it, and nothing is announced while the release goes on.
      - V(release_failed), V(rollback_failed) and V(paused) are what the record can't tell. V(paused) is a release that
        stays at its share.
    type: str
    choices: [ended, release_failed, rollback_failed, paused]
    default: ended
  failure:
    description: Why it failed, or is paused, with such an event.
    type: str
  escalation:
    description: Whom to call, in this order, see O(kind). It is part of every announcement but that of a success.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Who, a person or a role.
        type: str
        required: true
      contact:
        description: A telephone number, a pager or the like.
        type: str
      when:
        description: What they are called for.
        type: str
      kind:
        description: The kind of failure that they are called for first, see O(kind). Without it, they are called for
          every kind.
        type: str
        choices: [deployment, application, business, customer]
  kind:
    description:
      - The kind of the failure. The announcement names those of O(escalation) who are called for it, and those of the
        kinds above it. V(deployment) is the lowest, V(customer) the highest.
      - V(deployment) is what pre-flight, the registry or a rollout found, V(application) a trigger, the health or the
        contract of the new version, or a check, V(business) a rollback that failed, and V(customer) that more than 5 %
        of the answers at the public endpoint fail.
      - Without it, O(event=rollback_failed) is V(business), O(event=release_failed) and O(event=paused) are
        V(deployment), and an end has none.
    type: str
    choices: [deployment, application, business, customer]
  timeout:
    description: Seconds that all webhooks together may take. Each is tried up to three times within them.
    type: float
    default: 6.0
requirements:
  - requests >= 2.31 (Python)
"""

EXAMPLES = r"""
- name: Announce how the release ended
  mcp.server.mcp_announce:
    namespace: mcp-prod
    server: mcp-server
    webhooks:
      - url_env: SLACK_WEBHOOK_URL
        format: slack

- name: Announce that the rollback failed
  mcp.server.mcp_announce:
    namespace: mcp-prod
    server: mcp-server
    webhooks:
      - url_file: /etc/mcp/webhook
    event: rollback_failed
    failure: Pool blue has no ready endpoint.
    escalation:
      - name: Platform Engineering On-Call
        kind: deployment
      - name: Engineering Director
        kind: business
    kind: business
"""

RETURN = r"""
delivered:
  description: How many webhooks took it.
  returned: always
  type: int
  sample: 1
announcement:
  description: What is announced, in the generic format, or would be if it were time.
  returned: always
  type: dict
  sample:
    namespace: mcp-prod
    server: mcp-server
    outcome: rolled_back
    kind: application
    bypassed: []
    bypass_reason: ""
    bypassed_version: ""
    summary: "mcp-prod/mcp-server: v1.2.0 was rolled back to v1.1.5"
    failure: ""
    release:
      id: 2026-11-23T11:20:00.000Z-v1.2.0
      started: "2026-11-23T11:20:00.000Z"
      ended: "2026-11-23T11:29:22.000Z"
      by: deploy@runner
      outcome: rolled_back
      reason: The watch ended with breach.
      seconds: 562.0
      from: {pool: blue, image_ref: "ghcr.io/org/mcp-server:v1.1.5", digest: "sha256:...", version: v1.1.5}
      to: {pool: green, image_ref: "ghcr.io/org/mcp-server:v1.2.0", digest: "", version: v1.2.0}
      weights: {blue: 100, green: 0}
      steps: []
    escalation:
      - {when: "", name: MCP Development Team Lead, contact: "", kind: application}
stats:
  description: The newest release, for M(ansible.builtin.set_stats); null when there is none, or it could not be read.
  returned: always
  type: dict
  sample:
    id: 2026-11-23T11:20:00.000Z-v1.2.0
    outcome: rolled_back
    reason: The watch ended with breach.
    from_pool: blue
    from_version: v1.1.5
    to_pool: green
    to_version: v1.2.0
    weights: {blue: 100, green: 0}
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_announce import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
