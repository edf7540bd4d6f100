#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_verdict
short_description: Show the results of checks as one table, and fail when one of them failed
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Takes the results of the modules that check (P(mcp.server.check_results#filter)), which a play lets go on after a
    failure. So all checks are made, and the play fails at the end, with the sentence of each failed check.
  - A check that could not be measured fails the play like one that failed, under a word of its own. One that is not
    required only warns.
  - It fails, too, when there is no check at all.
  - It knows no cluster. The role P(mcp.server.verdict#role) calls it.
extends_documentation_fragment:
  - mcp.server.attributes
attributes:
  check_mode:
    support: partial
    details: The file is not written.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  title:
    description: What was checked, and of which server. It is the table's first line.
    type: str
    default: Checks
  checks:
    description: The results, each with C(id), C(name), C(verdict), C(ok), C(skipped), C(required), C(message) and
      C(seconds). Required without O(fleet).
    type: list
    elements: dict
  brief:
    description: Whether only checks that failed, warn or could not be measured have a row. All of them are counted.
    type: bool
    default: false
  fleet:
    description: The servers of a play, each with C(host) and C(status), the result of this module for it
      (P(mcp.server.statuses#filter)). They are written to O(dest).
    type: list
    elements: dict
  dest:
    description: File for O(fleet) as JSON.
    type: path
seealso:
  - module: mcp.server.mcp_preflight
"""

EXAMPLES = r"""
# The tasks that check have registered cluster and image, with failed_when: false.
- name: Show all of it, and fail by it
  mcp.server.mcp_verdict:
    title: Pre-flight of mcp-server
    checks: "{{ cluster | mcp.server.check_results('preflight', 'pre-flight') +
      image | mcp.server.check_results('registry', 'image in the registry') }}"
"""

RETURN = r"""
checks:
  description: The results, in their order.
  returned: with O(checks)
  type: list
  elements: dict
  contains:
    id:
      description: What was checked, for programs.
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) or V(cannot_measure).
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
      description: How long it took; null where that was not measured.
      type: float
lines:
  description: The table as it is shown.
  returned: with O(checks)
  type: list
  elements: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_verdict import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
