# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a tool would revert what a release writes. Pure: objects as they were read in, sentences out."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.field_managers import Object, Writer

CHOICES = ("route", "image", "replicas", "autoscaler")
# Mirrored by the doc fragment gitops
OPTION = {"gitops_ignores": {"type": "list", "elements": "str", "choices": list(CHOICES), "default": []}}

MAX_SHOWN = 12  # fields that a sentence names


class Field(t.NamedTuple):
    """A field that a release writes."""

    # One of CHOICES.
    choice: str
    # For people.
    title: str
    # The name of its object.
    owner: str
    obj: Object
    # A JSON pointer.
    pointer: str


class Claim(t.NamedTuple):
    """A tool, and a field that it sets."""

    tool: Writer
    field: Field


def claims(fields: t.Sequence[Field]) -> list[Claim]:
    """Return each field with each tool that would revert it."""
    return [
        Claim(tool, field)
        for field in fields
        for tool in field_managers.tools(field.obj)
        # KEDA creates the autoscaler and leaves the Deployment alone.
        if (tool.name != field_managers.KEDA or field.choice == "autoscaler")
        and field_managers.holds(field.obj, tool, field.pointer)
    ]


def refusal(found: t.Sequence[Claim], ignores: t.Collection[str]) -> str:
    """Return a sentence for each tool that would revert a release; empty without any.

    ignores: of CHOICES, what the tools leave alone, by the inventory. Helm writes only at an upgrade, see note().
    """
    refused = [claim for claim in found if claim.field.choice not in ignores and claim.tool.name != field_managers.HELM]
    return " ".join(_refused(tool, fields) for tool, fields in _by_tool(refused))


def note(found: t.Sequence[Claim], ignores: t.Collection[str]) -> str:
    """Return a sentence about the tools that set fields without being a reason to refuse."""
    notes = []
    for tool, fields in _by_tool(found):
        choices = [
            choice for choice in CHOICES if choice in ignores and any(field.choice == choice for field in fields)
        ]
        if tool.name == field_managers.HELM:
            notes.append(
                f"Helm sets {_titles(fields)} and reverts them at its next upgrade: give it the new values before that"
            )
        elif choices:
            notes.append(f"{tool.name} leaves {', '.join(choices)} alone (gitops_ignores)")
    return f"{'; '.join(notes)}." if notes else "No GitOps tool sets what a release writes."


def _refused(tool: Writer, fields: t.Sequence[Field]) -> str:
    choices = [choice for choice in CHOICES if any(field.choice == choice for field in fields)]
    manager = f" ({tool.manager})" if tool.manager not in ("", tool.name) else ""
    suspend = f" or suspend it ({tool.suspend})," if tool.suspend else ""
    return (
        f"{tool.name}{manager} sets {_titles(fields)} and would revert what a release writes there. Leave these fields "
        "out "
        f"of its manifests (docs/gitops.md){suspend} and then set gitops_ignores (mcp_gitops_ignores) to "
        f"[{', '.join(choices)}]."
    )


def _by_tool(found: t.Sequence[Claim]) -> list[tuple[Writer, list[Field]]]:
    """Return the fields of each tool, with the first command that suspends it."""
    by_tool: dict[tuple[str, str], tuple[Writer, list[Field]]] = {}
    for tool, field in found:
        by_tool.setdefault((tool.name, tool.suspend), (tool, []))[1].append(field)
    return list(by_tool.values())


def _titles(fields: t.Sequence[Field]) -> str:
    titles = list(dict.fromkeys(f"{field.title} of {field.owner}" for field in fields))
    more = f" and {len(titles) - MAX_SHOWN} more" if len(titles) > MAX_SHOWN else ""
    return ", ".join(titles[:MAX_SHOWN]) + more
