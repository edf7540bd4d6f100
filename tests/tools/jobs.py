# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of everything that `make test` and `make soak` run, and which of it may run now. Plain data, no I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

# How many cores the jobs that run at the same time may need together.
CORES = 2.0


@dataclass(frozen=True)
class Job:
    """One thing to run.

    test, soak: the seconds that it took last in `make test` and in `make soak`; None when it has no part there.
    cores: how much of the machine it needs.
    after: jobs that must have passed before.
    lane: an example server of its own, by its number on the sandbox; -1 is any of them, None is no server.
    uses, takes: parts of the sandbox. While one job takes a part away, no job runs that uses it.
    targets: the integration targets that it runs, one after the other.
    environment: the virtual environment (see venv.py) that its tools are in.
    low_priority: whether it gets mainly the CPU time that the others leave: no time limit of seconds is in it.
    """

    name: str
    test: float | None
    soak: float | None = None
    cores: float = 1.0
    after: tuple[str, ...] = ()
    lane: int | None = None
    uses: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()
    environment: str = "tools"
    low_priority: bool = False

    def seconds(self, kind: str) -> float | None:
        return self.soak if kind == "soak" else self.test


def _target(name: str, test: float | None, soak: float | None = None, **more: t.Any) -> Job:
    """An integration target. Most of them wait most of the time, and judge by metrics."""
    given: dict[str, t.Any] = {
        "cores": 0.35,
        "after": ("sandbox",),
        "lane": -1,
        "uses": frozenset({"cluster", "prometheus"}),
        "targets": (name,),
    }
    return Job(name, test, soak, **(given | more))


LOW: dict[str, t.Any] = {"cores": 0.2, "low_priority": True}
NO_METRICS = {"uses": frozenset({"cluster"})}

# Targets so short that starting ansible-test for each would take longer than they do: of one module each, but for the
# first.
MODULES = (
    "api_contract",
    "mcp_compatibility",
    "mcp_contract",
    "mcp_flow_check",
    "mcp_health",
    "mcp_preflight",
    "mcp_release",
    "mcp_release_info",
    "mcp_rollback",
    "mcp_rollback_target",
    "mcp_rollout",
    "mcp_rollout_info",
    "mcp_secret_scan",
    "mcp_status_info",
    "mcp_traffic_shift",
    "mcp_verdict",
    "mcp_version_check",
    "mcp_version_consistency",
    "mcp_watch",
)
MODULES_WITH_METRICS = ("mcp_gate", "mcp_plan_info", "mcp_replay_info", "mcp_report", "mcp_silence")

JOBS = (
    Job("lint", 100, **LOW),
    Job("sanity", 200, 320, **LOW),
    Job("sanity_newest_core", 60, environment="newest-core", **LOW),
    # In three parts, as they wait most of the time.
    Job("unit_utils", 520, cores=0.4),
    Job("unit_modules", 240, cores=0.4),
    Job("unit_plugins", 360, cores=0.4),
    Job("unit_oldest_client", 75, cores=0.4, environment="oldest-client"),
    Job("plays", 230, cores=0.4),
    Job("plays_newest_core", 190, cores=0.4, environment="newest-core"),
    # Its servers need a part of the machine too, and its probes have seconds: not beside the compiler.
    Job("matrix", 145, 200, cores=0.4, after=("sandbox",)),
    # Thousands of drawn histories of metrics, against what the watch and the replay say of them.
    Job("histories", None, 500),
    # It also releases a copy of the repository to a remote and a Galaxy of its own.
    Job("package", 120, 200, **LOW),
    Job("sandbox", 54, 54),
    # Its compiler only takes what the others leave.
    Job("traefik", None, 392, cores=0.5, after=("sandbox",)),
    # It needs no cluster, only that binary.
    Job("gateway_api", None, 105, after=("traefik",)),
    _target("connection", 60, **NO_METRICS),
    # The load tool of mcp_load_test; its compiler only takes what the others leave.
    Job("vegeta", 30, 30, cores=0.4, after=("sandbox",)),
    Job("kustomize_controller", None, 390, cores=0.5, after=("sandbox",)),
    # It makes its servers itself.
    _target("flux", None, 290, after=("sandbox", "kustomize_controller"), **NO_METRICS),
    # It makes its servers itself, beside its lane's own.
    _target("mcp_drill", 75, 120, **NO_METRICS),
    _target("interruptions", 330, 570, **NO_METRICS),
    _target("load", 150, 390, cores=0.5),
    _target("mcp_announce", 180),
    # It makes its servers itself, beside its lane's own.
    _target("mcp_git_push", 50, **NO_METRICS),
    _target("mcp_guard", 370, 262),
    # It makes a namespace of its own, beside its lane's server.
    _target("mcp_scaffold", 210, 300, **NO_METRICS),
    # These make a namespace of their own, beside their lane's server.
    _target("mcp_break_glass", 80, **NO_METRICS),
    _target("mcp_adopt", 110, **NO_METRICS),
    _target("mcp_debug", 40, **NO_METRICS),
    _target("mcp_vault_check", 55, **NO_METRICS),
    _target("mcp_dependency_check", 45, **NO_METRICS),
    # It has an Alertmanager of its own.
    _target("mcp_alert_check", 30),
    # It makes a namespace of its own, beside its lane's server.
    _target("preflight", 75, **NO_METRICS),
    # It cordons the only node.
    _target("preflight_nodes", None, 10, takes=frozenset({"cluster"}), uses=frozenset()),
    _target("mcp_diagnose_info", 55, **NO_METRICS),
    _target("mcp_install", 100, **NO_METRICS),
    # It makes its servers itself, in a namespace of its own. It measures latencies of its own small loads.
    _target("mcp_load_test", 60, after=("sandbox", "vegeta"), **NO_METRICS),
    # It makes its servers itself, in namespaces of its own. In a soak it sends a load.
    _target("guide", 120, 300, after=("sandbox", "vegeta")),
    # Once with each part, and once with one that fails.
    _target("mcp_guide_stamp", 45, **NO_METRICS),
    _target("rights", 35),
    # It compares with kubectl top; in a soak it takes metrics-server away.
    _target("mcp_instances_info", 45, 60),
    _target("modules", 136, targets=MODULES, **NO_METRICS),
    _target("modules_with_metrics", 100, targets=MODULES_WITH_METRICS),
    # It makes its servers itself, in a namespace of its own.
    _target("mcp_validate", 90),
    # It makes a namespace of its own, beside its lane's server.
    _target("manual_override", 90),
    _target("monitoring", 130),
    # It makes its servers itself, beside its lane's own.
    _target("other_writers", 180, **NO_METRICS),
    _target("outages", 134, 680, takes=frozenset({"cluster"}), uses=frozenset()),
    _target("prometheus_away", None, 159, takes=frozenset({"prometheus"}), **NO_METRICS),
    _target("releases", 690, 190),
    _target("rollbacks", 430, 250),
    # The objects of sandbox/manifests/routes are in the first server's namespace only.
    _target("routes", 146, 46, lane=0, after=("sandbox", "traefik")),
    _target("sessions", 260),
    # It makes its servers itself, beside its lane's own.
    _target("mcp_fleet", 270, 60, **NO_METRICS),
    # It makes its servers itself, beside its lane's own. It measures seconds.
    _target("several", 270, 650, **NO_METRICS),
    # It makes a namespace of its own, beside its lane's server.
    _target("staging", 80, targets=("mcp_stage", "staging"), **NO_METRICS),
    # It makes its servers itself, beside its lane's own.
    _target("stateful_sets", 75, **NO_METRICS),
    # It starts stores of its own, beside the sandbox that built one of them.
    _target("stores", 82, **NO_METRICS),
    # Debian's chromium is installed after what the sandbox needs: one apt-get at a time.
    Job("site", 90, 200, cores=0.4, after=("sandbox",)),
    # Images of servers that other projects publish, three of them or all.
    Job("strangers_images", 5, 5, cores=0.5, after=("sandbox",)),
    # It makes its servers itself, and two processes of official clients.
    _target("strangers", 150, 450, cores=0.6, after=("sandbox", "strangers_images"), **NO_METRICS),
    # It makes its servers itself, in a namespace of its own.
    _target("execution_environment", 140, 200, **NO_METRICS),
    # It makes its servers itself, and sends a load by vegeta.
    _target("docs_commands", 120, 240, after=("sandbox", "vegeta")),
    # It adopts one of these images.
    _target("quickstart", 80, after=("sandbox", "strangers_images"), **NO_METRICS),
    _target("triggers", 420, 660),
    _target("windows", None, 975),
    # It makes its server itself, in a namespace of its own, which a quota and a dead webhook may have.
    _target("worst_days", 100, 1190, **NO_METRICS),
    Job("recovery", 86, cores=0.5, after=("sandbox",), takes=frozenset({"cluster", "prometheus"})),
)
BY_NAME = {job.name: job for job in JOBS}
# Each of several targets by itself, for who works on it.
BY_TARGET = {name: replace(job, name=name, targets=(name,)) for job in JOBS for name in job.targets}


@dataclass
class Running:
    """A job that runs, and the server that it has."""

    job: Job
    lane: int | None = None


@dataclass
class State:
    """What is still to be done, what is being done, and what has ended."""

    waiting: list[Job]
    running: list[Running] = field(default_factory=list)
    ended: dict[str, bool] = field(default_factory=dict)  # whether it passed, by its name


def order(jobs: t.Iterable[Job], kind: str) -> list[Job]:
    """Return the jobs in the order in which to try them.

    First what others wait for, then what takes a part away (at the start nobody uses it yet), then the longest. What
    takes everything away for good comes last.
    """
    jobs = list(jobs)
    needed = {name for job in jobs for name in job.after}

    def key(job: Job) -> tuple[bool, bool, bool, float]:
        return job.name == "recovery", job.name not in needed, not job.takes, -(job.seconds(kind) or 0)

    return sorted(jobs, key=key)


def with_what_they_need(jobs: t.Iterable[Job]) -> list[Job]:
    """Return these jobs, and those that must have passed before them."""
    found = list(jobs)
    for job in found:  # which grows
        found += [BY_NAME[name] for name in job.after if BY_NAME[name] not in found]
    return found


def hopeless(state: State) -> list[Job]:
    """Return the jobs that can't run any more, as one that they need has failed."""
    return [job for job in state.waiting if any(state.ended.get(name) is False for name in job.after)]


def startable(state: State, lanes: int) -> Running | None:
    """Return the first waiting job that may start now, with the server that it gets."""
    unfinished = {job.name for job in state.waiting} | {one.job.name for one in state.running}
    free = sorted(set(range(lanes)) - {one.lane for one in state.running})
    room = CORES - sum(one.job.cores for one in state.running)
    used = frozenset().union(*(one.job.uses | one.job.takes for one in state.running))
    taken = frozenset().union(*(one.job.takes for one in state.running))
    for job in state.waiting:
        if job.name == "recovery" and any(
            (other.uses | other.takes) & job.takes for other in state.waiting if other is not job
        ):
            continue
        if job.cores > room and state.running:
            continue
        if unfinished & set(job.after) or job.takes & used or job.uses & taken:
            continue
        if job.lane is None:
            return Running(job)
        # Leave the first server to those that can use no other one.
        fitting = [lane for lane in reversed(free) if job.lane in (-1, lane)]
        if fitting:
            return Running(job, fitting[0])
    return None
