# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holding on to the Lease of a run (see lease.py) while one of its tasks works, also through an outage of the API server (_kubernetes/outage.py)."""

from __future__ import annotations

import functools
import math
import os
import threading
import typing as t
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import (
    Unreachable,
    Waiting,
    current,
    waiting,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost, Run, Task, bounded

# Documented in doc_fragments/run_id.py
OPTION: dict[str, t.Any] = {"run_id": {"type": "str", "no_log": False}}

EVERY = 15.0  # seconds between two renewals
AGAIN = 1.0  # seconds until the next try while the API server is away: the Lease runs out meanwhile
EMERGENCY = 5.0  # seconds that an emergency gives its Lease; then it goes on without
NEXT = 1.0  # and when it went on without it before

Answer = t.TypeVar("Answer")

_RENEWED: ContextVar[str] = ContextVar("mcp_server_renewed", default="")  # the run whose Lease is renewed here already


def with_lease(run: Run) -> Run:
    """A module's function that holds on to the Lease of the run in its option C(run_id), if there is one, for as long as it takes.

    Of a rollback only another run that holds the Lease is the end, see hastily().
    """

    @functools.wraps(run)
    def holding(task: Task) -> dict[str, t.Any]:
        params = task.params
        if not params["run_id"] or task.check_mode:
            return run(task)
        with renewing(task, params["run_id"], must=not params.get("rollback")) as kept_task:
            return run(kept_task)

    return holding


@contextmanager
def renewing(task: Task, run: str, *, must: bool = True) -> t.Iterator[Task]:
    """The run's Lease is renewed while the block works, with a task whose check_lease() tells what came of it. Raises Failure.

    must: whether the block can't do without it; else only Lost is raised, and all else is a warning.
    """
    # The library for it takes 0.2 s to import.
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
    from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease

    params = task.params
    if must and _RENEWED.get() == run:  # by the task that this one is a part of
        yield task
        return

    def renew(lease: t.Any) -> None:
        _tell(task, lease.renew(run, task.runner))

    with waiting(Waiting(task.progress)) as how:
        lease = Lease(connection.connect(params), params["namespace"], params["server"])
        (renew if must else functools.partial(hastily, task, act=renew))(lease)
        # Without patience: it is what a wait does when it is over.
        lease = lease.limited(patience=0.0)
        how.regained = functools.partial(renew, lease) if must else functools.partial(hastily, task, lease, renew, how)
        keeper = _Renewal(
            functools.partial(renew, lease),
            how,
            params["api_retry_timeout"] if must else math.inf,
            task.warn,
            task.runner,
        )
        before = _RENEWED.set(run)
        try:
            with keeper.renewing():
                yield replace(task, check_lease=keeper.check_lease)
        finally:
            _RENEWED.reset(before)


def check(task: Task, lease: t.Any, run: str, *, must: bool = True) -> None:
    """See to it that the run holds its Lease (a lock.Lock), before a write. Raises Failure; see renewed() for must."""

    def look(lease: t.Any) -> None:
        _tell(task, lease.check(run, task.runner))

    if must:
        look(lease)
    else:
        hastily(task, lease, look)


def hastily(task: Task, lease: t.Any, act: t.Callable[[t.Any], Answer], how: Waiting | None = None) -> Answer | None:
    """Return what act gives, called with the Lease (a lock.Lock) as an emergency uses it: for a few seconds.

    Raises Lost. Whatever else goes wrong is a warning, and None.
    """
    how = how or current()
    seconds = NEXT if how.without_lease else EMERGENCY
    lease = lease.limited(patience=seconds, timeout=seconds)
    try:
        answer = bounded(lambda: act(lease), seconds)
    except LeaseLost:
        raise
    except Exception as error:  # an answer that nobody thought of, too: the traffic can't wait for it
        if not how.without_lease:
            task.warn(
                f"Going on without the Lease of this run: only another run that holds it would be an end. {_failure(error).msg}"
            )
        how.without_lease = True
        return None
    how.without_lease = False
    return answer


def _tell(task: Task, lapse: str) -> None:
    if lapse:
        task.warn(f"The Lease of {task.params['namespace']}/{task.params['server']} {lapse}: this run took it again.")


def _failure(error: Exception) -> Failure:
    return (
        error
        if isinstance(error, Failure)
        else Failure(f"The Lease could not be renewed ({type(error).__name__}: {error})")
    )


class _Renewal:
    """Renews every now and then in a thread; check_lease() tells what came of it."""

    def __init__(
        self,
        renew: t.Callable[[], None],
        how: Waiting,
        patience: float,
        warn: t.Callable[[str], None],
        runner: int | None = None,
    ) -> None:
        self._renew = renew
        self._how = how
        self._runner = runner
        self._patience = patience
        self._warn = warn
        self._failure: Failure | None = None

    def check_lease(self) -> None:
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
                self._renew()
                if away:
                    self._how.over(away.elapsed)
                away, self._failure = None, None
            except LeaseLost as failure:
                # Whoever writes next looks for himself.
                self._failure = failure
                self._warn(failure.msg)
                return
            except (
                Exception
            ) as error:  # an answer that nobody thought of, too: an end of this thread would be the end of the renewals
                away = away or Deadline(self._patience)
                said = _failure(error).msg.partition(";")[0]
                if not away.left:
                    self._failure = Unreachable(
                        f"{said}, and the Lease of this run was not renewed for {self._patience:.0f} s (api_retry_timeout)."
                    )
                bound = "" if math.isinf(self._patience) else f" of {self._patience:.0f}"
                line = f"{said}; going on without it, {away.elapsed:.0f}{bound} s"
                self._how.say(lambda line=line: line)
