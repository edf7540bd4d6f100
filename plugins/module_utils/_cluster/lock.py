# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One release at a time for each server: a Lease, C(SERVER-release), that a run holds, renews while it lives, and gives back.

A run has an id, which its tasks hand on as their option C(lock). Whoever writes
to the cluster looks before that whether the run still holds the Lease: an
emergency rollback takes it from a release that goes on somewhere else.

Ages are by this machine's clock and the holder's: they must not differ by more
than a part of SECONDS.
"""

from __future__ import annotations

import os
import socket
import typing as t
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict, NotFound, Unanswered
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Lost

SECONDS = 60  # that a Lease lasts after it was renewed

ATTEMPTS = 5

BY, PROCESS = "mcp.server/by", "mcp.server/process"


@dataclass(frozen=True)
class Holder:
    """run: its id. by: for people. process: where it runs, see this_process()."""

    run: str
    by: str
    process: str
    acquired: datetime
    renewed: datetime


def new_run() -> str:
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


def refusal(server: str, holder: Holder | None, run: str, now: datetime, *, dead: bool, take_over: bool) -> str:
    """Why the Lease cannot be had; empty when it can."""
    if holder is None or holder.run == run or take_over or dead:
        return ""
    left = SECONDS - (now - holder.renewed).total_seconds()
    if left <= 0:
        return ""
    age = int((now - holder.acquired).total_seconds())
    return (
        f"A release of {server} is under way: {holder.by} has held it for {age // 60} min {age % 60} s. Wait for its end; if it was killed, it lets go "
        f"in {left:.0f} s by itself; to take over from it, say so (take_over=true, with a reason)."
    )


class Lock:
    """The Lease of one server. Methods raise Failure."""

    def __init__(self, cluster: t.Any, namespace: str, server: str) -> None:
        self._cluster = cluster
        self._server = f"{namespace}/{server}"
        self._folder = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._name = f"{server}-release"

    def read(self) -> tuple[Holder | None, str | None]:
        """Who holds it, and the version of the object, None when there is none yet."""
        try:
            lease = self._cluster.get(f"{self._folder}/{self._name}")
        except NotFound:
            return None, None
        spec, notes = lease.get("spec") or {}, lease["metadata"].get("annotations") or {}
        version = lease["metadata"]["resourceVersion"]
        try:
            renewed, acquired = (datetime.fromisoformat(spec[key]) for key in ("renewTime", "acquireTime"))
        except (KeyError, TypeError, ValueError):
            return None, version
        if not spec.get("holderIdentity"):
            return None, version
        return Holder(spec["holderIdentity"], notes.get(BY, "somebody"), notes.get(PROCESS, ""), acquired, renewed), version

    def acquire(self, run: str, by: str, process: str, *, take_over: bool = False, dry_run: bool = False) -> Holder | None:
        """Whom it was taken from, if it was in use. Raises Failure when it can't be had."""
        before: Holder | None = None
        for attempt in range(1, ATTEMPTS + 1):
            holder, version = self.read()
            if holder is not None and holder.run == run:
                return before  # a write whose answer was lost
            now = datetime.now(UTC)
            complaint = refusal(self._server, holder, run, now, dead=bool(holder and is_dead(holder.process)), take_over=take_over)
            if complaint:
                raise Failure(complaint)
            try:
                before = holder
                if not dry_run:
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
        raise Failure(f"Another release of {self._server} began at the same moment: see who holds it, and run this again.")

    def take(self, run: str, by: str, version: str | None) -> None:
        """Takes it from whoever has it, as read() found it. Raises Conflict when it was written since."""
        now = datetime.now(UTC)
        self._write(Holder(run, by, "", now, now), version)

    def renew(self, run: str) -> None:
        """Raises Lost."""
        for _attempt in range(ATTEMPTS):
            holder, version = self._held(run)
            try:
                self._write(Holder(run, holder.by, holder.process, holder.acquired, datetime.now(UTC)), version)
                return
            except Conflict:
                continue  # Somebody wrote in between: perhaps our other thread, perhaps another run.
        raise Failure(f"The Lease {self._name} of {self._server} could not be renewed: it is written to all the time; see who does that.")

    def check(self, run: str) -> None:
        """That it is held by this run, and will be for longer than a write takes. Raises Lost."""
        holder, _version = self._held(run)
        if (datetime.now(UTC) - holder.renewed).total_seconds() > SECONDS / 2:
            self.renew(run)

    def _held(self, run: str) -> tuple[Holder, str | None]:
        holder, version = self.read()
        if holder is None or holder.run != run:
            whom = f"{holder.by} took over" if holder else "it was let go"
            raise Lost(f"This run is not the one that releases {self._server} any more: {whom}. Nothing more is changed by it.")
        return holder, version

    def release(self, run: str) -> None:
        """Gives it back, unless another run has it."""
        for _attempt in range(ATTEMPTS):
            holder, version = self.read()
            if holder is None or holder.run != run:
                return
            try:
                self._patch({"spec": {"holderIdentity": None, "renewTime": None}, "metadata": {"resourceVersion": version}})
                return
            except Conflict:
                continue  # our other thread renewed it, or the answer was lost
        raise Failure(f"The Lease {self._name} of {self._server} could not be given back: it is written to all the time; see who does that.")

    def _write(self, holder: Holder, version: str | None) -> None:
        body: dict[str, t.Any] = {
            "metadata": {
                "name": self._name,
                "labels": {"app.kubernetes.io/managed-by": "mcp.server"},
                "annotations": {BY: holder.by, PROCESS: holder.process},
            },
            "spec": {
                "holderIdentity": holder.run,
                "leaseDurationSeconds": SECONDS,
                "acquireTime": _micro(holder.acquired),
                "renewTime": _micro(holder.renewed),
            },
        }
        if version is None:
            self._cluster.create(self._folder, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **body})
        else:
            body["metadata"]["resourceVersion"] = version
            self._patch(body)

    def _patch(self, body: dict[str, t.Any]) -> None:
        self._cluster.patch(f"{self._folder}/{self._name}", body)


def _micro(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
