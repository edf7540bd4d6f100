# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_secret_scan: looks for secrets in files that must not have any."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._results import Skipped
from ansible_collections.mcp.server.plugins.module_utils._secret_scan import files
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        "inventory": {"type": "list", "elements": "str", "default": []},
        "paths": {"type": "list", "elements": "path", "default": []},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "allow": {"type": "list", "elements": "str", "default": []},
    },
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    done = files.Scan()

    def look() -> str:
        nonlocal done
        roots = files.places(params["inventory"], params["paths"])
        if not roots:
            raise Skipped("There is no file to look at: the inventory has none, and paths names none.")
        done = files.scan(roots, params["allow"], params["exclude"])
        return files.sentence(done)

    found = [_results.made("secret_scan", "secrets in files", look)]
    task.progress(f"{found[0]['verdict'].replace('_', ' ')}: {found[0]['message']}")
    result = {"changed": False, "checks": found, "findings": done.found, "files": done.files}
    if problems := _results.problems(found):
        raise Failure(" ".join(problems), **result)
    return result
