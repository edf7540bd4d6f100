# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Lease C(SERVER-release), by which a server has one release at a time.

A run holds the Lease, renews it while it lives, and returns it. A run has an id, which its tasks pass on as their
option C(run_id). Each write to the cluster is preceded by a check that the run still holds the Lease, as an emergency
rollback takes it from a release that runs elsewhere.

The Lease expires by client-go's rule: when this process has seen it unchanged for its duration, by the monotonic
clock. The API server's time can only shorten that wait. The wall clock of this machine decides nothing.

A run takes its Lease again when it was deleted or emptied. It does not when the Lease was returned: then another run
had taken it over.
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
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, LeaseLost
from ansible_collections.mcp.server.plugins.module_utils._text import printable

SECONDS = 60  # for which a Lease lasts after a renewal
SHORTEST, LONGEST = 30.0, 300.0  # bounds for the duration in a Lease that others wrote
AHEAD = 5.0  # seconds by which a recent renewal may be ahead of the API server's time
SLOW = 15.0  # seconds for a read that mean an outage of the API server, in which the holder could not renew either
POLL = 2.0  # seconds between two reads of a Lease that is watched
EVERY = 5.0  # seconds between two lines of progress

MAX_BY = 200  # characters of who holds it, which anybody may have written

BY, PROCESS, RETURNED = "mcp.server/by", "mcp.server/process", "mcp.server/given-back"
# In place of the process: a guard holds the Lease of a paused release, and any run may take it.
PAUSED = "paused"


@dataclass(frozen=True)
class Holder:
    """The run that holds the Lease."""

    # The id of the run.
    run: str
    # For people.
    by: str
    # Where it runs, see this_process().
    process: str
    acquired: datetime
    renewed: datetime
    # Seconds for which the Lease lasts after a renewal.
    duration: float = float(SECONDS)


def new_run_id() -> str:
    return uuid.uuid4().hex[:12]


def this_process(pid: int | None) -> str:
    """Return a unique name for a process (host, boot, PID namespace, pid, start); empty when it has none.

    The PID namespace tells containers apart that share a host name and a boot.
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
    """Return whether the process could be seen from here and has ended.

    A process of another machine is not dead, nor is one that /proc hides (hidepid).
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
    """Return the seconds until the Lease expires, 0 or less when it has.

    unchanged: seconds for which this process has seen it as it is. now: the API server's time, None when unknown.
    """
    by_date = math.inf if now is None else holder.duration - (now - holder.renewed).total_seconds()
    return min(holder.duration - unchanged, by_date)


def expired(holder: Holder, unchanged: float, now: datetime | None) -> bool:
    """Return whether the Lease may be taken from its holder; see seconds_left() for the parameters."""
    return seconds_left(holder, unchanged, now) <= 0


def has_known_age(holder: Holder, now: datetime | None) -> bool:
    """Return whether the API server's time says how old the Lease is: not when a clock that is ahead renewed it."""
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
    """Return a sentence that says why the run cannot have the Lease; empty when it can.

    dead: whether the holder's process has ended. unchanged: as for seconds_left().
    """
    if (
        holder is None
        or holder.run == run
        or take_over
        or dead
        or holder.process == PAUSED
        or expired(holder, unchanged, now)
    ):
        return ""
    age = _times.duration((max(now or holder.renewed, holder.renewed) - holder.acquired).total_seconds())
    left = seconds_left(holder, unchanged, now)
    return (
        f"A release of {server} is in progress (by {holder.by}, for {age}). Wait for it to finish. "
        f"If it was killed, its Lease expires in {left:.0f} s. "
        "To take over, pass -e mcp_take_over=true -e \"mcp_reason='...'\" "
        "(options take_over and reason of mcp_release)."
    )


class Lease:
    """The Lease of one server. Methods raise Failure."""

    def __init__(self, cluster: Api, namespace: str, server: str) -> None:
        self._cluster = cluster
        self._namespace, self._server_name = namespace, server
        self._server = f"{namespace}/{server}"
        self._folder = paths.leases(namespace)
        self._name = f"{server}-release"
        # The holder that was read last, and since when it has been unchanged (monotonic).
        self._seen: tuple[Holder | None, float] | None = None

    def limited(self, patience: float, timeout: float = math.inf) -> Lease:
        """Return the same Lease, with requests bounded as by Api.limited()."""
        return Lease(self._cluster.limited(patience, timeout), self._namespace, self._server_name)

    @property
    def unchanged(self) -> float:
        """Return the seconds for which it has been seen as read() found it last."""
        return time.monotonic() - self._seen[1] if self._seen else 0.0

    def read(self) -> tuple[Holder | None, str | None]:
        """Return the holder, None without one, and the object's resourceVersion, None when it does not exist."""
        return self._read()[:2]

    def _read(self) -> tuple[Holder | None, str | None, dict[str, str]]:
        """Return the same as read(), and the annotations."""
        # After an error it has not been seen: during an outage of the API server nobody could renew it.
        began, before, self._seen = time.monotonic(), self._seen, None
        try:
            lease = self._cluster.get(f"{self._folder}/{self._name}")
        except NotFound:
            lease = {"metadata": {"resourceVersion": None}}
        metadata = lease.get("metadata") or {}
        if "resourceVersion" not in metadata:
            raise Unreachable(
                f"The answer to a request for Lease {self._name} of {self._server} is not a Lease. "
                "Check what stands between this machine and the API server."
            )
        notes = metadata.get("annotations") or {}
        holder, now = _holder(lease.get("spec") or {}, notes), time.monotonic()
        self._seen = before if before and before[0] == holder and now - began <= SLOW else (holder, now)
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
        """Take the Lease; return the holder whom it was taken from, None without one.

        Raises Failure when it is in use.
        """
        taken_from: Holder | None = None
        simultaneous = Failure(
            f"Another release of {self._server} began at the same moment. Find out which (status.yml), then run this "
            "again."
        )

        def attempt() -> None:
            nonlocal taken_from
            holder, version, problem = self._look(run, take_over, progress)
            if holder is not None and holder.run == run:
                return  # by a write whose answer was lost
            if problem:
                raise Failure(problem)
            taken_from = holder
            if dry_run:
                return
            now = self._cluster.now()
            try:
                self._write(Holder(run, by, process, now, now), version)
            except Conflict as conflict:
                # A holder that goes on renewing it must not delay an emergency.
                if take_over or isinstance(conflict, Unanswered):
                    raise
                raise simultaneous from None

        try:
            on_conflict(attempt, 0.0)
        except Unanswered:
            raise
        except Conflict:
            raise simultaneous from None
        return taken_from

    def _look(
        self, run: str, take_over: bool, progress: t.Callable[[str], None]
    ) -> tuple[Holder | None, str | None, str]:
        """Return the same as read(), and why the run cannot have the Lease.

        When no clock says whether the holder is alive, watch the Lease until a renewal, or none, has been seen.
        """
        first: Holder | None = None
        bound = Deadline(2 * LONGEST)
        shown = -EVERY
        while True:
            holder, version = self.read()
            now = self._cluster.server_time()
            dead = bool(holder and is_dead(holder.process))
            problem = refusal(self._server, holder, run, now, dead=dead, take_over=take_over, unchanged=self.unchanged)
            if not (holder and problem) or has_known_age(holder, now) or (first and holder != first) or not bound.left:
                return holder, version, problem
            first = holder
            if bound.elapsed - shown >= EVERY:
                shown = bound.elapsed
                progress(
                    f"{holder.by} holds the Lease of {self._server}, and its clock differs from the API server's: "
                    f"waiting to see whether it is renewed, {self.unchanged:.0f} of {holder.duration:.0f} s"
                )
            time.sleep(POLL)

    def take(self, run: str, by: str, version: str | None, process: str = "") -> None:
        """Take it from the holder that read() found. Raises Conflict when it was written since."""
        now = self._cluster.now()
        self._write(Holder(run, by, process, now, now), version)

    def renew(self, run: str, runner: int | None = None) -> str:
        """Renew it, or take it again when nobody else holds it. Raises LeaseLost.

        Return why it had to be taken again, a clause; empty when it was only renewed.
        runner: the id of the process that runs the play.
        """
        lapse = ""

        def attempt() -> None:
            nonlocal lapse
            holder, version, found = self._mine(run)
            lapse = lapse or found
            self._write(replace(holder or self._again(run, runner), renewed=self._cluster.now()), version)

        self._despite_conflicts(attempt, "renew")
        return lapse

    def _despite_conflicts(self, attempt: t.Callable[[], None], verb: str) -> None:
        """Call attempt() until no other thread, and no other run, has written in between. Raises Failure."""
        try:
            on_conflict(attempt, 0.0)
        except Conflict:
            raise Failure(
                f"Cannot {verb} Lease {self._name} of {self._server}: another client keeps updating it. "
                "Find out which (managedFields of the Lease) and stop it."
            ) from None

    def check(self, run: str, runner: int | None = None) -> str:
        """Make sure that this run holds it, and will for longer than a write takes.

        Return and raise the same as renew().
        """
        holder, _version, _lapse = self._mine(run)
        if holder and (self._cluster.now() - holder.renewed).total_seconds() <= SECONDS / 2:
            return ""
        return self.renew(run, runner)

    def _mine(self, run: str) -> tuple[Holder | None, str | None, str]:
        """Return the same as read(), and an empty text. Raises LeaseLost.

        Where the run has to take the Lease again, there is no holder, and the text is the reason, a clause.
        """
        holder, version, notes = self._read()
        if holder is None and (last := notes.get(RETURNED)):
            another = f"{printable(notes.get(BY) or 'another run', MAX_BY)} took over and has returned it"
            reason = "it was returned" if last == run else another
        elif holder is None:
            return None, version, "had no holder" if version else "was deleted"
        elif holder.run == run:
            return holder, version, ""
        elif expired(holder, self.unchanged, self._cluster.server_time()):
            return None, version, f"was taken by {holder.by} and has expired"
        else:
            reason = f"{holder.by} took over"
        raise LeaseLost(f"This run lost the Lease of {self._server} ({reason}) and makes no further changes.")

    def _again(self, run: str, runner: int | None) -> Holder:
        from ansible_collections.mcp.server.plugins.module_utils._release import runner as names  # lazy: emergency path

        now = self._cluster.now()
        return Holder(run, names.runner_name(), this_process(runner), now, now)

    def release(self, run: str) -> None:
        """Return it, unless another run holds it."""

        def attempt() -> None:
            holder, version = self.read()
            if holder is None or holder.run != run:
                return
            metadata = {"resourceVersion": version, "annotations": {RETURNED: run}}
            self._patch({"spec": {"holderIdentity": None, "renewTime": None}, "metadata": metadata})

        self._despite_conflicts(attempt, "return")

    def _write(self, holder: Holder, version: str | None) -> None:
        body: dict[str, t.Any] = {
            "metadata": {
                "name": self._name,
                "labels": {"app.kubernetes.io/managed-by": "mcp.server"},
                "annotations": {BY: holder.by, PROCESS: holder.process, RETURNED: ""},
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
    """Return the holder by a Lease's spec; None for one that was returned, or that is incomplete."""
    renewed, acquired = _times.parse(spec.get("renewTime")), _times.parse(spec.get("acquireTime"))
    if not (renewed and acquired and spec.get("holderIdentity")):
        return None
    seconds = spec.get("leaseDurationSeconds")
    duration = min(max(SHORTEST, seconds), LONGEST) if isinstance(seconds, int) else SECONDS
    return Holder(
        spec["holderIdentity"],
        printable(notes.get(BY) or "another run", MAX_BY),
        notes.get(PROCESS, ""),
        acquired,
        renewed,
        float(duration),
    )
