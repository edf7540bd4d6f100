#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_silence
short_description: Silence the alerts of an MCP server in Alertmanager while a release shifts its traffic
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Creates a silence with a bounded end, whose comment names the release, and expires it again.
  - A silence that a run before this one made is found by its comment, and made longer when it would end too early.
  - What watches the release is not Alertmanager, so gates and triggers judge as before.
extends_documentation_fragment:
  - mcp.server.alertmanager
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes sure of a silence for O(release_id).
      - V(absent) expires every silence that was made so for the server, and no other.
    type: str
    choices: [present, absent]
    default: present
  alertmanager:
    required: true
  release_id:
    description: The id of the release. Without it, the newest of the release record, which is the only thing that is
      read in the cluster.
    type: str
  seconds:
    description:
      - How long the silence is needed from now on, with O(state=present). It ends 300 s after that when nobody expires
        it.
      - Needed for O(state=present).
    type: int
  matchers:
    description: Which alerts, by their labels. Without it, those whose C(namespace) is O(namespace).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the label.
        type: str
        required: true
      value:
        description: Its value.
        type: str
        required: true
      regex:
        description: Whether the value is a regular expression.
        type: bool
        default: false
      equal:
        description: Whether the label has this value, or has any other.
        type: bool
        default: true
  timeout:
    description: Seconds that one request to Alertmanager may take.
    type: float
    default: 5.0
requirements:
  - requests >= 2.31 (Python)
"""

EXAMPLES = r"""
- name: Silence the server's alerts for half an hour
  mcp.server.mcp_silence:
    namespace: mcp-prod
    server: mcp-server
    alertmanager:
      url: https://alertmanager.example.com
      token_env: ALERTMANAGER_TOKEN
    seconds: 1800

- name: Expire the silence
  mcp.server.mcp_silence:
    namespace: mcp-prod
    server: mcp-server
    alertmanager:
      url: https://alertmanager.example.com
      token_env: ALERTMANAGER_TOKEN
    state: absent
"""

RETURN = r"""
silence:
  description: The id of the silence; null with O(state=absent), and in check mode when one would be made or made
    longer.
  returned: always
  type: str
  sample: 269725ef-ee40-4914-9101-79730171f114
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_silence import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
