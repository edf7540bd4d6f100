# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name the tools that would undo what break-glass writes, with the command that suspends each. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._break_glass import fields
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers, gitops
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object


def sentences(title: str, obj: Object, pointers: t.Iterable[str], choice: str) -> list[str]:
    """Return a sentence for each tool that sets one of these fields.

    choice: what the fields are, as in gitops_ignores; KEDA sets those of an autoscaler only.
    """
    found = gitops.claims(
        [gitops.Field(choice, fields.title(fields.name_of(obj, one)), title, obj, one) for one in pointers]
    )
    by_tool: dict[str, tuple[field_managers.Writer, list[str]]] = {}
    for tool, field in found:
        by_tool.setdefault(tool.name, (tool, []))[1].append(field.title)
    return [_sentence(tool, title, list(dict.fromkeys(titles))) for tool, titles in by_tool.values()]


def _sentence(tool: field_managers.Writer, title: str, titles: t.Sequence[str]) -> str:
    what = f"{', '.join(titles[: gitops.MAX_SHOWN])} of {title}"
    if tool.name == field_managers.HELM:
        return f"Helm sets {what} and reverts it at its next upgrade: start none."
    how = f": {tool.suspend}" if tool.suspend else " by its own means"
    return f"{tool.name} sets {what} and would undo this. Suspend it{how}"
