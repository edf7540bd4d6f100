# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.module_utils._image import with_digest
from ansible_collections.mcp.server.plugins.module_utils._versions import problem, reference

DOCUMENTATION = r"""
name: image_ref
short_description: Return the image reference of a version
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The reference of a version's image, whether the version is a tag or a digest.
positional: version, digest
options:
  _input:
    description: The image without a tag.
    type: str
    required: true
  version:
    description: The version.
    type: str
    required: true
  digest:
    description: The digest that is added to a tag. Without one, the reference has the tag only.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show the image of v1.2.0
  ansible.builtin.debug:
    msg: "{{ 'ghcr.io/org/mcp-server' | mcp.server.image_ref('v1.2.0') }}"
"""

RETURN = r"""
_value:
  description: The reference.
  type: str
  sample: ghcr.io/org/mcp-server:v1.2.0
"""


def image_ref(image: t.Any, version: t.Any, digest: t.Any = "") -> str:
    if found := problem(version):
        raise AnsibleFilterError(found)
    return with_digest(reference(str(image), version), str(digest or ""))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"image_ref": image_ref}
