# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holding on to the Lease of a run (see lock.py) while one of its tasks works."""

from __future__ import annotations

import functools
import threading
import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Lost, Run, Task

# Documented in doc_fragments/lock.py
OPTION: dict[str, t.Any] = {"lock": {"type": "str", "no_log": False}}

EVERY = 15.0  # seconds between two renewals


def kept(run: Run) -> Run:
    """A module's function that holds on to the Lease of the run in its option C(lock), if there is one, for as long as it takes."""

    @functools.wraps(run)
    def holding(task: Task) -> dict[str, t.Any]:
        if not task.params["lock"] or task.check_mode:
            return run(task)
        # The library for it takes 0.2 s to import.
        from ansible_collections.mcp.server.plugins.module_utils._cluster import connection
        from ansible_collections.mcp.server.plugins.module_utils._cluster.lock import Lock

        lock = Lock(connection.connect(task.params), task.params["namespace"], task.params["server"])
        lock.renew(task.params["lock"])
        with renewing(lock, task.params["lock"], task.warn):
            return run(task)

    return holding


@contextmanager
def renewing(lock: t.Any, run: str, warn: t.Callable[[str], None]) -> t.Iterator[None]:
    """Renews this run's Lease while the block works."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(EVERY):
            try:
                lock.renew(run)
            except Lost as failure:
                # Whoever writes next looks for himself.
                warn(failure.msg)
                return
            except Failure:
                continue  # an API server that is away for a moment

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)
