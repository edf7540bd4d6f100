#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_contract
short_description: Read the contract of an MCP server, write it to a file, and compare it with another
version_added: 1.0.0
description:
  - The contract of a server is what it offers to clients - tools with the schemas of their inputs and outputs, prompts,
    resources, resource templates, capabilities, protocol revisions, and whether clients get sessions.
  - Reads it with all pages of all lists, the way M(mcp.server.mcp_health) speaks with a server, and ends every session.
  - Saves it to a file with O(path), and compares it with another one with O(baseline).
  - A difference is V(breaking) when a client that worked with the baseline may fail - a tool is gone, an input became
    required or narrower, an output became wider. It is V(risky) when a model may behave differently, as with a changed
    description, V(undecidable) when the schemas say too much to tell, and V(compatible) otherwise.
author:
  - the mcp.server authors (@mcp-server)
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.endpoint
  - mcp.server.probe
  - mcp.server.server
  - mcp.server.auth
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    description: The file O(path) is not written; all else is the same.
  diff_mode:
    support: full
    description: Shows both contracts, a line for each thing that is offered, and the change of the file.
  idempotent:
    support: full
options:
  pool:
    description:
      - Ask every ready pod that the Service of this pool selects. They have to offer the same.
    type: str
  baseline:
    description:
      - What the contract is compared with. One of these.
      - A baseline that only legacy clients can use is compared with what the server shows to legacy clients.
    type: dict
    suboptions:
      pool:
        description: The ready pods of this pool.
        type: str
      pod:
        description: This pod.
        type: str
      service:
        description: One of the pods that are ready behind this Service.
        type: str
      url:
        description: This address, with the other values of O(endpoint).
        type: str
      path:
        description: A file that was saved with O(path).
        type: path
  path:
    description: Save the contract as this file (JSON), where the module runs. Its folder has to be there.
    type: path
  accept:
    description:
      - The RV(changes[].path) of changes that are accepted. One of V(tools/forecast) accepts every change of that tool.
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - Which changes fail the task, unless they are accepted. V(risky) stands for those that are undecidable too.
    type: str
    choices: [breaking, risky, never]
    default: breaking
seealso:
  - module: mcp.server.mcp_health
"""

EXAMPLES = r"""
- name: Check that the new version keeps the live one's contract
  mcp.server.mcp_contract:
    namespace: mcp
    server: weather
    pool: green
    baseline:
      pool: blue

- name: Write the server's contract to a file, to review changes of it
  mcp.server.mcp_contract:
    endpoint:
      url: https://mcp.example.com
    path: contracts/weather.json

- name: Compare with the reviewed file, and accept that one tool is removed
  mcp.server.mcp_contract:
    namespace: mcp
    service: weather-green
    baseline:
      path: contracts/weather.json
    accept:
      - tools/stations
    fail_on: risky
"""

RETURN = r"""
era:
  description: The era in which it was read, V(modern) or V(legacy).
  returned: when the contract was read
  type: str
contract:
  description: The contract in a canonical form, the same for servers that offer the same.
  returned: success
  type: dict
structure_hash:
  description: SHA-256 of the contract without its texts.
  returned: when the contract was read
  type: str
text_hash:
  description: SHA-256 of its texts, which are titles, descriptions and instructions.
  returned: when the contract was read
  type: str
host_notes:
  description: A sentence for each pool, Service or pod that refuses the public C(Host) over the port-forward and was
    asked under another one, see O(endpoint.pods.host).
  returned: when the contract was read
  type: list
  elements: str
  sample:
    - 'Pool green refuses the Host mcp.example.com over the port-forward (403 Forbidden: invalid Host header
      "mcp.example.com") and is asked as localhost:8080. If it refuses that Host to clients too, allow it in the
      server''s settings.'
baseline:
  description: Where the baseline came from (C(name)), its C(era), C(structure_hash) and C(text_hash).
  returned: with O(baseline)
  type: dict
verdict:
  description: The worst severity in RV(changes), or V(identical).
  returned: with O(baseline)
  type: str
  sample: breaking
changes:
  description: What differs from the baseline, the most severe first.
  returned: with O(baseline)
  type: list
  elements: dict
  contains:
    severity:
      description: One of V(breaking), V(risky), V(undecidable) and V(compatible).
      type: str
    path:
      description: The name of the change, for O(accept).
      type: str
      sample: tools/forecast/inputSchema/properties/days
    change:
      description: What became of it.
      type: str
      sample: now required
    message:
      description: The same for people.
      type: str
    accepted:
      description: Whether O(accept) names it.
      type: bool
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_contract import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
