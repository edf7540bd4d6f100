# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.module_utils._announce.status import lines

DOCUMENTATION = r"""
name: status
short_description: Return what is live as lines
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Pools, pods, who releases now and the newest releases, from the results of three modules.
positional: pools, answers, releases
options:
  _input:
    description: The result of M(mcp.server.mcp_release_info).
    type: dict
    required: true
  pools:
    description: The key C(pools) of the result of M(mcp.server.mcp_version_check).
    type: dict
    required: true
  answers:
    description: The result of M(mcp.server.mcp_watch), also when it failed or was skipped.
    type: dict
    default: {}
  releases:
    description: How many of the newest releases are shown.
    type: int
    default: 5
"""

EXAMPLES = r"""
- name: Show what is live
  ansible.builtin.debug:
    msg: "{{ release | mcp.server.status(versions.pools) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample:
    - POOL         WEIGHT  ANSWERS  READY  VERSION  IMAGE
    - blue (live)  100 %   100.0 %  2/2    1.1.5    ghcr.io/org/mcp-server:v1.1.5
    - green        0 %     0.0 %    0/0    -        ghcr.io/org/mcp-server:v1.2.0
"""


def status(release: t.Any, pools: t.Any, answers: t.Any = None, releases: int = 5) -> list[str]:
    try:
        return lines(release, pools, answers or {}, releases)
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"status needs the results of mcp_release_info and mcp_version_check; {error!r} is missing or of another "
            "type."
        ) from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"status": status}
