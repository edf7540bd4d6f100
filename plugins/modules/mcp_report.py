#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_report
short_description: Write the report of a release as one HTML file
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The file tells what was released, by whom, when, how it ended and why, with each step's share as it was set and as
    it was measured.
  - With O(prometheus), also with the share, the error rate and the latency of both pools over time.
  - It needs nothing else (no script, font or image from elsewhere), can be printed, and is below 200 kB, so that it can
    be attached to a ticket.
  - It is written where the module runs.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.prometheus
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: A report is not meant to be read line by line.
  idempotent:
    support: full
    details: The file is written when its content differs. That of a release which goes on differs each time.
options:
  dest:
    description:
      - The file, which ends in C(.html), or the folder that it goes to, under the name of server and release. Missing
        folders are made.
    type: path
    required: true
  release_id:
    description: The id of the release. Without it, the newest.
    type: str
  prometheus:
    description:
      - Where the series over time come from, from a minute before the release until two minutes after it. Without it,
        there are none.
      - A Prometheus that is down is a warning.
  verdicts:
    description:
      - Verdicts of gates, oldest first, each as M(mcp.server.mcp_gate) returns it in C(gates), with C(at) (ISO 8601)
        and C(pool) besides.
    type: list
    elements: dict
    default: []
  kind:
    description: The kind of the failure, which the report shows with whom to call, as in M(mcp.server.mcp_announce).
    type: str
    choices: [deployment, application, business, customer]
  escalation:
    description: Whom to call, as in M(mcp.server.mcp_announce). Only with O(kind).
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
        description: The kind of failure that they are called for first.
        type: str
        choices: [deployment, application, business, customer]
  dashboard_url:
    description:
      - A dashboard to link to, such as the one in C(docs/dashboard) of the collection. Added to it are the time of the
        release (C(from), C(to)) and the server (C(var-namespace), C(var-server)), as Grafana reads them.
      - A URL that is not C(http) or C(https), or has a password, is a warning.
    type: str
"""

EXAMPLES = r"""
- name: Report the newest release
  mcp.server.mcp_report:
    namespace: mcp-prod
    server: mcp-server
    dest: /var/lib/reports/
    prometheus:
      url: https://prometheus.example.com
      token_env: PROMETHEUS_TOKEN
    dashboard_url: https://grafana.example.com/d/mcp-server
  register: report

- name: Report an older one
  mcp.server.mcp_report:
    namespace: mcp-prod
    server: mcp-server
    dest: /tmp/release.html
    release_id: 2026-11-23T11:20:00.000Z-v1.2.0
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /var/lib/reports/mcp-server-2026-11-23T112000.000Z-v1.2.0.html
size:
  description: Its size in bytes.
  returned: success
  type: int
  sample: 28972
stats:
  description: The release, for M(ansible.builtin.set_stats).
  returned: success
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

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_report import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
