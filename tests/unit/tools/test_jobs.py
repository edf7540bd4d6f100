# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may run beside what, and that the table knows every target."""

from __future__ import annotations

import random
import re
from pathlib import Path

import jobs
import pytest
from jobs import BY_NAME, CORES, JOBS, Job, Running, State, order, startable

TARGETS = Path(__file__).parents[2] / "integration" / "targets"
CLUSTER, PROMETHEUS = frozenset({"cluster"}), frozenset({"prometheus"})


def job(name: str, seconds: float = 10, **more) -> Job:
    return Job(name, seconds, **{"cores": 0.5, "lane": -1, "uses": CLUSTER, **more})


def started(
    waiting: list[Job], lanes: int = 4, running: list[Running] | None = None, ended: dict[str, bool] | None = None
) -> list[tuple[str, int | None]]:
    """All that may start at once."""
    state = State(list(waiting), list(running or []), dict(ended or {}))
    names = []
    while one := startable(state, lanes):
        state.waiting.remove(one.job)
        state.running.append(one)
        names.append((one.job.name, one.lane))
    return names


def test_the_longest_begins():
    assert [one.name for one in order([job("a", 1), job("b", 3), job("c", 2)], "test")] == ["b", "c", "a"]


def test_what_others_wait_for_and_what_takes_something_away_come_first_and_recovery_last():
    some = [
        job("long", 99),
        BY_NAME["recovery"],
        job("taking", 1, takes=CLUSTER),
        job("needed", 1),
        job("after", 5, after=("needed",)),
    ]
    assert [one.name for one in order(some, "test")] == ["needed", "taking", "long", "after", "recovery"]


@pytest.mark.parametrize(
    ("waiting", "lanes", "names"),
    [
        # Each has a server of its own; the first is left to those that need it
        ([job("a"), job("b"), job("first", lane=0)], 4, [("a", 3), ("b", 2), ("first", 0)]),
        ([job("a"), job("b"), job("c")], 2, [("a", 1), ("b", 0)]),
        ([job("a"), job("first", lane=0)], 1, [("a", 0)]),
        ([job("a")], 0, []),
        # Cores
        ([job("a", cores=1.5), job("b", cores=1), job("c")], 4, [("a", 3), ("c", 2)]),
        ([job("a", cores=CORES + 1), job("b")], 4, [("a", 3)]),
        # What is taken away is used by nobody, and the other way round
        (
            [job("away", takes=CLUSTER, uses=frozenset()), job("a"), job("static", uses=frozenset(), lane=None)],
            4,
            [("away", 3), ("static", None)],
        ),
        ([job("a"), job("away", takes=CLUSTER, uses=frozenset())], 4, [("a", 3)]),
        ([job("away", takes=PROMETHEUS), job("a"), job("judges", uses=PROMETHEUS)], 4, [("away", 3), ("a", 2)]),
        # What comes after something
        ([job("before"), job("a", after=("before",))], 4, [("before", 3)]),
        ([job("a", after=("not in this run",))], 4, [("a", 3)]),
        ([BY_NAME["recovery"]], 4, [("recovery", None)]),
        ([job("a"), BY_NAME["recovery"]], 4, [("a", 3)]),
    ],
)
def test_what_may_start(waiting, lanes, names):
    assert started(waiting, lanes) == names


def test_recovery_waits_for_what_uses_the_sandbox_only():
    assert started([BY_NAME["recovery"]], running=[Running(job("a"), 1)]) == []
    assert started([BY_NAME["recovery"]], running=[Running(BY_NAME["sanity"])]) == [("recovery", None)]


def test_what_needs_a_failed_job_is_hopeless():
    state = State([job("a", after=("sandbox",)), job("b")], [], {"sandbox": False, "other": True})
    assert [one.name for one in jobs.hopeless(state)] == ["a"]


@pytest.mark.parametrize("kind", ["test", "soak"])
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_all_of_the_table_ends(kind, lanes):
    """Whatever ends first: no job waits for ever, and no two run that must not."""
    draw = random.Random(lanes)
    state = State(order([one for one in JOBS if one.seconds(kind) is not None], kind))
    while state.waiting or state.running:
        while one := startable(state, lanes):
            others = state.running
            assert not one.job.takes & frozenset().union(*(other.job.uses | other.job.takes for other in others))
            assert one.lane is None or one.lane not in [other.lane for other in others]
            state.waiting.remove(one.job)
            state.running.append(one)
        assert state.running, state.waiting
        ended = draw.choice(state.running)
        state.running.remove(ended)
        state.ended[ended.job.name] = True
    assert len(state.ended) == len([one for one in JOBS if one.seconds(kind) is not None])


def test_what_a_job_needs_comes_with_it():
    needed = jobs.with_what_they_need([BY_NAME["load"], BY_NAME["routes"]])
    assert [one.name for one in needed] == ["load", "routes", "sandbox", "traefik"]


def test_every_target_is_in_the_table():
    assert sorted(path.name for path in TARGETS.iterdir()) == sorted(name for one in JOBS for name in one.targets)


@pytest.mark.parametrize("name", sorted(path.name for path in TARGETS.iterdir()))
def test_a_target_with_long_tests_is_in_the_soak(name):
    sources = "".join(path.read_text() for path in (TARGETS / name).glob("test_*.py"))
    assert bool(re.search(r"\bsoak\b|\bdrawn\b", sources)) == (jobs.BY_TARGET[name].soak is not None)


@pytest.mark.parametrize("one", [one for one in JOBS if one.soak is not None], ids=lambda one: one.name)
def test_a_target_of_the_soak_takes_at_most_20_minutes(one):
    assert one.soak <= 20 * 60
