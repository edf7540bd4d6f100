# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._build import TOOLS, commands, installed

DOCUMENTATION = r"""
name: build_commands
short_description: Return the commands that build and push an image
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - For the role build_image. It uses buildah, podman or docker, the first one that the machine has.
positional: version, context
options:
  _input:
    description: The image without a tag.
    type: str
    required: true
  version:
    description: The tag.
    type: str
    required: true
  context:
    description: The folder that is built.
    type: str
    required: true
  tool:
    description: The tool that is to be used; without it, the first one that is installed.
    type: str
    choices: [buildah, podman, docker]
  file:
    description: The Containerfile, where it is not the one of the folder.
    type: str
  registry:
    description: URL of a registry that stands in for the image's own.
    type: str
  auth:
    description: C(mcp_registry_auth), of which C(config_file) is used.
    type: dict
  options:
    description: Further words of the build.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show how the image would be built
  ansible.builtin.debug:
    msg: "{{ 'ghcr.io/org/mcp-server' | mcp.server.build_commands('manual-1700000000', '.') }}"
"""

RETURN = r"""
_value:
  description:
    - C(problem), a sentence, empty when the image can be built.
    - C(build) and C(push), the commands as lists of words, and C(environment) for both.
    - C(image_ref), the image as a release names it, and C(target), where it is pushed.
  type: dict
"""


def build_commands(
    image: t.Any, version: t.Any, context: t.Any, *, tool: t.Any = None, **more: t.Any
) -> dict[str, t.Any]:
    return commands(installed([tool] if tool else TOOLS), str(image), version, str(context or ""), **more)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"build_commands": build_commands}
