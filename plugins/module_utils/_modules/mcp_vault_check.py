# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_vault_check: checks that paths in Vault can be read and have their keys."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results, _vault
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(options={"vault": {**_vault.OPTION, "required": True}})


def _elsewhere(plugin: str, _term: str, _options: dict[str, t.Any]) -> t.Any:
    raise _vault.Trouble(
        _vault.MISSING, f"its lookup {plugin} is only in the controller's process: keep the task local"
    )


def run(task: Task, ask: _vault.Ask = _elsewhere) -> dict[str, t.Any]:
    found = _vault.check(task.params["vault"], ask)
    for one in found:
        task.progress(f"{one['verdict'].replace('_', ' ')}: {one['message']}")
    result = {"changed": False, "checks": found}
    if problems := _results.problems(found):
        raise Failure(" ".join(problems), **result)
    return result
