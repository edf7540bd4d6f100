#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_status_info
short_description: Read what is live of an MCP server, and show it as a table
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Reads the route, the release record, the Lease, what C(break_glass.yml) changed, both pools and each of their pods,
    memory and CPU from the metrics API, and counts answers through the gateway. It judges all that, and shows what is
    wrong first.
  - What cannot be read is a dash in the table and a sentence in RV(unread), never a failure. It fails only when the API
    server answers nothing at all.
  - It shows a table as the task runs, whatever the play's stdout callback and its result format are. A callback whose
    output is for programs, such as C(ansible.posix.json), has the table on stderr, and in RV(lines).
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.auth
  - mcp.server.prometheus
  - mcp.server.attributes
  - mcp.server.attributes.read_only
  - mcp.server.attributes.action_group
options:
  endpoint:
    description: The server's public address. Without it, no answers are counted.
  seconds:
    description: For how many seconds answers are counted, to measure the share of each pool; 0 to count none.
    type: float
    default: 2.0
  releases:
    description: How many of the newest releases are shown.
    type: int
    default: 5
  prometheus:
    description:
      - The Prometheus by which the triggers are judged once, for each pool that has traffic. Without it, none are.
  triggers:
    description: Changes of the triggers, as in M(mcp.server.mcp_watch).
    type: dict
    default: {}
  sessions_metric:
    description: The gauge of open sessions that each pod shows to Prometheus. Without it their number is not known.
    type: dict
    suboptions:
      name:
        description: The metric's name. Several series of it are added.
        type: str
        required: true
      port:
        description: The port of the pod that shows it.
        type: int
        default: 9090
      path:
        description: The path.
        type: str
        default: /metrics
  drill:
    description:
      - Whether the server is there for drills, so that the last drill is read, and one that failed, is missing or is
        older than 92 days counts as V(attention).
    type: bool
    default: false
  guide:
    description:
      - Whether the server is there for C(validate_guide.yml), so that its stamps are read. A heading that failed, a
        last run older than 31 days, and a missing one count as V(attention).
    type: bool
    default: false
  show:
    description: Whether the table is shown.
    type: bool
    default: true
  fleet:
    description:
      - Servers that were read by other tasks, each a dictionary with C(host), a name, and C(status), the result of this
        module or of its failure. With it nothing is read. It shows one line for each server, the sick first.
    type: list
    elements: dict
  others:
    description:
      - RV(mcp.server.mcp_instances_info#module:instances) of M(mcp.server.mcp_instances_info). Those that no server in
        O(fleet) has are shown.
    type: list
    elements: dict
    default: []
  others_problem:
    description: Why O(others) could not be read, a sentence that is shown.
    type: str
    default: ""
  label_selector:
    description: The labels by which O(others) were found, for the sentence about them.
    type: str
    default: ""
  dest:
    description:
      - A file, where the module runs, that is written with the server, or all servers in O(fleet), as JSON. Missing
        folders are made. It is replaced in one step. Writing it does not count as a change.
    type: path
seealso:
  - module: mcp.server.mcp_release_info
  - module: mcp.server.mcp_version_check
  - module: mcp.server.mcp_watch
  - module: mcp.server.mcp_instances_info
"""

EXAMPLES = r"""
- name: Show what is live
  mcp.server.mcp_status_info:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp.example.com

- name: Write all that is known to a file, without a request through the gateway
  mcp.server.mcp_status_info:
    namespace: mcp-prod
    server: mcp-server
    show: false
    dest: /tmp/status.json
"""

RETURN = r"""
lines:
  description: The table, line by line.
  returned: success
  type: list
  elements: str
  sample:
    - "mcp-prod/mcp-server: attention"
    - "  Restarted within the last hour: mcp-server-blue-1 (OOMKilled, exit code 137)."
state:
  description:
    - How the server is, the worst of what was found. V(down) is a server whose clients get nothing, V(unknown) one
      whose route or endpoints could not be read, V(degraded) one that serves some clients badly, V(attention) one that
      serves and needs a look, V(ok) any other.
  returned: without O(fleet)
  type: str
  sample: attention
findings:
  description: What is wrong, a sentence each, the worst first.
  returned: without O(fleet)
  type: list
  elements: str
unread:
  description: What could not be read and why, a sentence each.
  returned: without O(fleet)
  type: list
  elements: str
server:
  description: Its namespace and name.
  returned: without O(fleet)
  type: str
  sample: mcp-prod/mcp-server
at:
  description: When it was read, by the API server's clock.
  returned: without O(fleet)
  type: str
  sample: "2026-11-27T22:05:00.000Z"
route:
  description:
    - The route's C(name), its C(weights), the percent of each pool, null when they cannot be read, and whether it is
      C(missing).
  returned: without O(fleet)
  type: dict
release:
  description:
    - What M(mcp.server.mcp_release_info) returns. What cannot be read is null. C(holder_known) is whether the Lease
      could be read, C(record_known) whether the release record could.
  returned: without O(fleet)
  type: dict
pools:
  description:
    - By pool, the key C(pools) of what M(mcp.server.mcp_version_check) returns, with null for what cannot be read,
      C(missing), the workload and the Service that do not exist, C(endpoints), how many there are (C(total)) and
      how many are C(ready), and the open C(sessions).
  returned: without O(fleet)
  type: dict
instances:
  description: As RV(mcp.server.mcp_instances_info#module:instances) of M(mcp.server.mcp_instances_info).
  returned: without O(fleet)
  type: list
  elements: dict
share:
  description: What M(mcp.server.mcp_watch) returns; with C(msg) when it failed, and empty when no answers were counted.
  returned: without O(fleet)
  type: dict
triggers:
  description: C(gates) of M(mcp.server.mcp_gate), each with its C(pool). Empty without O(prometheus).
  returned: without O(fleet)
  type: list
  elements: dict
drift:
  description:
    - Where the pod templates of the pools differ in more than their image, where what runs is not what the release
      record has, and where the pods of a pool run different images, a sentence each. Values that may be secret are not
      shown.
  returned: without O(fleet)
  type: list
  elements: str
last_drill:
  description:
    - When the last drill was (C(at)), and whether it C(passed); both are null when none is noted. Null without
      O(drill), or when it cannot be read.
  returned: without O(fleet)
  type: dict
last_guide:
  description:
    - When C(validate_guide.yml) last checked something (C(at), null when it never did), and how many of the guide's
      headings failed the last time (C(failed)), without what only warned. Null without O(guide), or when it cannot be
      read.
  returned: without O(fleet)
  type: dict
broken_glass:
  description:
    - What C(break_glass.yml) changed and nobody restored, a C(sentence), empty without any, and C(objects), each with
      C(object), C(since), C(by) and C(reason).
  returned: without O(fleet)
  type: dict
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_status_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
