#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_git_push
short_description: Write a released version into the Git repository that a GitOps tool reads, and push it
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Clones a branch into a temporary folder, replaces text in some of its files, commits and pushes that. See
    C(docs/gitops.md).
  - When others push in between, it begins again with what is there then, O(attempts) times at most.
  - Nothing is pushed when the files have it already, and it fails when a pattern matches nothing.
  - It knows no cluster. The role P(mcp.server.git_push#role) calls it with what the inventory says.
extends_documentation_fragment:
  - mcp.server.attributes
attributes:
  check_mode:
    support: full
    details: It clones, and pushes with C(--dry-run).
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - git, where the module runs
options:
  repository:
    description:
      - URL or path of the repository, as C(git clone) takes it. Whatever Git itself finds for it is used - SSH keys, an
        agent, credential helpers, proxies.
      - A URL with a password in it is refused. Questions are not answered.
    type: str
    required: true
  branch:
    description: The branch, which must exist.
    type: str
    default: main
  changes:
    description: What is replaced, one after the other.
    type: list
    elements: dict
    required: true
    suboptions:
      file:
        description: Path of a text file in the repository.
        type: str
        required: true
      regexp:
        description: A regular expression of Python. C(^) and C($) are the begin and the end of a line. It must match,
          also when there is nothing to change.
        type: str
        required: true
      replace:
        description: What stands for each match. C(\g<1>) is the first group of O(changes[].regexp).
        type: str
        required: true
  commit_message:
    description: The message of the commit.
    type: str
    required: true
  author:
    description: The name of the commit's author.
    type: str
    default: mcp.server
  email:
    description: The author's address.
    type: str
    default: mcp.server@localhost
  token_env:
    description:
      - The name of an environment variable that has a token, where the module runs. It is sent to the host of
        O(repository) only, and over HTTPS only.
      - Git hands it on in its environment; it is in no command and no file.
    type: str
  username:
    description: The user that the token is sent with. Most servers take any.
    type: str
    default: git
  timeout:
    description: Seconds for each command of Git.
    type: float
    default: 120.0
  attempts:
    description: How often it is tried at most while others push.
    type: int
    default: 10
seealso:
  - module: mcp.server.mcp_release
"""

EXAMPLES = r"""
- name: Write v1.2.0 into the repository
  mcp.server.mcp_git_push:
    repository: git@git.example.com:platform/apps.git
    commit_message: Release v1.2.0 of mcp-server
    changes:
      - file: mcp-server/green.yaml
        regexp: '(image: ghcr\.io/org/mcp-server):\S+'
        replace: '\g<1>:v1.2.0'
"""

RETURN = r"""
commit:
  description: The id of the commit that was pushed; null when there was nothing to change, and in check mode.
  returned: success
  type: str
  sample: 3d1f0c6a9b0e4a4f8f0d2b6f5f1e7a9c0b1d2e3f
files:
  description: The files that were changed.
  returned: success
  type: list
  elements: str
  sample: [mcp-server/green.yaml]
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_git_push import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
