# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module's function in the controller's process (see module_utils/_task.py).

Ansible runs each task in a worker: a fork of the play's process, in its own session. On SIGINT, the play's process of
ansible-core 2.19 and 2.21 signals the workers and waits for them. On SIGTERM it signals them and ends at once. On
SIGHUP it ends at once. A worker of this collection ends when its play ends (end_with_the_play), so the play's process
has to wait for the worker (end_after_the_workers).
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import functools
import gc
import hashlib
import mmap
import multiprocessing
import os
import signal
import sys
import threading
import time
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import AnsibleValidationError, UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection_line import announcing
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Waiting, waiting
from ansible_collections.mcp.server.plugins.module_utils._release import runner
from ansible_collections.mcp.server.plugins.module_utils._task import (
    Failure,
    Interrupted,
    Run,
    Spec,
    Task,
    misplaced,
    unexpected,
    without_secrets,
)
from ansible_collections.mcp.server.plugins.module_utils._text import fit_for_screen, one_line
from ansible_collections.mcp.server.plugins.plugin_utils import _core_version, _fleet

display = Display()

PR_SET_PDEATHSIG = 1
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS_TO_STOP = 10.0

# The signal that stopped this worker: no further iteration of a loop may begin.
stopped_by: str | None = None


def end_with_the_play() -> int:
    """Have the kernel end this process when its play ends, for any reason; return the play's process id.

    Neither kill -9 of the play's process group nor SIGHUP reaches a worker, which would go on shifting traffic that
    another run is responsible for by then. Linux only.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:  # not a fork of a play, but a test
        return os.getppid()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent.pid:  # it ended before prctl()
        os._exit(1)
    return parent.pid


@contextlib.contextmanager
def _handling(handler: t.Callable[[int, t.Any], None]) -> t.Iterator[None]:
    """Handle the signals that stop a run, except those that are ignored (nohup, ansible-runner)."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    before = {number: known for number, known in before.items() if known not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)


@contextlib.contextmanager
def interruptible() -> t.Iterator[None]:
    """Raise Interrupted on the first signal that stops a run. Ignore later ones.

    The process ends at most SECONDS_TO_STOP after the signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: t.Any) -> None:
        global stopped_by
        if stopped_by is None:
            stopped_by = signal.Signals(number).name
            # Only this function of the standard library ends a process whatever its threads and locks do.
            faulthandler.dump_traceback_later(SECONDS_TO_STOP, exit=True, file=os.open(os.devnull, os.O_WRONLY))
            raise Interrupted(stopped_by)

    if stopped_by is not None:
        raise Interrupted(stopped_by)
    with _handling(stop):
        yield


# Kept here, as a worker drops the handlers: without a reference, the next garbage collection would close this,
# in whatever thread that happens.
_HANDLING = contextlib.ExitStack()


def end_after_the_workers() -> None:
    """On a signal that stops the play's process: signal the workers, wait for them, and then do what Ansible does."""
    ansible_handles = callable(signal.getsignal(signal.SIGTERM))
    if (
        multiprocessing.parent_process() is not None
        or threading.current_thread() is not threading.main_thread()
        or not ansible_handles
    ):
        return
    ends = False

    def end(number: int, _frame: t.Any) -> None:
        nonlocal ends
        if ends:
            return
        ends = True
        from ansible.executor.process.worker import WorkerProcess  # here, as the two modules import each other

        deadline = time.monotonic() + SECONDS_TO_STOP
        workers = [child for child in multiprocessing.active_children() if isinstance(child, WorkerProcess)]
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(t.cast(int, worker.pid), number)
        while any(worker.is_alive() for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.1)  # until another thread has shown their output
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: in the middle of a write
            sys.stdout.flush()
        _HANDLING.close()
        os.kill(os.getpid(), number)

    _HANDLING.enter_context(_handling(end))


# The strategy loads an action plugin in the play's process before it forks the first worker.
end_after_the_workers()


@contextlib.contextmanager
def _environment(variables: dict[str, t.Any]) -> t.Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _launcher(variables: dict[str, t.Any]) -> dict[str, str]:
    """Return the environment variable that says who started the job of AWX; empty without one."""
    found = next((variables[name] for name in runner.LAUNCHER_VARIABLES if variables.get(name)), None)
    return {} if found is None else {runner.LAUNCHER: str(found)}


# Hashes of the lines that are shown once in a play. Shared by the play's process and its forks, the workers.
_SHOWN = mmap.mmap(-1, 8 * 1024)


def _once(host: str, show: t.Callable[[str], None], line: str) -> None:
    """Show a line, unless a task of this play has shown it for this host."""
    digest = hashlib.sha256(f"{host}\0{line}".encode()).digest()[:8]
    place = 8 * (int.from_bytes(digest, "big") % (len(_SHOWN) // 8))
    if _SHOWN[place : place + 8] != digest:
        _SHOWN[place : place + 8] = digest
        show(line)


Params = dict[str, t.Any]


# Stdout callbacks whose output is read by people, by the last part of their names. Others may write a document there.
CALLBACKS_FOR_PEOPLE = ("default", "minimal", "oneline", "awx_display")


def show(line: str) -> None:
    """Show a progress line: on stdout beside what Ansible writes there for people, else on stderr, so that JSON stays
    JSON.
    """
    callback = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    display.display(line, stderr=callback not in CALLBACKS_FOR_PEOPLE)


def _never(_params: dict[str, t.Any]) -> bool:
    return False


class InProcessAction(ActionBase):
    """The base of all action plugins, which only name their module's spec and function.

    For a connection that is not local, become or async, the task is for another process: the module is sent there as
    usual.
    """

    SPEC: t.ClassVar[Spec]
    RUN: t.ClassVar[Run]
    # Whether these params need this process, so that another one is refused.
    MUST_BE_HERE: t.ClassVar[staticmethod[[Params], bool]] = staticmethod(_never)
    # Whether these params have their own time limits, so that Ansible's timeout does not end the task.
    OUTLASTS_TASK_TIMEOUT: t.ClassVar[staticmethod[[Params], bool]] = staticmethod(_never)

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        gc.freeze()  # a collection writes to each object that it looks at: the play's pages would be copied
        result = super().run(tmp, task_vars)
        if changes := self._what_sends_it_elsewhere():
            if type(self).MUST_BE_HERE(self._validate().validated_parameters):
                raise AnsibleActionFail(
                    f"Refusing to run {self._task.action} in another process, where it could not be stopped and would "
                    "show "
                    f"no progress: {', '.join(changes)}."
                )
            wrap_async = self._task.async_val and not self._connection.has_native_async
            return {**result, **self._execute_module(task_vars=task_vars, wrap_async=wrap_async)}
        variables: dict[str, t.Any] = {}
        self._compute_environment_string(variables)
        with _environment({**_launcher(task_vars or {}), **variables}):
            return {**result, **self._run_here((task_vars or {}).get("inventory_hostname", ""))}

    def _what_sends_it_elsewhere(self) -> list[str]:
        """Return what to change so that it runs in this process; empty when it does.

        These are variables, as a variable in the inventory takes precedence over the keyword of a play.
        """
        changes = []
        if self._connection.transport != "local":
            changes.append("set ansible_connection: local in the vars of the play")
        if self._connection.become:
            changes.append("set ansible_become: false in the vars of the play")
        if self._task.async_val:
            changes.append("remove async and poll")
        return changes

    def _validate(self) -> ValidationResult:
        return ArgumentSpecValidator(self.SPEC.options, **self.SPEC.rules()).validate(self._task.args.copy())

    def _problem(self, error: AnsibleValidationError) -> str:
        """Return AnsibleModule's message for an error: for unsupported options, it puts a text before the error."""
        unsupported = (
            f"Unsupported parameters for ({self._task.action}) module: " if isinstance(error, UnsupportedError) else ""
        )
        return f"{unsupported}{error.msg}"

    def _booleans(self) -> list[str]:
        """Return a sentence for each number that is true or false: Ansible would make 1 and 0 of these."""
        return [
            f"{name} must be a number, not {str(self._task.args[name]).lower()}"
            for name, option in self.SPEC.options.items()
            if option.get("type") in ("int", "float") and isinstance(self._task.args.get(name), bool)
        ]

    def _run_here(self, host: str) -> dict[str, t.Any]:
        validation = self._validate()
        if found := [*map(self._problem, validation.errors.errors), *self._booleans()]:
            found = misplaced(self.SPEC.options, self._task.args) or found
            problems = one_line(remove_values("; ".join(found), validation._no_log_values))
            # An older one makes text of what is no text, so that these may be for it
            too_old = _core_version.problem()
            raise AnsibleActionFail(f"{problems}. {too_old}" if too_old else problems)
        secrets = validation._no_log_values
        warnings: list[str] = []
        task = Task(
            params=validation.validated_parameters,
            check_mode=self._task.check_mode,
            progress=lambda line: show(f"  [{host}] {one_line(without_secrets(remove_values(line, secrets)))}"),
            warn=warnings.append,
            runner=end_with_the_play(),
            fleet=_fleet.member(host, lambda line: show(f"  {one_line(line)}")),
        )
        if type(self).OUTLASTS_TASK_TIMEOUT(task.params) and signal.alarm(0):
            task.warn(
                f"The timeout of {self._task.timeout} s does not end {self._task.action}, which has its own time "
                "limits."
            )
        try:
            with (
                interruptible(),
                waiting(Waiting(task.progress)),
                announcing(functools.partial(_once, host, task.progress)),
            ):
                outcome = type(self).RUN(task)
        except Failure as failure:
            outcome = {**failure.evidence, "failed": True, "msg": failure.msg}
        except Interrupted as interrupted:
            sentences = [
                f"{self._task.action} was stopped by {interrupted.signal}.",
                *getattr(interrupted, "__notes__", []),
            ]
            outcome = {"failed": True, "msg": " ".join(sentences)}
        except Exception as error:
            outcome = {"failed": True, "msg": unexpected(error)}
        if stopped_by is not None and "msg" in outcome:
            task.progress(outcome["msg"])  # a play that is ending shows no results
        result: dict[str, t.Any] = fit_for_screen(
            without_secrets(remove_values({"changed": False, **outcome}, secrets))
        )
        if warnings:
            result["warnings"] = list(map(one_line, without_secrets(remove_values(warnings, secrets))))
        return result
