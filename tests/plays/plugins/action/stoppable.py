# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time

from ansible_collections.mcp.server.plugins.module_utils._task import Interrupted, Spec, Task
from ansible_collections.mcp.server.plugins.plugin_utils._in_process import InProcessAction


def run(task: Task) -> dict:
    """Write what happens into a file, a line for each."""
    with open(task.params["log"], "a", buffering=1) as log:
        try:
            log.write(f"runs {os.getpid()}\n")
            for _each in range(round(10 * task.params["seconds"])):
                time.sleep(0.1)
                log.write("asks\n")
        except Interrupted as interrupted:
            time.sleep(task.params["clean_up"])
            log.write(f"cleaned up after {interrupted.signal}\n")
            interrupted.add_note("It is paused.")
            raise
    return {}


class ActionModule(InProcessAction):
    SPEC = Spec(
        options={
            "log": {"type": "str"},
            "clean_up": {"type": "float", "default": 0.5},
            "seconds": {"type": "float", "default": 30},
        }
    )
    RUN = run
    OUTLASTS_TASK_TIMEOUT = staticmethod(lambda params: True)
