# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What clients get during releases and rollbacks: those that keep their connection, those that open one for each
request, those that hold a stream.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import typing as t
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from playing import CONFIG, ROOT, blue_again, kubectl, module, play, weights
from soaking import SOAK, soak

OLD, NEW = "1.1.5", "1.2.0"
SLOW, FAST = 170, 340  # requests a second: beside other tests, and with the machine to itself
# Long enough that the share of a step is known to half a point (one standard deviation).
STEPS = [{"weight": 10, "seconds": 12}, {"weight": 50, "seconds": 28}, {"weight": 100, "seconds": 4}]
STREAMS = 4


@pytest.fixture(autouse=True)
def start() -> t.Iterator[None]:
    blue_again()
    yield
    blue_again()


class Load:
    """Clients in a process of their own. stop() gives what they got, see sandbox.load."""

    def __init__(self, folder: Path, rate: int) -> None:
        self._file = folder / "load.json"
        words = [
            CONFIG["public_url"],
            CONFIG["public_host"],
            str(self._file),
            "--rate",
            str(rate),
            "--streams",
            str(STREAMS),
        ]
        self._process = subprocess.Popen([sys.executable, "-m", "sandbox.load", *words], cwd=ROOT)
        self._started = time.monotonic()
        self._rate = rate

    def sent(self) -> float:
        """Return how many requests are sent by now, at least; it takes a moment to start."""
        return (time.monotonic() - self._started) * self._rate / 1.03

    def stop(self) -> dict[str, t.Any]:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        return json.loads(self._file.read_text())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)


@pytest.fixture
def start_load(tmp_path: Path) -> t.Iterator[t.Callable[[], Load]]:
    started: list[Load] = []

    def start(rate: int = SLOW) -> Load:
        started.append(Load(tmp_path, rate))
        time.sleep(2)
        return started[-1]

    yield start
    for load in started:
        load.kill()


def last(clients: dict[str, t.Any], kind: str, who: str) -> float:
    return clients[kind]["answers"][who]["last"]


def share(clients: dict[str, t.Any], kinds: t.Sequence[str], begin: float, end: float) -> tuple[Counter[str], float]:
    """Answers by pool in the whole seconds between, and the percent of green."""
    counts: Counter[str] = Counter()
    for kind in kinds:
        for second, who, count in clients[kind]["seconds"]:
            if begin < second and second + 1 < end:
                counts[who.split()[1]] += count
    return counts, 100 * counts["green"] / max(counts.total(), 1)


@pytest.mark.parametrize(
    ("requests", "rate", "rounds", "points"),
    [
        pytest.param(10_000, SLOW, 1, 3.0, id="10000"),
        pytest.param(100_000, FAST, 4, 2.0, id="100000", marks=soak),
    ],
)
def test_no_request_fails(
    start_load: t.Callable[..., Load], requests: int, rate: int, rounds: int, points: float
) -> None:
    """Releases and rollbacks in a row: no request fails, every share is what was asked, and no stream of the good pool
    ends.

    rounds: at least so many releases. points: how far a share may be from what was asked.
    """
    load = start_load(rate)
    steps: list[tuple[int, float, float]] = []  # weight, from, to
    rollbacks: list[tuple[float, float]] = []
    while len(rollbacks) < rounds or load.sent() < requests:
        code, output = play(
            "playbooks/bluegreen.yml", "-e", f"version=v{NEW}", "-e", json.dumps({"bluegreen_steps": STEPS})
        )
        assert code == 0, output
        for step, planned in zip(module("mcp_release_info")["record"]["steps"], STEPS, strict=True):
            # It is recorded when its share was verified; the watch comes after that.
            begin = datetime.fromisoformat(step["at"]).timestamp()
            steps.append((planned["weight"], begin, begin + planned["seconds"]))
        begin = time.time()
        code, output = play("playbooks/rollback.yml")
        assert code == 0, output
        rollbacks.append((begin, time.time()))
        assert weights() == {"blue": 100, "green": 0}
    clients = load.stop()

    print({name: clients[name] for name in ("sent", "failed", "failures", "rate")})
    assert clients["failed"] == 0, [clients[kind]["failures"] for kind in ("kept", "new", "streams")]
    assert clients["sent"] >= requests and clients["rate"] >= 0.85 * rate
    assert min(clients[kind]["sent"] for kind in ("kept", "new")) > requests / 3

    for weight, begin, end in steps:
        counts, green = share(clients, ("kept", "new"), begin, end)
        print(f"green set to {weight} %: clients got {green:.2f} % of {counts.total()}")
        assert counts.total() >= (2.9 if SOAK else 1.5) * rate  # other tests may hold the clients up
        assert abs(green - weight) <= points
    for kind in ("kept", "new"):
        for weight in (10, 50, 100):
            parts = [share(clients, [kind], begin, end)[0] for wanted, begin, end in steps if wanted == weight]
            counts = sum(parts, Counter())
            green = 100 * counts["green"] / counts.total()
            print(f"green set to {weight} %: {kind} connections got {green:.2f} % of {counts.total()}")
            assert abs(green - weight) <= points

    # Of the last rollback; answers of green ended with it on every connection.
    begin, end = rollbacks[-1]
    for kind in ("kept", "new"):
        print(
            f"last answer of {NEW} on {kind} connections: {last(clients, kind, f'{NEW} green') - begin:.2f} s after "
            f"the rollback's start"
        )
        assert last(clients, kind, f"{NEW} green") < end
        assert last(clients, kind, f"{OLD} blue") > end
    judge_streams(clients["held"], rollbacks)


def judge_streams(held: list[dict[str, t.Any]], rollbacks: list[tuple[float, float]]) -> None:
    """Those on blue are never ended; those on green end with the rollback, by the server's hand, and their clients come
    back on blue.
    """
    assert {stream["pool"] for stream in held} <= {"blue", "green"}
    assert all(stream["ended"] is None for stream in held if stream["pool"] == "blue"), held
    for stream in held:
        if stream["pool"] == "green":
            assert stream["why"] == "the server ended it", stream
            (begin,) = [begin for begin, end in rollbacks if begin < stream["ended"] <= end]
            print(f"a stream on green ended {stream['ended'] - begin:.2f} s after the rollback's start")


def test_streams_of_the_bad_pool_end(start_load: t.Callable[[], Load]) -> None:
    """Clients that came when green had all the traffic: streams and kept connections leave it."""
    steps = json.dumps({"bluegreen_steps": [{"weight": 100, "seconds": 1}]})
    code, output = play("playbooks/bluegreen.yml", "-e", f"version=v{NEW}", "-e", steps)
    assert code == 0, output
    load = start_load()
    begin = time.time()
    code, output = play("playbooks/rollback.yml")
    end = time.time()
    assert code == 0, output
    time.sleep(2)
    clients = load.stop()
    assert clients["failed"] == 0, clients["failures"]
    assert sorted(stream["pool"] for stream in clients["held"]) == ["blue"] * STREAMS + ["green"] * STREAMS
    judge_streams(clients["held"], [(begin, end)])
    for kind in ("kept", "new"):
        assert last(clients, kind, f"{NEW} green") < end - 1
        assert last(clients, kind, f"{OLD} blue") > end + 1


@soak
@pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"], reason="breaks the new pods on purpose, which the Role does not allow"
)
def test_new_pods_crash_right_after_all_traffic(start_load: t.Callable[[], Load]) -> None:
    """Somebody rolls back: requests fail until then and not after. Short twin: rollbacks,
    test_new_pods_that_crash_right_after_100_percent.
    """
    load = start_load()
    steps = json.dumps({"bluegreen_steps": [{"weight": 100, "seconds": 1}]})
    code, output = play("playbooks/bluegreen.yml", "-e", f"version=v{NEW}", "-e", steps)
    assert code == 0, output
    namespace = ("-n", CONFIG["test_namespace"])
    crash = {
        "spec": {
            "strategy": {"type": "Recreate", "rollingUpdate": None},
            "template": {"spec": {"terminationGracePeriodSeconds": 0}},
        }
    }
    crash["spec"]["template"]["spec"]["containers"] = [
        {"name": "mcp-server", "image": f"{CONFIG['image']}:v1.2.1-crash"}
    ]
    restored = {
        "spec": {"strategy": {"type": "RollingUpdate"}, "template": {"spec": {"terminationGracePeriodSeconds": 20}}}
    }
    try:
        kubectl(*namespace, "patch", "deployment", "mcp-server-green", "-p", json.dumps(crash))
        time.sleep(3)
        begin = time.time()
        code, output = play("playbooks/rollback.yml")
        assert code == 0, output
        time.sleep(2)
        end = time.time()
        clients = load.stop()
    finally:
        kubectl(*namespace, "patch", "deployment", "mcp-server-green", "-p", json.dumps(restored))
    assert weights() == {"blue": 100, "green": 0}
    assert module("mcp_release_info")["record"]["outcome"] == "rolled_back"
    failures = [(reason, seen) for kind in ("kept", "new") for reason, seen in clients[kind]["failures"].items()]
    assert failures  # it did crash
    last_bad = max(seen["last"] for _reason, seen in failures)
    print({reason: seen["count"] for reason, seen in failures})
    print(f"the last failed request came {last_bad - begin:.2f} s after the rollback's start")
    assert last_bad - begin < 10
    for kind in ("kept", "new"):
        assert last(clients, kind, f"{OLD} blue") > end - 1
