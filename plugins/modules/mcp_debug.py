#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_debug
short_description: Ask DNS, TCP, HTTP and MCP from inside the cluster's network
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Creates a Job in the server's namespace that resolves names, connects to ports, asks URLs and speaks MCP, each at
    the same time as the others. It returns what came of each, and deletes the Job.
  - The Job has a time limit (C(activeDeadlineSeconds)) and C(ttlSecondsAfterFinished), so the cluster ends and removes
    it when this task is killed. It meets the Pod Security level C(restricted) and gets no token of a ServiceAccount.
  - Without O(probes) it asks the Service of each pool, of which a pool without a ready pod only for its name.
  - A probe that fails does not fail the task. What keeps probes from being asked, such as a full quota or an image that
    cannot be pulled, does.
  - With O(ephemeral) a container of a pod asks instead, in the pod's own network. Its command ends it; its entry stays
    in the pod until the pod is replaced.
  - Probes send no credentials and verify no certificates.
  - It shows a table as the task runs, whatever the play's stdout callback and its result format are. A callback whose
    output is for programs, such as C(ansible.posix.json), has the table on stderr, and in RV(lines).
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.endpoint
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: The API server is asked whether it would accept the Job or the container. Nothing is asked by probes.
  diff_mode:
    support: full
    details: Shows what stays afterwards, the Job with O(stay) or the container.
  idempotent:
    support: partial
    details: A Job leaves nothing behind. Each container of O(ephemeral) is a new one.
options:
  image_ref:
    description:
      - The image that the probes run in, with tag or digest. Without it the task fails.
      - It needs C(sh), C(head), C(mktemp), C(sed), C(tr), and C(base64) or C(od); for DNS C(getent) or C(nslookup); for
        TCP C(bash), C(nc) or C(curl); for HTTP C(curl) or C(wget); for MCP C(curl); and C(timeout) with O(ephemeral).
        Of probes whose tool is missing, the result says that.
    type: str
  hosts:
    description: What else to ask, as C(NAME) (DNS), C(NAME:PORT) (DNS and TCP) or a URL (DNS, TCP and HTTP).
    type: list
    elements: str
    default: []
  probes:
    description: What to ask in place of the pools' Services.
    type: list
    elements: dict
    suboptions:
      kind:
        description: What is asked. V(mcp) sends C(server/discover) and C(initialize), and ends the session.
        type: str
        choices: [dns, tcp, http, mcp]
        required: true
      target:
        description: A name for V(dns), C(HOST:PORT) for V(tcp), a URL for V(http) and V(mcp).
        type: str
        required: true
      host:
        description: The C(Host) header, where it is another than the URL's.
        type: str
  ephemeral:
    description: Whether a container of a pod asks. NetworkPolicies that select the pod then count.
    type: bool
    default: false
  pod:
    description: The name of that pod. The default is the first pod of a pool that has one. Requires O(ephemeral).
    type: str
  timeout:
    description: Seconds for all of it.
    type: float
    default: 60.0
  stay:
    description: Seconds for which the Job or the container stays afterwards, for C(kubectl exec).
    type: int
    default: 0
  ttl:
    description: Seconds after which the cluster removes a Job that has ended, when this task did not delete it.
    type: int
    default: 60
  user:
    description: The number of the user that the container runs as; V(0) leaves it to the image and the namespace, as
      OpenShift wants it.
    type: int
    default: 65534
seealso:
  - module: mcp.server.mcp_health
  - module: mcp.server.mcp_status_info
"""

EXAMPLES = r"""
- name: Probe the Services of both pools, and the database
  mcp.server.mcp_debug:
    namespace: mcp-prod
    server: mcp-server
    image_ref: registry.example.com/tools/netshoot:v0.13
    hosts:
      - database-prod:5432

- name: Probe the database as a pod of the server
  mcp.server.mcp_debug:
    namespace: mcp-prod
    server: mcp-server
    image_ref: registry.example.com/tools/netshoot:v0.13
    ephemeral: true
    pod: mcp-server-blue-7d9c6b5f4-x2x7k
    probes:
      - kind: dns
        target: database-prod
      - kind: tcp
        target: database-prod:5432
"""

RETURN = r"""
outcomes:
  description: What came of each probe, in their order. Empty in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: C(dns), C(tcp), C(http) or C(mcp).
      type: str
    target:
      description: What was asked.
      type: str
    ok:
      description: Whether it answers as it should. An HTTP status of 400 and above does not; an MCP server that asks
        for credentials does.
      type: bool
    seconds:
      description: How long it took.
      type: float
    detail:
      description: What it answers, or why it does not, for people.
      type: str
  sample:
    - kind: tcp
      target: database-prod:5432
      ok: false
      seconds: 0.01
      detail: "the connection was refused: nothing listens there, or no pod is ready"
notes:
  description: What could not be asked, and why, as sentences.
  returned: success
  type: list
  elements: str
  sample: []
lines:
  description: The table, line by line.
  returned: success
  type: list
  elements: str
  sample:
    - PROBE  TARGET              RESULT  SECONDS  DETAIL
    - tcp    database-prod:5432  ok      0.01     connected
job:
  description: The name of the Job.
  returned: success, without O(ephemeral)
  type: str
  sample: mcp-server-debug-9f1c22ab
pod:
  description: The pod that got a container.
  returned: success, with O(ephemeral)
  type: str
  sample: mcp-server-blue-7d9c6b5f4-x2x7k
container:
  description: The name of that container.
  returned: success, with O(ephemeral)
  type: str
  sample: debug-9f1c22ab
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_debug import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
