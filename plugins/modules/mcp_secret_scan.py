#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_secret_scan
short_description: Find secrets in files that must not have any
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Looks through an inventory, manifests and documents for private keys, tokens of known forms, passwords in URLs,
    values with the name of a secret, and manifests of Secrets with values. It fails with file, line and kind of each.
    No value is in any result or message.
  - What Ansible Vault or SOPS has encrypted, templates, variables, placeholders and names of other things are no
    secrets. A secret without a name and without a known form is not found.
  - It opens at most 5000 files of at most 1 MiB, for 30 s, and of each the first 20000 lines and 4096 characters of a
    line. Symbolic links below a folder are not followed. Binary files, C(.git) and the like are left out.
  - It knows no cluster.
extends_documentation_fragment:
  - mcp.server.attributes
  - mcp.server.attributes.read_only
options:
  inventory:
    description: Sources of an inventory, as C(ansible_inventory_sources) has them. With a file, C(group_vars) and
      C(host_vars) beside it are looked at. Lists of hosts and missing files are left out.
    type: list
    elements: str
    default: []
  paths:
    description: More files and folders, such as those of manifests and documents.
    type: list
    elements: path
    default: []
  exclude:
    description: Names or paths of files and folders that are left out, in which stars stand for anything.
    type: list
    elements: str
    default: []
  allow:
    description:
      - Findings that are none, each as C(FILE) or C(FILE:KIND), in which stars stand for anything. KIND is one of
        RV(findings[].kind).
      - "A line with the comment C(pragma: allowlist secret), or below one with C(pragma: allowlist nextline secret),
        has none either."
    type: list
    elements: str
    default: []
seealso:
  - module: mcp.server.mcp_preflight
  - module: mcp.server.mcp_vault_check
"""

EXAMPLES = r"""
- name: Scan the inventory and the manifests for secrets
  mcp.server.mcp_secret_scan:
    inventory: "{{ ansible_inventory_sources }}"
    paths: [manifests, docs]
    allow:
      - docs/example.md
      - "manifests/sandbox/*:kubernetes_secret"
"""

RETURN = r"""
findings:
  description: The secrets, at most 500.
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
    line:
      description: The number of the line, from 1.
      type: int
    kind:
      description: V(private_key), V(known_token), V(url_password), V(bearer_token), V(named_value), V(command_option)
        or V(kubernetes_secret).
      type: str
files:
  description: How many files were looked at.
  returned: always, once the options were found right
  type: int
checks:
  description: The result as one check.
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description: V(secret_scan).
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) when there was no file to look at, or V(cannot_measure) when there
        were too many.
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    skipped:
      description: Whether it was not made.
      type: bool
    required:
      description: Whether the play fails by it.
      type: bool
    message:
      description: What was found; of a failure also what to do.
      type: str
    seconds:
      description: How long it took.
      type: float
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_secret_scan import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
