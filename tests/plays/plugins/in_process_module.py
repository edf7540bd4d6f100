# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An action plugin that runs the module of its name in the worker's own process, which saves most of its time.

A test copies it into a copy of another collection, once for each module. The module and its arguments are as always.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import typing as t

from ansible.module_utils import basic
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        self._update_module_args(self._task.action, arguments, task_vars or {})
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        basic._ANSIBLE_PROFILE = "legacy"
        module = importlib.import_module(
            f"ansible_collections.awx.awx.plugins.modules.{self._task.action.split('.')[-1]}"
        )
        written = io.StringIO()
        with contextlib.redirect_stdout(written), contextlib.suppress(SystemExit):
            module.main()
        result: dict[str, t.Any] = json.loads(written.getvalue())
        return result
