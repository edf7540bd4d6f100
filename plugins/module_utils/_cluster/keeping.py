# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holding on to the Lease of a run (see lock.py) while one of its tasks works, also through an outage of the API server (outage.py)."""

from __future__ import annotations

import functools
import os
import threading
import typing as t
from contextlib import contextmanager
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._cluster.outage import Unreachable, Waiting, waiting
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Lost, Run, Task

# Documented in doc_fragments/lock.py
OPTION: dict[str, t.Any] = {"lock": {"type": "str", "no_log": False}}

EVERY = 15.0  # seconds between two renewals
AGAIN = 1.0  # seconds until the next try while the API server is away: the Lease runs out meanwhile


def kept(run: Run) -> Run:
    """A module's function that holds on to the Lease of the run in its option C(lock), if there is one, for as long as it takes."""

    @functools.wraps(run)
    def holding(task: Task) -> dict[str, t.Any]:
        params = task.params
        if not params["lock"] or task.check_mode:
            return run(task)
        with renewed(task, params["lock"]) as kept_task:
            return run(kept_task)

    return holding


@contextmanager
def renewed(task: Task, run: str) -> t.Iterator[Task]:
    """The run's Lease is renewed while the block works, with a task whose held() tells what came of it. Raises Failure."""
    # The library for it takes 0.2 s to import.
    from ansible_collections.mcp.server.plugins.module_utils._cluster import connection
    from ansible_collections.mcp.server.plugins.module_utils._cluster.lock import Lock

    params = task.params
    with waiting(Waiting(task.progress)) as how:
        Lock(connection.connect(params), params["namespace"], params["server"]).renew(run)
        # Without patience: it is what a wait does when it is over.
        lock = Lock(connection.connect({**params, "api_patience": 0.0}), params["namespace"], params["server"])
        how.regained = functools.partial(lock.renew, run)
        keeper = _Keeper(how, params["api_patience"], task.warn, task.runner)
        with keeper.renewing():
            yield replace(task, held=keeper.held)


class _Keeper:
    """Renews every now and then in a thread; held() tells what came of it."""

    def __init__(self, how: Waiting, patience: float, warn: t.Callable[[str], None], runner: int | None = None) -> None:
        self._how = how
        self._runner = runner
        self._patience = patience
        self._warn = warn
        self._failure: Failure | None = None

    def held(self) -> None:
        """Raises Lost when another run has it, and Unreachable when it could not be renewed for longer than the patience."""
        if self._failure is not None:
            raise self._failure

    @contextmanager
    def renewing(self) -> t.Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._work, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(5)

    def _work(self, over: threading.Event) -> None:
        away: Deadline | None = None
        while not over.wait(AGAIN if away else EVERY):
            if self._runner is not None and os.getppid() != self._runner:
                return  # the play was killed, and left this task behind: the release is nobody's
            try:
                self._how.regained()
                if away:
                    self._how.over(away.elapsed)
                away, self._failure = None, None
            except Lost as failure:
                # Whoever writes next looks for himself.
                self._failure = failure
                self._warn(failure.msg)
                return
            except Exception as error:  # an answer that nobody thought of, too: an end of this thread would be the end of the renewals
                failure = error if isinstance(error, Failure) else Failure(f"The Lease could not be renewed ({type(error).__name__}: {error})")
                away = away or Deadline(self._patience)
                said = failure.msg.partition(";")[0]
                if not away.left:
                    self._failure = Unreachable(f"{said}, and the Lease of this run was not renewed for {self._patience:.0f} s (api_patience).")
                elapsed = away.elapsed
                self._how.say(lambda said=said, elapsed=elapsed: f"{said}; going on without it, {elapsed:.0f} of {self._patience:.0f} s")
