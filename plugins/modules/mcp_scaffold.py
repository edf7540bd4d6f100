#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_scaffold
short_description: Write a file into a repository, and keep what was changed there by hand
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Writes a file that its readers may change, such as a workflow in the repository of a server. The file says in one of
    its first lines, by a hash, what was written. As long as that is true, a newer version replaces it. After a change
    by hand it is kept, a warning says so, and RV(difference) is what would be there now.
  - A file that is there and has no such line is somebody else's, and kept as well; so is a symbolic link.
  - It deletes nothing, commits nothing, and knows no cluster.
extends_documentation_fragment:
  - mcp.server.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  folder:
    description: A local clone, where the module runs.
    type: path
    required: true
  path:
    description: The file, from the top of the clone. Its folders are made.
    type: str
    required: true
  content:
    description: Its text. C(@STAMP@) in the first three lines, mostly in a comment, is replaced by the hash. With
      O(once) it needs none.
    type: str
    required: true
  once:
    description: Whether the file is only made where it is missing.
    type: bool
    default: false
  mention:
    description: With O(once), a text that the file must have. There is a warning when it is not in a file that was
      there.
    type: str
  overwrite:
    description: Whether the file is written although it was changed by hand.
    type: bool
    default: false
seealso:
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
- name: Write a note, which everybody may change
  mcp.server.mcp_scaffold:
    folder: ~/src/mcp-server
    path: docs/releasing.md
    content: |
      <!-- Written by Ansible, @STAMP@ -->
      Push a tag such as v1.2.0.
"""

RETURN = r"""
state:
  description:
    - V(created), V(updated) or V(unchanged).
    - V(kept) when the file was changed by hand, or is somebody else's, and differs.
  returned: success
  type: str
  sample: created
path:
  description: The file, as in O(path).
  returned: success
  type: str
  sample: docs/releasing.md
difference:
  description: Of a file that was kept, its lines and those that it would have now, as a unified diff.
  returned: success
  type: list
  elements: str
note:
  description: A sentence about a file that was kept; empty when there is nothing to say.
  returned: success
  type: str
  sample: ""
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_scaffold import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
