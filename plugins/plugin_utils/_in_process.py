# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's function in the controller's process (see module_utils/_task.py)."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mcp.server.plugins.module_utils._cluster.outage import Waiting, waiting
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Run, Spec, Task

display = Display()

PR_SET_PDEATHSIG = 1


def end_with_the_play() -> int:
    """Have the kernel end this process when its play ends, however that comes; return the process id of the play.

    Ansible runs each task in a fork of the play, in a session of its own: neither kill -9 of the play's process group nor
    SIGHUP reaches it, and it would go on moving traffic that another run is already responsible for. Linux only.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:  # not a fork of a play: a test calls us
        return os.getppid()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent.pid:  # it ended before we could ask
        os._exit(1)
    return parent.pid


class InProcessAction(ActionBase):
    """An action plugin names its module's spec and function and is done.

    With a connection that is not local, become, or an environment of its own,
    the task was meant for another process: the module is sent there as usual.
    """

    SPEC: t.ClassVar[Spec]
    RUN: t.ClassVar[Run]

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        if self._meant_for_another_process():
            wrap_async = self._task.async_val and not self._connection.has_native_async
            return {**result, **self._execute_module(task_vars=task_vars, wrap_async=wrap_async)}

        validator = ArgumentSpecValidator(self.SPEC.options, **self.SPEC.rules())
        validation = validator.validate(self._task.args.copy())
        if validation.error_messages:
            raise AnsibleActionFail("; ".join(validation.error_messages))
        secrets = validation._no_log_values

        host = (task_vars or {}).get("inventory_hostname", "")
        warnings: list[str] = []
        task = Task(
            params=validation.validated_parameters,
            check_mode=self._task.check_mode,
            progress=lambda line: display.display(f"  [{host}] {remove_values(line, secrets)}"),
            warn=warnings.append,
            runner=end_with_the_play(),
        )
        try:
            with waiting(Waiting(task.progress)):
                outcome = type(self).RUN(task)
        except Failure as failure:
            outcome = {**failure.evidence, "failed": True, "msg": failure.msg}
        result.update(remove_values({"changed": False, **outcome}, secrets))
        if warnings:
            result["warnings"] = remove_values(warnings, secrets)
        return result

    def _meant_for_another_process(self) -> bool:
        return self._connection.transport != "local" or bool(self._connection.become) or any(self._task.environment or []) or bool(self._task.async_val)
