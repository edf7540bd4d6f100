#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_diagnose_info
short_description: Find out what is wrong with an MCP server
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Reads pods, events, quotas, endpoints and use of resources; then the logs of both pools, also of containers before
    their last restart, of the gateway and of the kubelets, as streams. It counts the lines that match known patterns
    of errors, and yours (O(patterns)).
  - Then it makes checks, which bear a cause out or speak against it. It asks DNS and TCP from inside the pods' network
    (O(hosts)), and looks for the endpoints of what the server needs, the keys of its Secrets, and whether the token is
    accepted (O(review_token)).
  - It ends with one paragraph, RV(most_likely), that names the most likely cause and the next command. All of it is
    shown as the task runs, whatever the play's stdout callback is.
  - What cannot be read, for a missing right or in time, is listed in RV(not_read), and the rest goes on.
  - Lines of logs are shown without the secrets in them. Of Secrets, only keys are shown. A secret in a log that has
    neither a name nor a known form cannot be told from other words.
  - It changes nothing, but for a Job that asks from inside the cluster when O(debug_image_ref) and O(hosts) are given.
    The Job is removed afterwards. There is none in check mode.
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
    description: Where clients reach the server. Its host tells which lines of the gateway's log are about this server.
  auth:
    description: Its token is the one that O(review_token) means.
  prometheus:
    description: The Prometheus that has cAdvisor's metrics, to see pods that wait for CPU.
  patterns:
    description:
      - Your own patterns of lines in logs, beside the known ones. One with the name of a known pattern replaces it.
      - The known ones are V(database), V(memory), V(authentication), V(name_resolution), V(session_not_found),
        V(too_many_sessions), V(host_refused), V(misdirected), V(revision), V(contract), V(not_acceptable), V(gateway),
        V(certificate), V(disk) and V(crash).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      match:
        description:
          - A regular expression of Python, found anywhere in a line, without regard to case. The first 1,000
            characters of a line are searched.
          - One that could take long for some line is refused before anything is read. At most one C(*) or C(+), and
            C(.{0,40}) in place of further ones, are always allowed.
        type: str
        required: true
      cause:
        description: The likely cause, as a clause that can follow C(Most likely).
        type: str
        required: true
      next:
        description: The next command, shown as it is.
        type: str
        default: ""
  seconds:
    description: For how many seconds until now logs are read.
    type: float
    default: 3600.0
  timeout:
    description: Seconds for all of it, from 5 to 3600. What is not read by then is listed in RV(not_read).
    type: float
    default: 60.0
  gateway:
    description:
      - The pods of the gateway, where the Gateway API's label C(gateway.networking.k8s.io/gateway-name) does not tell
        them. Without it, the Gateways that the route names are looked for.
      - Only lines with the host of O(endpoint) or the address of one of the server's pods count.
    type: dict
    suboptions:
      namespace:
        description: Their namespace.
        type: str
        required: true
      selector:
        description: Their labels.
        type: dict
        required: true
  node_logs:
    description: Whether the kubelets of the pods' nodes are asked for their log, where the user has the right to.
    type: bool
    default: true
  hosts:
    description:
      - What the server needs, as C(NAME), C(NAME:PORT) or a URL, such as V(database-prod:5432).
      - DNS and TCP are asked for it by a Job, when O(debug_image_ref) is given; for a Service of the cluster its
        endpoints are read.
    type: list
    elements: str
    default: []
  debug_image_ref:
    description: The image that the Job runs, as O(mcp.server.mcp_debug#module:image_ref).
    type: str
  debug_user:
    description: The user that it runs as; 0 leaves it to the image and the namespace, as on OpenShift.
    type: int
    default: 65534
  review_token:
    description:
      - Whether the token in O(auth) is sent to the API server in a TokenReview, to see whether it is accepted there.
      - Only the token of a ServiceAccount is sent. Any other one is not the API server's business.
    type: bool
    default: false
  escalation:
    description: Whom to call, shown at the end.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of a person or a team.
        type: str
        required: true
      contact:
        description: A phone number, a pager or the like.
        type: str
      when:
        description: When to call.
        type: str
      kind:
        description: The kind of failure that they are called for. Those of V(application) are shown first, and those of
          V(deployment) are left out.
        type: str
        choices: [deployment, application, business, customer]
  fleet:
    description:
      - Servers that other tasks have diagnosed, each a dictionary with C(host), a name, and C(status), the result of
        this module or of its failure. With it nothing is read. It shows the last word on each server.
    type: list
    elements: dict
  dest:
    description:
      - A file, where the module runs, that is written with the diagnosis of the server, or of all servers in O(fleet),
        as JSON. Missing folders are made. It is replaced in one step. Writing it does not count as a change.
    type: path
seealso:
  - module: mcp.server.mcp_status_info
  - module: mcp.server.mcp_debug
"""

EXAMPLES = r"""
- name: Find out what is wrong
  mcp.server.mcp_diagnose_info:
    namespace: mcp-prod
    server: mcp-server
    endpoint:
      url: https://mcp.example.com
    hosts: [database-prod:5432]
    debug_image_ref: docker.io/nicolaka/netshoot:v0.13
    patterns:
      - name: license
        match: license .{0,40}expired
        cause: the license of the search library has expired
        next: kubectl -n mcp-prod edit secret license
"""

RETURN = r"""
most_likely:
  description: One paragraph with the most likely cause, what shows it, the next command and whom to call.
  returned: without O(fleet)
  type: str
  sample: >-
    Most likely a container needs more memory than its limit allows. Seen in pod mcp-server-green-1: container
    mcp-server was OOMKilled with its limit of 64Mi, and restarted 3 times. Next: kubectl -n mcp-prod describe pod
    mcp-server-green-1.
lines:
  description: All that is shown, line by line.
  returned: success
  type: list
  elements: str
causes:
  description: The likely causes, the most likely one first.
  returned: without O(fleet)
  type: list
  elements: dict
  contains:
    name:
      description: Its name, such as V(oom_killed), V(quota), V(image) or that of a pattern.
      type: str
    clause:
      description: What it means.
      type: str
    next:
      description: The next command; empty without one.
      type: str
    score:
      description: By which causes are ordered. It is no probability.
      type: float
    where:
      description: The objects and logs that show it.
      type: list
      elements: str
findings:
  description: All that is not as it should be.
  returned: without O(fleet)
  type: list
  elements: dict
  contains:
    cause:
      description: The name of the cause that it points to.
      type: str
    where:
      description: The object or the log.
      type: str
    said:
      description: What is so.
      type: str
    pool:
      description: The pool, V(blue) or V(green); null where it is neither's.
      type: str
    count:
      description: How often it was seen.
      type: int
    first:
      description: The first time; null where it is not known.
      type: str
    last:
      description: The last time; null where it is not known.
      type: str
    lines:
      description: A few lines of a log, without the secrets in them.
      type: list
      elements: str
    over:
      description:
        - Whether a line of a log was only there while the server started, as its log goes on without it, or the pod
          became ready after it.
      type: bool
    confirmed:
      description: Whether a check made now bears it out; null without one.
      type: bool
checks:
  description: The checks that were made, and those that could not be made.
  returned: without O(fleet)
  type: list
  elements: dict
  contains:
    name:
      description: V(dns), V(tcp), V(http), V(endpoints), V(secret_keys) or V(token_review).
      type: str
    asked:
      description: What was asked.
      type: str
    ok:
      description: Whether it passed; null where it could not be made.
      type: bool
    said:
      description: What it found.
      type: str
not_read:
  description: A sentence for each source that could not be read.
  returned: without O(fleet)
  type: list
  elements: str
logs:
  description: How many logs there are, how many were read, and how many lines these have.
  returned: without O(fleet)
  type: dict
  sample: {found: 5, read: 5, lines: 6124}
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_diagnose_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
