# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import release_refusal

DOCUMENTATION = r"""
name: release_refusal
short_description: Return the sentence for a release that is refused
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Says that nothing was deployed, and why.
positional: version
options:
  _input:
    description: "The causes: sentences, one sentence, or the result of a failed task."
    type: raw
    required: true
  version:
    description: The version that was to be released, as it was given.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Refuse the release
  ansible.builtin.fail:
    msg: "{{ ['The steps do not end with all the traffic.'] | mcp.server.release_refusal('v1.2.0') }}"
"""

RETURN = r"""
_value:
  description: The sentence.
  type: str
  sample: "Release of v1.2.0 refused, nothing was deployed: The steps do not end with all the traffic."
"""


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"release_refusal": release_refusal}
