# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils import _ci

DOCUMENTATION = r"""
name: ci_scaffold_plan
short_description: Return the files of a release pipeline
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - For the role ci_scaffold.
options:
  _input:
    description: The role's variables, without C(mcp_ci_), and C(image).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show which files there would be
  ansible.builtin.debug:
    msg: "{{ ci_scaffold_given | mcp.server.ci_scaffold_plan }}"
  vars:
    ci_scaffold_given:
      image: ghcr.io/org/mcp-server
      language: python
      forges: [github]
      source_folder:
      inventory: deploy/inventory.yml
      build_context: .
      staging: staging
      production: production
      branches: []
      go_package: main
      minutes: 180
      audience: kubernetes
      runner: [ubuntu-24.04]
      gitlab_tags: []
      gitlab_image: ""
      overwrite: []
"""

RETURN = r"""
_value:
  description:
    - C(problem), a sentence, empty when the files can be written.
    - C(files), each with C(path), C(template), C(once), C(mention) and C(overwrite), as M(mcp.server.mcp_scaffold)
      takes them.
    - C(registry), the host of the image's registry, and C(info), the path of C(serverInfo.json).
  type: dict
"""


def ci_scaffold_plan(given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return _ci.plan(given)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"ci_scaffold_plan": ci_scaffold_plan}
