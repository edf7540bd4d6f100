# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.plugin_utils import _controller

DOCUMENTATION = r"""
name: controller_plan
short_description: Return what the role controller makes and removes in AWX
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Compares what is wanted with what is there. Only what the role made, known by the end of its description, is
    removed.
  - Fails when something of a wanted name is there that the role did not make.
positional: found
options:
  _input:
    description: The variables of the role, without secrets.
    type: dict
    required: true
  found:
    description: What is there, as P(mcp.server.controller_found#lookup) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would be removed
  ansible.builtin.debug:
    msg: "{{ options | mcp.server.controller_plan(lookup('mcp.server.controller_found', 'mcp', 'MCP servers')) }}"
  vars:
    options: {state: absent, prefix: mcp, organization: MCP servers, project: null, update_secrets: false}
"""

RETURN = r"""
_value:
  description: C(present) and C(absent), by kind, C(kept), sentences about what stays, and C(files) of the project.
  type: dict
"""

GALAXY = Path(__file__).resolve().parents[2] / "galaxy.yml"
MANIFEST = GALAXY.with_name("MANIFEST.json")


def _version() -> str:
    """Return the version of this collection, as installed or as a checkout."""
    if MANIFEST.exists():
        return str(yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load(GALAXY.read_text(encoding="utf-8"))["version"])


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise AnsibleFilterError(f"Cannot read {path} in the folder of mcp_controller_project: {error}.") from None


def controller_plan(options: dict[str, t.Any], found: dict[str, list[t.Any]]) -> dict[str, t.Any]:
    project = options["project"]
    texts: dict[str, str | None] = {}
    if project and project.get("folder"):
        # Tasks would take a relative one as in the folder of the playbook.
        folder = Path(project["folder"]).expanduser().absolute()
        project = {**project, "folder": str(folder)}
        texts = {path: _text(folder / path) for path in _controller.FILES}
    try:
        return _controller.plan({**options, "project": project, "version": _version()}, found, texts)
    except _controller.Problem as problem:
        raise AnsibleFilterError(str(problem)) from None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"controller_plan": controller_plan}
