# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One release at a time for each server: a Lease, C(SERVER-release), that a run holds, renews while it lives, and gives back.

A run has an id, which its tasks hand on as their option C(run_id). Whoever writes
to the cluster looks before that whether the run still holds the Lease: an
emergency rollback takes it from a release that goes on somewhere else.

It has expired by client-go's rule: when we saw it unchanged for its duration, by our own monotonic
clock. The API server's time may only shorten that wait, and our wall clock decides nothing.

A Lease that was deleted, or that somebody emptied, is taken again by the run that had it. One that
a run gave back is not: whoever believes to have it was taken over meanwhile.
"""

from __future__ import annotations

import math
import os
import socket
import time
import typing as t
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict, Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost

SECONDS = 60  # that a Lease lasts after it was renewed
SHORTEST, LONGEST = 30.0, 300.0  # of what a Lease that others wrote may say instead

ATTEMPTS = 5
AHEAD = 5.0  # seconds by which a renewal may seem to lie ahead of the API server's time, and is from just now
SLOW = 15.0  # seconds for a read, after which the API server was away: its holder could not renew it either
POLL = 2.0  # seconds between looks at a Lease that is watched
EVERY = 5.0  # seconds between lines of progress

BY, PROCESS, GIVEN_BACK = "mcp.server/by", "mcp.server/process", "mcp.server/given-back"
PAUSED = "paused"  # as the process: a guard holds the Lease only until somebody goes on with the release


@dataclass(frozen=True)
class Holder:
    """run: its id. by: for people. process: where it runs, see this_process().

    duration: seconds that the Lease lasts after it was renewed.
    """

    run: str
    by: str
    process: str
    acquired: datetime
    renewed: datetime
    duration: float = float(SECONDS)


def new_run_id() -> str:
    return uuid.uuid4().hex[:12]


def this_process(pid: int | None) -> str:
    """Return a name for a process that no other one ever has: host, boot, PID namespace, pid, start.

    Empty when it can't be named. Two containers may share a host name and a boot, and then the same pid is not the same process.
    """
    if pid is None:
        return ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
        # The name of the program, in parentheses, may hold anything.
        started = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{socket.gethostname()}/{boot}/{namespace}/{pid}/{started}"


def is_dead(process: str) -> bool:
    """Return whether the process was one that can be seen from here, and is gone.

    What runs elsewhere is not known, nor is what /proc hides from us (hidepid): neither is dead.
    """
    ours = this_process(os.getpid()).rsplit("/", 2)[0]
    if not ours or not process.startswith(f"{ours}/"):
        return False
    pid = process.removeprefix(f"{ours}/").partition("/")[0]
    if not pid.isdecimal() or process.count("/") != ours.count("/") + 2:
        return False
    alive = this_process(int(pid))
    return alive != process if alive else not _exists(int(pid))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # another user's
    return True


def seconds_left(holder: Holder, unchanged: float, now: datetime | None) -> float:
    """Return the seconds until the Lease has expired; none are left when it has.

    unchanged: seconds for which we saw it as it is. now: the API server's time, None when it is not known.
    """
    by_date = math.inf if now is None else holder.duration - (now - holder.renewed).total_seconds()
    return min(holder.duration - unchanged, by_date)


def expired(holder: Holder, unchanged: float, now: datetime | None) -> bool:
    """Return whether the Lease may be taken from its holder; see left()."""
    return seconds_left(holder, unchanged, now) <= 0


def tells(holder: Holder, now: datetime | None) -> bool:
    """Return whether the API server's time tells how old the Lease is.

    It does not when the Lease was renewed in the future, by a clock that is ahead.
    """
    return now is not None and (holder.renewed - now).total_seconds() <= AHEAD


def refusal(
    server: str,
    holder: Holder | None,
    run: str,
    now: datetime | None,
    *,
    dead: bool = False,
    take_over: bool = False,
    unchanged: float = 0.0,
) -> str:
    """Why the Lease cannot be had; empty when it can."""
    if (
        holder is None
        or holder.run == run
        or take_over
        or dead
        or holder.process == PAUSED
        or expired(holder, unchanged, now)
    ):
        return ""
    age = int((max(now or holder.renewed, holder.renewed) - holder.acquired).total_seconds())
    return (
        f"A release of {server} is under way: {holder.by} has held it for {age // 60} min {age % 60} s. Wait for its end; if it was killed, it lets go "
        f"in {seconds_left(holder, unchanged, now):.0f} s by itself; to take over from it, say so and why (-e mcp_take_over=true -e mcp_reason=...)."
    )


class Lease:
    """The Lease of one server. Methods raise Failure."""

    def __init__(self, cluster: Api, namespace: str, server: str) -> None:
        self._cluster = cluster
        self._place = (namespace, server)
        self._server = f"{namespace}/{server}"
        self._folder = paths.leases(namespace)
        self._name = f"{server}-release"
        # What was read last, and since when it has been so (monotonic)
        self._sight: tuple[Holder | None, float] | None = None

    def limited(self, patience: float, timeout: float = math.inf) -> Lease:
        """The same Lease, by requests of no more patience and time; see connection.Cluster."""
        return Lease(self._cluster.limited(patience, timeout), *self._place)

    @property
    def unchanged(self) -> float:
        """Seconds for which it was seen as read() found it last."""
        return time.monotonic() - self._sight[1] if self._sight else 0.0

    def read(self) -> tuple[Holder | None, str | None]:
        """Who holds it, and the version of the object, None when there is none yet."""
        return self._read()[:2]

    def _read(self) -> tuple[Holder | None, str | None, dict[str, str]]:
        """With its annotations."""
        # An error is no sight of it: while the API server was away, nobody could renew it.
        began, before, self._sight = time.monotonic(), self._sight, None
        try:
            lease = self._cluster.get(f"{self._folder}/{self._name}")
        except NotFound:
            lease = {"metadata": {"resourceVersion": None}}
        metadata = lease.get("metadata") or {}
        if "resourceVersion" not in metadata:
            raise Unreachable(
                f"The API server does not answer with the Lease {self._name} of {self._server}, but with something else; see what is before it."
            )
        notes = metadata.get("annotations") or {}
        holder, now = _holder(lease.get("spec") or {}, notes), time.monotonic()
        self._sight = before if before and before[0] == holder and now - began <= SLOW else (holder, now)
        return holder, metadata["resourceVersion"], notes

    def acquire(
        self,
        run: str,
        by: str,
        process: str,
        *,
        take_over: bool = False,
        dry_run: bool = False,
        progress: t.Callable[[str], None] = lambda line: None,
    ) -> Holder | None:
        """Whom it was taken from, if it was in use. Raises Failure when it can't be had."""
        before: Holder | None = None
        for attempt in range(1, ATTEMPTS + 1):
            holder, version, complaint = self._look(run, take_over, progress)
            if holder is not None and holder.run == run:
                return before  # a write whose answer was lost
            if complaint:
                raise Failure(complaint)
            try:
                before = holder
                if not dry_run:
                    now = self._cluster.now()
                    self._write(Holder(run, by, process, now, now), version)
            except Unanswered:
                if attempt == ATTEMPTS:
                    raise
                continue
            except Conflict:
                if take_over:
                    continue  # its holder renewed it: that must not hold up an emergency
                break
            return before
        raise Failure(
            f"Another release of {self._server} began at the same moment: see who holds it, and run this again."
        )

    def _look(
        self, run: str, take_over: bool, progress: t.Callable[[str], None]
    ) -> tuple[Holder | None, str | None, str]:
        """Return the Lease as read() does, and why it can't be had.

        Where no clock tells whether its holder lives, watch it until that is seen.
        """
        first: Holder | None = None
        bound = Deadline(2 * LONGEST)
        shown = -EVERY
        while True:
            holder, version = self.read()
            now = self._cluster.server_time()
            dead = bool(holder and is_dead(holder.process))
            complaint = refusal(
                self._server, holder, run, now, dead=dead, take_over=take_over, unchanged=self.unchanged
            )
            if not (holder and complaint) or tells(holder, now) or (first and holder != first) or not bound.left:
                return holder, version, complaint
            first = holder
            if bound.elapsed - shown >= EVERY:
                shown = bound.elapsed
                progress(
                    f"{holder.by} holds {self._server}, by a clock that differs from the API server's: "
                    f"seeing whether it is renewed, {self.unchanged:.0f} of {holder.duration:.0f} s"
                )
            time.sleep(POLL)

    def take(self, run: str, by: str, version: str | None, process: str = "") -> None:
        """Takes it from whoever has it, as read() found it. Raises Conflict when it was written since."""
        now = self._cluster.now()
        self._write(Holder(run, by, process, now, now), version)

    def renew(self, run: str, runner: int | None = None) -> str:
        """Renew it, or take it again when nobody else has it: then return why, a clause. Raises Lost.

        runner: the id of the process that runs the play.
        """
        lapse = ""
        for _attempt in range(ATTEMPTS):
            holder, version, found = self._mine(run)
            lapse = lapse or found
            try:
                self._write(replace(holder or self._again(run, runner), renewed=self._cluster.now()), version)
                return lapse
            except Conflict:
                continue  # Somebody wrote in between: perhaps our other thread, perhaps another run.
        raise Failure(
            f"The Lease {self._name} of {self._server} could not be renewed: it is written to all the time; see who does that."
        )

    def check(self, run: str, runner: int | None = None) -> str:
        """See to it that this run holds it, and will for longer than a write takes; as renew()."""
        holder, _version, _lapse = self._mine(run)
        if holder and (self._cluster.now() - holder.renewed).total_seconds() <= SECONDS / 2:
            return ""
        return self.renew(run, runner)

    def _mine(self, run: str) -> tuple[Holder | None, str | None, str]:
        """Return the Lease as read() does; without a holder, and with the reason, where the run is to take it again.

        Raises Lost.
        """
        holder, version, notes = self._read()
        if holder is None and (last := notes.get(GIVEN_BACK)):
            whom = (
                "it was given back" if last == run else f"{notes.get(BY, 'somebody')} took over, and gave it back since"
            )
        elif holder is None:
            return None, version, "had no holder any more" if version else "was deleted"
        elif holder.run == run:
            return holder, version, ""
        elif expired(holder, self.unchanged, self._cluster.server_time()):
            return None, version, f"had been taken by {holder.by}, and has expired"
        else:
            whom = f"{holder.by} took over"
        raise LeaseLost(
            f"This run is not the one that releases {self._server} any more: {whom}. Nothing more is changed by it."
        )

    def _again(self, run: str, runner: int | None) -> Holder:
        # Only here: it is seldom needed.
        from ansible_collections.mcp.server.plugins.module_utils._release.runner import runner_name

        now = self._cluster.now()
        return Holder(run, runner_name(), this_process(runner), now, now)

    def release(self, run: str) -> None:
        """Gives it back, unless another run has it."""
        for _attempt in range(ATTEMPTS):
            holder, version = self.read()
            if holder is None or holder.run != run:
                return
            try:
                metadata = {"resourceVersion": version, "annotations": {GIVEN_BACK: run}}
                self._patch({"spec": {"holderIdentity": None, "renewTime": None}, "metadata": metadata})
                return
            except Conflict:
                continue  # our other thread renewed it, or the answer was lost
        raise Failure(
            f"The Lease {self._name} of {self._server} could not be given back: it is written to all the time; see who does that."
        )

    def _write(self, holder: Holder, version: str | None) -> None:
        body: dict[str, t.Any] = {
            "metadata": {
                "name": self._name,
                "labels": {"app.kubernetes.io/managed-by": "mcp.server"},
                "annotations": {BY: holder.by, PROCESS: holder.process, GIVEN_BACK: ""},
            },
            "spec": {
                "holderIdentity": holder.run,
                "leaseDurationSeconds": SECONDS,
                "acquireTime": _times.iso(holder.acquired, "microseconds"),
                "renewTime": _times.iso(holder.renewed, "microseconds"),
            },
        }
        if version is None:
            self._cluster.create(self._folder, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **body})
        else:
            body["metadata"]["resourceVersion"] = version
            self._patch(body)

    def _patch(self, body: dict[str, t.Any]) -> None:
        self._cluster.patch(f"{self._folder}/{self._name}", body)


def _holder(spec: dict[str, t.Any], notes: dict[str, str]) -> Holder | None:
    """None for a Lease that says nothing, as one that was given back, or that somebody else wrote."""
    renewed, acquired = _times.parse(spec.get("renewTime")), _times.parse(spec.get("acquireTime"))
    if not (renewed and acquired and spec.get("holderIdentity")):
        return None
    seconds = spec.get("leaseDurationSeconds")
    duration = min(max(SHORTEST, seconds), LONGEST) if isinstance(seconds, int) else SECONDS
    return Holder(
        spec["holderIdentity"], notes.get(BY, "somebody"), notes.get(PROCESS, ""), acquired, renewed, float(duration)
    )
