# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that the option dest (mcp_output) names: the servers of a play as JSON."""

from __future__ import annotations

import json
import math
import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _files
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task, without_secrets
from ansible_collections.mcp.server.plugins.module_utils._text import fit_for_screen

# Of a task's result, what says nothing about the server
TECHNICAL = ("changed", "failed", "failed_when_result", "invocation", "lines", "warnings", "deprecations", "exception")


def write(task: Task, what: str, servers: t.Sequence[t.Mapping[str, t.Any]], **defaults: t.Any) -> None:
    """Write servers to the file that the task names, if any; in check mode, nothing. Raises Failure.

    what: is written, a noun. servers: each with C(host) and C(status), the result of a task. defaults: of its keys.
    """
    dest = task.params["dest"]
    if not dest:
        return
    documents = [
        {"host": one["host"], **defaults, **{k: v for k, v in one["status"].items() if k not in TECHNICAL}}
        for one in servers
    ]
    shown = fit_for_screen(without_secrets({"servers": documents}))
    text = json.dumps(_finite(shown), indent=2, sort_keys=True, default=str) + "\n"
    try:
        _files.write(Path(dest), text, dry_run=task.check_mode, make_folder=True)
    except OSError as error:
        raise Failure(
            f"Cannot write the {what} to {dest}: {error.strerror}. Set dest (mcp_output) to a file in a folder where "
            "this user may write."
        ) from None


def _finite(value: t.Any) -> t.Any:
    """Return a value with null for numbers that JSON does not have: a metric may be NaN. Pure."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
