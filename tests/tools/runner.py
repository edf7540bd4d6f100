# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs jobs of the table beside each other, says how they go on, and what they took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
import venv
from pathlib import Path

import accounting
import failures
import jobs
import machine_faults
from work import LOGS, RUNNING, SEED, SPENT, STOPPED, Work, copy, priorities

CORES = os.cpu_count() or 1


def tail(log: Path, lines: int) -> list[str]:
    return log.read_text(errors="replace").strip().splitlines()[-lines:] if log.exists() else []


class Runner:
    """kind: test or soak. ended: called in the job's thread with each result."""

    def __init__(
        self, kind: str, wanted: t.Sequence[jobs.Job], work: Work, ended: t.Callable[[accounting.Span, Path], None]
    ) -> None:
        self.kind = kind
        self.work = work
        self.state = jobs.State(jobs.order(wanted, kind))
        self.spans: list[accounting.Span] = []
        self.skipped: list[str] = []
        self.start, self.idle = time.monotonic(), accounting.idle()
        self._ended = ended
        self._begun: dict[str, float] = {}
        self._changed = threading.Condition()

    @property
    def failed(self) -> list[str]:
        return [name for name, passed in self.state.ended.items() if not passed]

    def run(self) -> None:
        """Run them all. Each failure is printed when it comes."""
        threading.Thread(target=self._beat, daemon=True).start()
        try:
            with priorities(), self._changed:
                while self.state.waiting or self.state.running:
                    while hopeless := jobs.hopeless(self.state):
                        self._give_up(hopeless)
                    while one := jobs.startable(self.state, self.work.lanes()):
                        self.state.waiting.remove(one.job)
                        self.state.running.append(one)
                        threading.Thread(target=self._do, args=(one,), daemon=True).start()
                    if self.state.waiting and not self.state.running:
                        names = ", ".join(job.name for job in self.state.waiting)
                        sys.exit(f"There is no server for {names}: run make sandbox first.")
                    self._changed.wait(1)
        finally:
            STOPPED.set()
            for process in list(RUNNING):  # when we are stopped
                os.killpg(process.pid, signal.SIGKILL)

    def _give_up(self, hopeless: list[jobs.Job]) -> None:
        for job in hopeless:
            print(
                f"{job.name}: FAILED, as {' and '.join(name for name in job.after if name in self.failed)} did",
                flush=True,
            )
            self.state.waiting.remove(job)
            self.state.ended[job.name] = False

    def _do(self, one: jobs.Running) -> None:
        name, log = one.job.name, LOGS / f"{one.job.name}.log"
        start, idle = time.monotonic(), accounting.idle()
        self._begun[name] = start
        print(f"{name} ...", flush=True)
        passed, reason = True, ""
        with log.open("w") as output:
            try:
                self.work.do(one, output)
            except venv.NoPython as error:
                self.skipped.append(name)
                reason = str(error)
            except (subprocess.SubprocessError, OSError, ValueError) as error:
                passed = False
                output.write(f"{error}\n")
            except BaseException as error:  # a mistake of ours must not leave the others waiting for it
                passed = False
                output.write(f"{type(error).__name__}: {error}\n")
                raise
            finally:
                output.flush()
                outcome = "skipped" if name in self.skipped else "passed" if passed else "FAILED"
                seconds = time.monotonic() - start
                span = accounting.Span(
                    name,
                    outcome,
                    start - self.start,
                    seconds,
                    accounting.idle() - idle,
                    one.job.seconds(self.kind),
                    SPENT.cpu,
                )
                if not STOPPED.is_set():
                    self._report(span, log, reason)
                with self._changed:
                    self.spans.append(span)
                    self.state.running.remove(one)
                    self.state.ended[name] = passed
                    self._changed.notify()

    def _report(self, span: accounting.Span, log: Path, reason: str) -> None:
        lines = [f"{span.name}: {span.outcome} in {span.seconds:.0f} s" + (f", {reason}" if reason else "")]
        if span.outcome == "FAILED":
            last = tail(log, 150)
            fault = machine_faults.sentence(machine_faults.look(), "\n".join(last))
            lines = [f"--- {span.name} failed, the end of {log}:", *last, *lines]
            lines += [f"{span.name} failed because of the machine: {fault}"] if fault else []
        print("\n".join(lines), flush=True)
        self._ended(span, log)

    def _beat(self) -> None:
        """Every half minute: how far the long ones are."""
        while not STOPPED.wait(30):
            now = time.monotonic()
            for one in list(self.state.running):
                seconds = now - self._begun.get(one.job.name, now)
                if seconds > 25:
                    print(
                        f"  {one.job.name}: {seconds:.0f} s, "
                        f"{(tail(LOGS / f'{one.job.name}.log', 1) or [''])[0][:100]}",
                        flush=True,
                    )

    def table(self) -> list[str]:
        outcome = "FAILED" if self.failed else "passed"
        whole = accounting.Span("all", outcome, 0.0, time.monotonic() - self.start, accounting.idle() - self.idle)
        return accounting.table(self.spans, whole, CORES)

    def reasons(self) -> list[str]:
        """Return why jobs failed, a few lines each."""
        logs = {name: LOGS / f"{name}.log" for name in self.failed}
        return [
            line
            for name, log in logs.items()
            if log.exists()
            for line in [f"{name}:", *(f"  {one}" for one in failures.reasons(log.read_text(errors="replace")))]
        ]

    def second_tries(self) -> list[str]:
        """Return what passed only when it was tried again, with the reasons of its first failure."""
        logs = {span.name: LOGS / f"{span.name}.log" for span in self.spans if span.outcome == "passed"}
        first = {name: failures.first_try(log.read_text(errors="replace")) for name, log in logs.items()}
        return [
            line
            for name, log in first.items()
            if log
            for line in [f"{name} passed at its second try only:", *(f"  {one}" for one in failures.reasons(log))]
        ]

    def closing_line(self) -> str:
        total = len(self.state.ended)
        return (
            f"{total - len(self.failed) - len(self.skipped)} passed, {len(self.failed)} failed, "
            f"{len(self.skipped)} skipped"
        )


def begin() -> None:
    """Make the copy of the collection that all jobs run in. Exits with one sentence when that can't be done."""
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit("stopped"))
    print(f"logs: {LOGS}\nseed: {SEED} (MCP_TEST_SEED={SEED} draws the same again)", flush=True)
    try:
        LOGS.mkdir(mode=0o700)
        with (LOGS / "copy.log").open("w") as log:
            copy(log)
    except (subprocess.SubprocessError, OSError) as error:
        last = "\n".join([*tail(LOGS / "copy.log", 20), str(error)])
        fault = machine_faults.sentence(machine_faults.look(), last)
        sys.exit(f"The checkout could not be copied to {LOGS}: " + (f"{fault}" if fault else last))
