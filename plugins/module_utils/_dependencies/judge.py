# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of the command that tries a dependency. Pure: a pod's state and its log in, a sentence out."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._dependencies.objects import Dependency
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._redact import redacted_tail
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import hide, printable

MAX_OUTPUT = 64 * 1024  # characters of it that are looked at
MAX_LINES = 200
SHOWN_LINES, MAX_SHOWN = 3, 300  # of the output, in a sentence
# What a container or a shell ends with when the command is not there, or is no program.
NOT_FOUND, NOT_EXECUTABLE = 127, 126
# Reasons of a container that the runtime could not start, in the words of containerd, CRI-O and Docker.
START_FAILED = ("StartError", "ContainerCannotRun", "RunContainerError")
OUT_OF_MEMORY = "OOMKilled"


def verdict(dependency: Dependency, server: str, state: Object, output: str, secrets: t.Sequence[str] = ()) -> str:
    """Return the sentence of a dependency that answers. Raises Failure, and CannotMeasure where that cannot be told.

    server: for people. state: of the container. secrets: texts that must not be shown.
    """
    ended = mapping(state, "terminated")
    shown = shown_of(output, secrets)
    name = f"{dependency.name} of {server}"
    if not ended:
        raise Failure(
            f"Dependency {name} does not answer: its command has not ended within {dependency.timeout:g} s{shown}. "
            "Check that what it asks can be reached from the server's namespace, or set its timeout."
        )
    code, reason = ended.get("exitCode"), str(ended.get("reason") or "")
    said = printable(str(ended.get("message") or ""), MAX_SHOWN) if reason in START_FAILED else ""
    if reason in START_FAILED or code in (NOT_FOUND, NOT_EXECUTABLE):
        why = f" ({hide(redacted_tail([said])[0], secrets)})" if said else shown or f" (exit code {code})"
        raise CannotMeasure(
            f"Dependency {name} was not tried: its command cannot be run in the image{why}. Name a command that the "
            "image has (command), or an image that has it (image_ref)."
        )
    if reason == OUT_OF_MEMORY:
        raise CannotMeasure(
            f"Dependency {name} was not tried: its command used more memory than the Job may. Name a smaller client."
        )
    if code != 0:
        raise Failure(
            f"Dependency {name} does not answer as the server needs it: its command ended with exit code "
            f"{printable(str(code), 20)}{shown or ', without any output'}. Check the address and the credentials that "
            "the server is given, and what answers there."
        )
    if dependency.expect is not None and not re.search(dependency.expect, _looked_at(output), re.MULTILINE):
        raise Failure(
            f"Dependency {name} answers something else than expected ({printable(dependency.expect, 80)})"
            f"{shown or ', nothing'}. Check what answers there, or correct expect."
        )
    return f"Dependency {name} answers as the server needs it."


def taken_away(pod: Object) -> str:
    """Return why the cluster ended a pod, as a word of its own; empty when it did not."""
    disrupted = next((one for one in items(pod, "status", "conditions") if one.get("type") == "DisruptionTarget"), {})
    reason = mapping(pod, "status").get("reason") or (disrupted.get("status") == "True" and disrupted.get("reason"))
    return printable(str(reason or ""), 80)


def shown_of(output: str, secrets: t.Sequence[str] = ()) -> str:
    """Return the last lines of the output as a clause, without the secrets in them; empty without any."""
    lines = [line for line in redacted_tail(_looked_at(output).splitlines()[-MAX_LINES:]) if line.strip()]
    joined = hide(" / ".join(lines[-SHOWN_LINES:]), secrets)  # before anything is cut off, such as half a secret
    text = hide(printable(joined, len(joined)), secrets)
    if not text:
        return ""
    return f"; its output ends with: {(text if len(text) <= MAX_SHOWN else '...' + text[-MAX_SHOWN:]).rstrip('.?! ')}"


def _looked_at(output: str) -> str:
    return output[-MAX_OUTPUT:]
