# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lease renewal: keep the Lease of a run (lease.py) while one of its tasks works.

It also covers an outage of the API server (_kubernetes/outage.py).
"""

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

if t.TYPE_CHECKING:
    from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease

# Documented in doc_fragments/run_id.py
OPTION: dict[str, t.Any] = {"run_id": {"type": "str", "no_log": False}}

EVERY = 15.0  # seconds between two renewals
AGAIN = 1.0  # seconds until the next try during an outage, in which the Lease expires
EMERGENCY = 5.0  # seconds for which an emergency waits for its Lease before it continues without
NEXT = 1.0  # the same, once it has continued without it

Answer = t.TypeVar("Answer")

_RENEWED: ContextVar[str] = ContextVar("mcp_server_renewed", default="")  # the run whose Lease this task renews


def with_lease(run: Run) -> Run:
    """Return a module's function that renews the Lease of its run (option C(run_id)) while it works.

    A rollback stops only when another run holds the Lease, see best_effort().
    """

    @functools.wraps(run)
    def renewing_run(task: Task) -> dict[str, t.Any]:
        params = task.params
        if not params["run_id"] or task.check_mode:
            return run(task)
        with renewing(task, params["run_id"], required=not params.get("rollback")) as renewed_task:
            return run(renewed_task)

    return renewing_run


@contextmanager
def renewing(task: Task, run: str, *, required: bool = True) -> t.Iterator[Task]:
    """Renew the run's Lease while the block works; give the block a task whose check_lease() reports failures.

    required: whether to raise Failure when the Lease cannot be renewed. Otherwise only LeaseLost is raised, and
    everything else is a warning.
    """
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection  # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease  # lazy: emergency path

    params = task.params
    if required and _RENEWED.get() == run:  # by the task that this one is a part of
        yield task
        return

    def renew(lease: Lease) -> None:
        _warn_of_lapse(task, lease.renew(run, task.runner))

    with waiting(Waiting(task.progress)) as how:
        lease = Lease(connection.connect(params), params["namespace"], params["server"])
        (renew if required else functools.partial(best_effort, task, act=renew))(lease)
        # Without retries: this is what a wait for the API server does once it answers.
        lease = lease.limited(patience=0.0)
        how.regained = (
            functools.partial(renew, lease) if required else functools.partial(best_effort, task, lease, renew, how)
        )
        renewal = _Renewal(
            functools.partial(renew, lease),
            how,
            params["api_retry_timeout"] if required else math.inf,
            task.warn,
            task.runner,
        )
        before = _RENEWED.set(run)
        try:
            with renewal.renewing():
                yield replace(task, check_lease=renewal.check_lease)
        finally:
            _RENEWED.reset(before)


def check(task: Task, lease: Lease, run: str, *, required: bool = True) -> None:
    """Make sure, before a write, that the run holds its Lease. Raises Failure; see renewing() for required."""

    def act(lease: Lease) -> None:
        _warn_of_lapse(task, lease.check(run, task.runner))

    if required:
        act(lease)
    else:
        best_effort(task, lease, act)


def best_effort(
    task: Task, lease: Lease, act: t.Callable[[Lease], Answer], how: Waiting | None = None
) -> Answer | None:
    """Return act(lease), for which an emergency waits a few seconds only. Raises LeaseLost.

    After any other failure warn, and return None.
    """
    how = how or current()
    seconds = NEXT if how.without_lease else EMERGENCY
    lease = lease.limited(patience=seconds, timeout=seconds)
    try:
        answer = bounded(lambda: act(lease), seconds)
    except LeaseLost:
        raise
    except Exception as error:  # whatever it is, the traffic cannot wait
        if not how.without_lease:
            task.warn(
                "Continuing without the Lease of this run. Only another run that holds it would stop this one. "
                f"{_failure(error).msg}"
            )
        how.without_lease = True
        return None
    how.without_lease = False
    return answer


def _warn_of_lapse(task: Task, lapse: str) -> None:
    if lapse:
        server = f"{task.params['namespace']}/{task.params['server']}"
        task.warn(f"The Lease of {server} {lapse}. This run took it again.")


def _failure(error: Exception) -> Failure:
    if isinstance(error, Failure):
        return error
    return Failure(f"The Lease could not be renewed ({type(error).__name__}: {error}).")


class _Renewal:
    """Renew the Lease in a thread, every few seconds; check_lease() raises what came of it."""

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
        """Raise LeaseLost when another run holds it, and Unreachable after C(patience) seconds without a renewal."""
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
                return  # the play was killed and left this task behind: nobody is responsible for the release
            try:
                self._renew()
                if away:
                    self._how.over(away.elapsed)
                away, self._failure = None, None
            except LeaseLost as failure:
                # Every write checks the Lease itself.
                self._failure = failure
                self._warn(failure.msg)
                return
            except Exception as error:  # whatever it is: without this thread there are no renewals
                away = away or Deadline(self._patience)
                cause = _failure(error).msg.partition(";")[0].rstrip(".")
                if not away.left:
                    self._failure = Unreachable(
                        f"{cause}, and the Lease of this run was not renewed for {self._patience:.0f} s "
                        "(api_retry_timeout)."
                    )
                bound = "" if math.isinf(self._patience) else f" of {self._patience:.0f}"
                line = f"{cause}; continuing without it, {away.elapsed:.0f}{bound} s"
                self._how.say(functools.partial(str, line))
