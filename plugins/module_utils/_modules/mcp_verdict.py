# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_verdict: shows the results of checks as one table, writes them to a file, and fails by them."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _output, _results
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        "title": {"type": "str", "default": "Checks"},
        "checks": {"type": "list", "elements": "dict"},
        "brief": {"type": "bool", "default": False},
        "fleet": {"type": "list", "elements": "dict"},
        "dest": {"type": "path"},
    },
    mutually_exclusive=[("checks", "fleet")],
    required_one_of=[("checks", "fleet")],
    required_by={"fleet": "dest"},
)


def run(task: Task) -> dict[str, t.Any]:
    if task.params["fleet"] is not None:
        _output.write(task, "results of the checks", task.params["fleet"])
        return {"changed": False}
    found = items(task.params, "checks")
    lines = _results.lines(task.params["title"], found, brief=task.params["brief"])
    result: dict[str, t.Any] = {"changed": False, "checks": found, "lines": lines}
    for line in lines:
        task.progress(line)
    problems = _results.problems(found)
    if not found:
        problems = [f"{task.params['title']}: no check was made, so nothing is known to be right."]
    if problems:
        raise Failure(" ".join(problems), **result)
    return result
