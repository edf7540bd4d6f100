# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
import time
import typing as t
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import lease as lock_module
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._release.lease import (
    SECONDS,
    Holder,
    Lease,
    expired,
    is_dead,
    refusal,
    this_process,
)
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def held(renewed: float, run: str = "theirs") -> Holder:
    """By somebody who began 65 s ago, and renewed so many seconds ago."""
    return Holder(run, "eva@runner", "", NOW - timedelta(seconds=65), NOW - timedelta(seconds=renewed))


@pytest.mark.parametrize(
    ("holder", "given", "said"),
    [
        (None, {}, ""),
        (held(0), {}, r"A release of prod/mcp is in progress \(by eva@runner, for 1 min 5 s\)\. .* expires in 60 s"),
        (held(59), {}, "expires in 1 s"),
        (held(60), {}, ""),
        (held(-30), {}, "expires in 60 s"),  # renewed in the future: by the API server's time it would last for 90
        (held(-30), {"unchanged": 50.0}, "expires in 10 s"),
        (held(0), {"unchanged": 60.0}, ""),
        (held(0, "ours"), {}, ""),
        (held(0), {"take_over": True}, ""),
        (held(0), {"dead": True}, ""),
    ],
)
def test_who_may_have_it(holder: Holder | None, given: dict[str, t.Any], said: str) -> None:
    found = refusal("prod/mcp", holder, "ours", NOW, **{"dead": False, "take_over": False, **given})
    assert bool(found) is bool(said)
    assert not said or re.search(said, found)


@pytest.mark.parametrize(
    ("renewed", "unchanged", "now", "duration", "gone"),
    [
        # As seen by our own monotonic clock
        (0, 59.9, NOW, 60, False),
        (0, 60, NOW, 60, True),
        (-3600, 59.9, NOW, 60, False),
        (-3600, 60, NOW, 60, True),
        # The API server's time may only shorten that
        (59.9, 0, NOW, 60, False),
        (60, 0, NOW, 60, True),
        (3600, 0, NOW, 60, True),
        (3600, 0, None, 60, False),
        (3600, 59.9, None, 60, False),
        (3600, 60, None, 60, True),
        # Its own duration
        (60, 60, NOW, 120, False),
        (0, 120, NOW, 120, True),
        (120, 0, NOW, 120, True),
    ],
)
def test_when_a_lease_has_expired(
    renewed: float, unchanged: float, now: datetime | None, duration: float, gone: bool
) -> None:
    assert expired(replace(held(renewed), duration=duration), unchanged, now) is gone


def test_a_process_is_known_for_as_long_as_it_lives() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = this_process(child.pid)
    assert name.startswith(f"{socket.gethostname()}/")
    assert not is_dead(name)
    child.communicate(b"\n", timeout=10)
    assert is_dead(name)
    host, boot, namespace, pid, started = name.split("/")
    # Another process has its number now.
    assert is_dead(f"{host}/{boot}/{namespace}/{os.getpid()}/1")
    # Another boot, host or PID namespace is not known; and what is no name is not dead.
    others = [
        f"{host}/other/{namespace}/{pid}/{started}",
        f"elsewhere/{boot}/{namespace}/{pid}/{started}",
        f"{host}/{boot}/4026531999/{pid}/{started}",
        f"{host}/{boot}/{pid}/{started}",  # of an older version
    ]
    assert not any(
        map(is_dead, [*others, "", host, f"{host}/{boot}/{namespace}/x/1", f"{host}/{boot}/{namespace}", f"{name}/1"])
    )
    assert this_process(None) == this_process(2**31) == ""


def test_a_process_that_can_not_be_seen_is_not_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """/proc with hidepid, or a live process of another user."""
    name = f"{this_process(os.getpid()).rsplit('/', 2)[0]}/4194000/1"
    assert is_dead(name)

    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert not is_dead(name)
    monkeypatch.setattr(os, "kill", lambda _pid, _signal: None)
    assert not is_dead(name)


def test_where_nothing_can_be_named_nothing_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{this_process(os.getpid()).rsplit('/', 2)[0]}/4194000/1"
    monkeypatch.setattr(lock_module, "this_process", lambda _pid: "")
    assert not is_dead(name)


LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"


class Cluster(ApiServer):
    """With one Lease, perhaps."""

    @property
    def spec(self) -> dict[str, t.Any]:
        return self.objects[LEASE]["spec"]

    @property
    def holder(self) -> str | None:
        return self.spec.get("holderIdentity") if LEASE in self.objects else None

    @property
    def version(self) -> str | None:
        return self.objects[LEASE]["metadata"]["resourceVersion"] if LEASE in self.objects else None

    def edit(self, **spec: t.Any) -> None:
        """As anybody may."""
        self.change(LEASE, {"spec": spec})

    def age(self, seconds: float) -> None:
        self.edit(renewTime=(self.now() - timedelta(seconds=seconds)).isoformat())


def until(met: t.Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not met() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def lock(cluster: Cluster) -> Lease:
    return Lease(cluster, "prod", "mcp")


def test_one_run_at_a_time(cluster: Cluster, lock: Lease) -> None:
    assert lock.acquire("one", "eva@runner", "") is None
    with pytest.raises(Failure, match="by eva@runner, for 0 s"):
        lock.acquire("two", "max@laptop", "")
    lock.renew("one")
    lock.release("two")
    assert cluster.holder == "one"
    lock.release("one")
    assert cluster.holder is None
    assert lock.acquire("two", "max@laptop", "") is None
    assert cluster.spec["leaseDurationSeconds"] == SECONDS


def test_who_was_taken_over_from_knows(cluster: Cluster, lock: Lease) -> None:
    lock.acquire("one", "eva@runner", "")
    before = lock.acquire("two", "max@laptop", "", take_over=True)
    assert before is not None and before.by == "eva@runner"
    for lost in (lock.renew, lock.check):
        with pytest.raises(LeaseLost, match="lost the Lease of prod/mcp .max@laptop took over"):
            lost("one")
    # What it did is done, and must not be undone by a run that did not notice
    lock.release("two")
    for lost in (lock.renew, lock.check):
        with pytest.raises(LeaseLost, match="max@laptop took over and has returned it"):
            lost("one")
    with pytest.raises(LeaseLost, match="it was returned"):
        lock.renew("two")
    assert lock.acquire("three", "eva@runner", "") is None
    assert lock.renew("three") == ""


def test_a_killed_run_of_this_machine_is_in_nobodys_way(lock: Lease) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lock.acquire("one", "eva@here", this_process(child.pid))
    with pytest.raises(Failure, match="eva@here"):
        lock.acquire("two", "eva@here", "")
    child.kill()
    child.wait(10)
    before = lock.acquire("two", "eva@here", "")
    assert before is not None and before.run == "one"


def test_two_that_begin_at_once(cluster: Cluster, lock: Lease) -> None:
    other = Lease(cluster, "prod", "mcp")
    for method in ("POST", "PATCH"):
        cluster.call(lambda: other.acquire("other", "max@laptop", ""), method)
        with pytest.raises(Failure, match="began at the same moment"):
            lock.acquire("ours", "eva@runner", "")
        assert cluster.holder == "other"
        other.release("other")


def test_a_holder_that_renews_does_not_hold_up_an_emergency(cluster: Cluster, lock: Lease) -> None:
    lock.acquire("one", "eva@runner", "")
    cluster.call(lambda: cluster.touch(LEASE), "PATCH", times=3)
    before = lock.acquire("two", "max@laptop", "", take_over=True)
    assert before is not None and before.run == "one"
    assert cluster.holder == "two" and not cluster.rules


def test_check_mode_takes_nothing_and_says_who_has_it(cluster: Cluster, lock: Lease) -> None:
    lock.acquire("one", "eva@runner", "", dry_run=True)
    assert LEASE not in cluster.objects
    lock.acquire("two", "eva@runner", "")
    with pytest.raises(Failure, match="is in progress"):
        lock.acquire("one", "eva@runner", "", dry_run=True)


@pytest.mark.parametrize(
    "spec",
    [{}, {"holderIdentity": "x"}, {"holderIdentity": "x", "renewTime": "soon", "acquireTime": 7}, {"renewTime": None}],
)
def test_a_lease_that_says_nothing_is_nobodys(cluster: Cluster, lock: Lease, spec: dict[str, t.Any]) -> None:
    cluster.put(LEASE, {"spec": spec})
    assert lock.read() == (None, cluster.version)
    lock.acquire("ours", "eva@runner", "")
    assert cluster.holder == "ours"


@pytest.fixture
def kept(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., t.Any]:
    """Runs a function as a task of a run."""
    monkeypatch.setattr(connection, "connect", lambda _params: cluster)

    def call(
        work: t.Callable[[Task], dict[str, t.Any]],
        run: str = "ours",
        check_mode: bool = False,
        warn: t.Any = print,
        patience: float = 5.0,
        progress: t.Any = print,
        rollback: bool = False,
        runner: int | None = None,
        every: float = 0.02,
    ) -> dict[str, t.Any]:
        monkeypatch.setattr(lease_renewal, "EVERY", every)
        params = {
            "run_id": run,
            "namespace": "prod",
            "server": "mcp",
            "api_retry_timeout": patience,
            "rollback": rollback,
        }
        task = Task(params, check_mode, warn=warn, progress=progress, runner=runner)
        return lease_renewal.with_lease(work)(task)

    return call


def test_a_task_renews_while_it_works(cluster: Cluster, lock: Lease, kept: t.Any) -> None:
    lock.acquire("ours", "eva@runner", "")

    def work(task: Task) -> dict[str, t.Any]:
        before = cluster.spec["renewTime"]
        away = cluster.fail(ConnectionResetError(), "GET", times=math.inf)
        time.sleep(0.06)
        cluster.rules.remove(away)
        until(lambda: cluster.spec["renewTime"] != before)
        return {"renewed": cluster.spec["renewTime"] > before}

    assert kept(work) == {"renewed": True}
    version = cluster.version
    time.sleep(0.06)
    assert version == cluster.version


@pytest.mark.parametrize("stored", [True, False])
def test_a_lease_whose_write_was_not_answered(cluster: Cluster, lock: Lease, stored: bool) -> None:
    acts: list[tuple[t.Callable[[], object], str, str | None]] = [
        (lambda: lock.acquire("ours", "eva@runner", ""), "POST", "ours"),
        (lambda: lock.renew("ours"), "PATCH", "ours"),
        (lambda: lock.release("ours"), "PATCH", None),
    ]
    for act, method, holder in acts:
        cluster.fail(Unanswered("no answer"), method, after=stored)
        act()
        assert not cluster.rules and cluster.holder == holder


def test_a_lease_that_is_about_to_run_out_is_renewed_before_a_write(cluster: Cluster, lock: Lease) -> None:
    lock.acquire("ours", "eva@runner", "")
    fresh = cluster.spec["renewTime"]
    lock.check("ours")
    assert cluster.spec["renewTime"] == fresh
    cluster.age(100)
    lock.check("ours")
    assert cluster.spec["renewTime"] > fresh


@pytest.mark.parametrize(
    "trouble", [Unreachable("The API server does not answer."), KeyError("metadata"), AttributeError("odd")]
)
@pytest.mark.parametrize(("patience", "held"), [(5.0, True), (0.0, False)])
def test_an_outage_ends_a_wait_when_it_is_longer_than_the_patience(
    cluster: Cluster,
    lock: Lease,
    kept: t.Any,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
    held: bool,
    trouble: Exception,
) -> None:
    """So does any answer that the Lease can't be read from."""
    monkeypatch.setattr(lease_renewal, "AGAIN", 0.02)
    lock.acquire("ours", "eva@runner", "")

    def work(task: Task) -> dict[str, t.Any]:
        cluster.fail(trouble, "GET", times=math.inf)
        time.sleep(0.1)
        task.check_lease()
        cluster.rules.clear()
        return {"done": True}

    if held:
        assert kept(work, patience=patience) == {"done": True}
    else:
        with pytest.raises(Unreachable, match=r"and the Lease of this run was not renewed for 0 s"):
            kept(work, patience=patience)


def test_an_outage_that_nothing_waits_for_is_told_with_its_end(
    cluster: Cluster, lock: Lease, kept: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_renewal, "AGAIN", 0.02)
    lock.acquire("ours", "eva@runner", "")
    lines: list[str] = []

    def work(_task: Task) -> dict[str, t.Any]:
        cluster.fail(ConnectionResetError(), "GET", times=math.inf)
        until(lambda: lines)
        cluster.rules.clear()
        until(lambda: len(lines) > 1)
        time.sleep(0.1)
        return {}

    kept(work, progress=lines.append)
    assert "continuing without it, 0 of 5 s" in lines[0]
    assert lines[1:] == ["the API server answers again, after 0 s"]


def test_a_wait_of_a_run_that_lost_it_ends(lock: Lease, kept: t.Any) -> None:
    lock.acquire("ours", "eva@runner", "")

    def work(task: Task) -> dict[str, t.Any]:
        lock.acquire("other", "max@laptop", "", take_over=True)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            task.check_lease()
            time.sleep(0.01)
        return {}

    with pytest.raises(LeaseLost, match="max@laptop took over"):
        kept(work)


def test_a_task_of_a_run_that_lost_it_does_nothing(lock: Lease, kept: t.Any) -> None:
    lock.acquire("other", "max@laptop", "")
    with pytest.raises(LeaseLost, match="max@laptop took over"):
        kept(lambda _task: pytest.fail("it did something"))
    assert kept(lambda _task: {"done": True}, run="") == {"done": True}
    assert kept(lambda _task: {"done": True}, check_mode=True) == {"done": True}


def test_a_task_that_loses_it_is_warned(lock: Lease, kept: t.Any) -> None:
    warnings: list[str] = []
    lock.acquire("ours", "eva@runner", "")

    def work(task: Task) -> dict[str, t.Any]:
        lock.acquire("other", "max@laptop", "", take_over=True)
        until(lambda: warnings)
        return {}

    kept(work, warn=warnings.append)
    assert "max@laptop took over" in warnings[0]


@pytest.mark.parametrize("ahead", [-600.0, -50.0, 50.0, 3600.0])
def test_our_wall_clock_decides_nothing(cluster: Cluster, lock: Lease, ahead: float) -> None:
    """The API server's clock is ahead of ours by so much."""
    cluster.ahead = ahead
    lock.acquire("one", "eva@runner", "")
    cluster.age(55)
    with pytest.raises(Failure, match="expires in [45] s"):
        lock.acquire("two", "max@laptop", "")
    cluster.age(61)
    before = lock.acquire("two", "max@laptop", "")
    assert before is not None and before.run == "one"
    for written in ("renewTime", "acquireTime"):
        assert abs((cluster.now() - datetime.fromisoformat(cluster.spec[written])).total_seconds()) < 5


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lease that says that it lasts for 0 s does so for 0.3 s, and is looked at often."""
    monkeypatch.setattr(lock_module, "SHORTEST", 0.3)
    monkeypatch.setattr(lock_module, "POLL", 0.02)
    monkeypatch.setattr(lock_module, "EVERY", 0.1)


@pytest.mark.parametrize(("ahead", "renewed"), [(0.0, 3600), (0.0, 10), (None, 3600), (None, 0), (None, -3600)])
def test_a_lease_whose_age_no_clock_tells_is_watched(
    cluster: Cluster, lock: Lease, short: None, ahead: float | None, renewed: float
) -> None:
    """Its holder's clock was ahead of the API server's, or that one is not known."""
    lock.acquire("one", "eva@runner", "")
    cluster.ahead = ahead
    cluster.age(-renewed)
    cluster.edit(leaseDurationSeconds=0)
    lines: list[str] = []
    start = time.monotonic()
    before = Lease(cluster, "prod", "mcp").acquire("two", "max@laptop", "", progress=lines.append)
    assert before is not None and before.run == "one" and cluster.holder == "two"
    assert 0.3 <= time.monotonic() - start < 2
    assert 2 <= len(lines) <= 4 and lines[0].startswith(
        "eva@runner holds the Lease of prod/mcp, and its clock differs from the API server's: waiting to see whether "
        "it is renewed, 0 of"
    )


def test_a_lease_that_is_watched_and_renewed_is_in_use(cluster: Cluster, lock: Lease, short: None) -> None:
    lock.acquire("one", "eva@runner", "")
    cluster.age(-3600)
    cluster.edit(leaseDurationSeconds=100)
    start = time.monotonic()

    def renew(line: str) -> None:
        if time.monotonic() - start > 0.15:
            cluster.age(-3601)

    with pytest.raises(Failure, match="by eva@runner, .* expires in 100 s"):
        Lease(cluster, "prod", "mcp").acquire("two", "max@laptop", "", progress=renew)
    assert cluster.holder == "one" and time.monotonic() - start < 2


def test_a_lease_that_is_watched_and_given_back_is_free(cluster: Cluster, lock: Lease, short: None) -> None:
    lock.acquire("one", "eva@runner", "")
    cluster.age(-3600)
    assert (
        Lease(cluster, "prod", "mcp").acquire("two", "max@laptop", "", progress=lambda _line: lock.release("one"))
        is None
    )
    assert cluster.holder == "two"


def test_what_is_not_the_holders_does_not_renew_it(cluster: Cluster, lock: Lease, short: None) -> None:
    """Another client writes labels all the time."""
    lock.acquire("one", "eva@runner", "")
    cluster.age(-3600)
    cluster.edit(leaseDurationSeconds=0)
    Lease(cluster, "prod", "mcp").acquire("two", "max@laptop", "", progress=lambda _line: cluster.touch(LEASE))
    assert cluster.holder == "two"


@pytest.mark.parametrize("away", ["error", "slow"])
def test_a_lease_that_could_not_be_renewed_is_not_seen_unchanged(
    cluster: Cluster, lock: Lease, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    """The API server was away, for its holder too."""
    clock = {"now": 100.0}
    monkeypatch.setattr(lock_module.time, "monotonic", lambda: clock["now"])
    lock.acquire("one", "eva@runner", "")
    lock.read()
    clock["now"] += 40
    lock.read()
    assert lock.unchanged == 40
    if away == "error":
        cluster.fail(ConnectionResetError(), "GET")
        with pytest.raises(Unreachable):
            lock.read()
    else:
        cluster.call(lambda: clock.update(now=clock["now"] + 60), "GET")
    lock.read()
    assert lock.unchanged == 0


LAPSES: list[tuple[t.Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.objects.pop(LEASE), "was deleted"),
    (lambda cluster: cluster.edit(holderIdentity=None), "had no holder"),
    (lambda cluster: cluster.edit(renewTime="soon"), "had no holder"),
    (lambda cluster: cluster.edit(acquireTime=None), "had no holder"),
    (lambda cluster: (cluster.edit(holderIdentity="other"), cluster.age(61)), "was taken by "),
    (lambda cluster: cluster.age(3600), ""),  # it lapsed, and nobody took it
]


@pytest.mark.parametrize("rollback", [False, True])
@pytest.mark.parametrize(("lapse", "told"), LAPSES)
def test_a_lease_that_nobody_else_holds_is_taken_again(
    cluster: Cluster, lock: Lease, kept: t.Any, lapse: t.Callable[[Cluster], object], told: str, rollback: bool
) -> None:
    warnings: list[str] = []

    def work(task: Task) -> dict[str, t.Any]:
        assert cluster.holder == "ours"
        lease_renewal.check(task, lock, "ours", required=not rollback)
        return {"done": True}

    lock.acquire("ours", "eva@runner", "")
    lapse(cluster)
    assert kept(work, warn=warnings.append, rollback=rollback) == {"done": True}
    assert bool(warnings) is bool(told)
    assert not told or (
        warnings[0].startswith(f"The Lease of prod/mcp {told}") and warnings[0].endswith(". This run took it again.")
    )
    lapse(cluster)
    found = lock.check("ours")
    assert cluster.holder == "ours" and bool(found) is bool(told) and found.startswith(told)
    assert lock.check("ours") == ""

    def lapses(task: Task) -> dict[str, t.Any]:
        lapse(cluster)
        version = cluster.version
        until(lambda: cluster.version not in (None, version))
        task.check_lease()
        return {"holder": cluster.holder}

    # The thread that renews takes it again, too.
    assert kept(lapses, warn=warnings.append, rollback=rollback) == {"holder": "ours"}


@pytest.mark.parametrize("ahead", [0.0, None])
@pytest.mark.parametrize("renewed", [0, 59, -3600])
def test_only_another_run_that_holds_it_ends_a_rollback(
    cluster: Cluster, lock: Lease, kept: t.Any, renewed: float, ahead: float | None
) -> None:
    cluster.ahead = ahead
    lock.acquire("ours", "eva@runner", "")

    def work(task: Task) -> dict[str, t.Any]:
        lock.acquire("other", "max@laptop", "", take_over=True)
        cluster.age(renewed)
        lease_renewal.check(task, Lease(cluster, "prod", "mcp"), "ours", required=False)
        return {}

    for task in (work, lambda _task: pytest.fail("it did something")):
        with pytest.raises(LeaseLost, match="max@laptop took over"):
            kept(task, rollback=True)
    assert cluster.holder == "other"


TROUBLE: dict[str, t.Callable[[Cluster], object]] = {
    "403": lambda cluster: cluster.refused.add("get leases"),
    "500": lambda cluster: cluster.fail(StatusError(500, "failed calling webhook"), "GET", times=math.inf),
    "429": lambda cluster: cluster.fail(StatusError(429, "Too many requests"), "GET", times=math.inf),
    "odd": lambda cluster: cluster.objects.update({LEASE: {"kind": "Lease"}}),
    "keeps updating it": lambda cluster: cluster.call(lambda: cluster.touch(LEASE), "PATCH", times=math.inf),
    "may not be written": lambda cluster: cluster.refused.add("patch leases"),
    "no answer": lambda cluster: cluster.slow(1.5, "GET"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_rollback_goes_on_without_its_lease(
    cluster: Cluster, lock: Lease, kept: t.Any, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setattr(lease_renewal, "EMERGENCY", 0.3)
    monkeypatch.setattr(lease_renewal, "NEXT", 0.1)
    monkeypatch.setattr(lease_renewal, "AGAIN", 0.02)
    lock.acquire("ours", "eva@runner", "")
    cluster.age(40)  # so that it is to be written before a write, too
    TROUBLE[trouble](cluster)
    warnings: list[str] = []

    def work(task: Task) -> dict[str, t.Any]:
        for _each in range(3):
            lease_renewal.check(task, lock, "ours", required=False)
            time.sleep(0.1)
            task.check_lease()
        return {"done": True}

    start = time.monotonic()
    assert kept(work, rollback=True, warn=warnings.append, patience=0.0) == {"done": True}
    # The thread that renews is waited for, where it is given no answer.
    assert time.monotonic() - start < (3 if trouble == "no answer" else 1.5)
    assert len(warnings) == 1 and warnings[0].startswith("Continuing without the Lease of this run")
    if trouble != "no answer":
        with pytest.raises(Failure):
            kept(work, patience=0.0)


@pytest.mark.parametrize(("runner", "renews"), [(0, True), (1, False), (-1, False)])
def test_a_task_that_its_play_left_behind_renews_nothing(
    cluster: Cluster, lock: Lease, kept: t.Any, runner: int, renews: bool
) -> None:
    """The process that runs the play is not its parent any more."""
    lock.acquire("ours", "eva@runner", "")

    def work(_task: Task) -> dict[str, t.Any]:
        version = cluster.version
        until(lambda: cluster.version != version) if renews else time.sleep(0.2)
        return {"renewed": cluster.version != version}

    assert kept(work, runner=os.getppid() + runner) == {"renewed": renews}


def test_a_part_of_a_task_does_not_renew_its_lease_as_well(cluster: Cluster, lock: Lease, kept: t.Any) -> None:
    """A rollback does: its task may have gone on without the Lease."""
    lock.acquire("ours", "eva@runner", "")

    def writes(**given: t.Any) -> int:
        before = len(cluster.writes(LEASE))
        kept(lambda _task: {"done": True}, every=60, **given)
        return len(cluster.writes(LEASE)) - before

    parts: list[dict[str, t.Any]] = [{}, {"rollback": True}]
    assert kept(lambda _task: {"writes": [writes(**part) for part in parts]}, every=60) == {"writes": [0, 1]}
    assert writes() == 1
