# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._image import named

DOCUMENTATION = r"""
name: named_image
short_description: Return image and version of a release
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - A release is named by an image and a version, or by an image reference that has both.
positional: image, image_ref
options:
  _input:
    description: The version, of any type.
    type: raw
    required: true
  image:
    description: The image without its tag.
    type: str
  image_ref:
    description: The image with its tag, its digest or both, in place of the other two.
    type: str
"""

EXAMPLES = r"""
- name: Show what is released
  ansible.builtin.debug:
    msg: "{{ none | mcp.server.named_image(image_ref='ghcr.io/org/mcp-server:manual-1700000000') }}"
"""

RETURN = r"""
_value:
  description: C(image), C(version), and C(problem), a sentence, empty when they can be told.
  type: dict
  sample:
    image: ghcr.io/org/mcp-server
    version: manual-1700000000
    problem: ""
"""


def named_image(version: t.Any, image: t.Any = None, image_ref: t.Any = None) -> dict[str, t.Any]:
    return named(version, image, image_ref)._asdict()


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"named_image": named_image}
