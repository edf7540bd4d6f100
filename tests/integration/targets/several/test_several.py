# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three servers in one play: none of them waits for another one, whatever the strategy, the forks and the batch."""

from __future__ import annotations

import itertools
import json
import re
import socket
import subprocess
import threading
import time
import typing as t
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from playing import CONFIG, ROOT, clients, kubectl, kubectl_command, module, play, rest, running, variables
from small_servers import Place, Small, small_servers
from soaking import soak

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes servers of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PLACE = Place(kubectl, CONFIG["test_namespace"], CONFIG["public_host"], CONFIG["public_url"])
STEPS = {"bad": [50, 100], "two": [10, 100], "three": [20, 60, 100]}
# It answers with 500 from this many seconds after it got its first traffic.
TURNS_BAD = {"FAULT": "errors", "FAULT_RATE": "1", "FAULT_FROM": "gateway", "FAULT_AFTER": "6"}
STEP, WARM = 5, 10  # seconds: together more than the bad one takes until it is found out
# Seconds between the first and the last bad answer; a machine that is busy with other tests may take three times that.
GOAL = 12.0


class History:
    """The percent of green on each route's rule, in the order in which the API server tells the changes."""

    def __init__(self, servers: t.Iterable[Small]) -> None:
        self._changes: dict[str, list[tuple[float, int]]] = {server.name: [] for server in servers}
        columns = '{.metadata.name} {.spec.rules[0].backendRefs[*].weight}{"\\n"}'
        words = ("-n", CONFIG["test_namespace"], "get", "httproutes", "--watch", "-o", f"jsonpath={columns}")
        self._process = subprocess.Popen(kubectl_command(*words), stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> t.Self:
        self._reader.start()
        deadline = time.monotonic() + 20
        while not all(self._changes.values()):
            assert time.monotonic() < deadline and self._process.poll() is None, self._changes
            time.sleep(0.1)
        return self

    def __exit__(self, *_exception: object) -> None:
        time.sleep(1)  # what was written last arrives
        watched = self._process.poll() is None
        self._process.terminate()
        self._process.wait(10)
        self._reader.join(10)
        assert watched, "the watch of the routes ended too early"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _blue, green = line.split()
            if name in self._changes and [percent for _at, percent in self._changes[name][-1:]] != [int(green)]:
                self._changes[name].append((time.time(), int(green)))

    def weights(self, server: Small) -> list[int]:
        return [percent for _at, percent in self._changes[server.name]]

    def begun(self, server: Small) -> float:
        """Return when the first weight was written, epoch seconds."""
        return self._changes[server.name][1][0]

    def last(self, server: Small) -> float:
        """Return when the last weight was written, epoch seconds."""
        return self._changes[server.name][-1][0]


def inventory(folder: Path, servers: t.Mapping[str, Small], **more: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return the words that name these servers, in this order. more: variables of some of them."""
    hosts = {
        name: variables(
            server.name, server.host, **{"mcp_inconclusive_timeout": 60, "mcp_waves": [], **more.get(name, {})}
        )
        for name, server in servers.items()
    }
    file = folder / "several.yml"
    file.write_text(json.dumps({"several": {"hosts": hosts}}))
    return ("-i", str(file), "-l", "several")


def steps(weights: t.Iterable[int], seconds: float = STEP) -> list[dict[str, float]]:
    return [{"weight": weight, "seconds": seconds} for weight in weights]


def playbook(folder: Path, serial: bool) -> str:
    """Return bluegreen.yml, or a copy of it that takes one server after the other."""
    if not serial:
        return str(ROOT / "playbooks" / "bluegreen.yml")
    original = ROOT / "playbooks" / "fleet" / "servers.yml"
    batch = folder / "serial.yml"
    text, found = re.subn(r"^  gather_facts: .*\n", r"\g<0>  serial: 1\n", original.read_text(), flags=re.MULTILINE)
    assert found == 1
    controller = ROOT / "playbooks" / "vars" / "controller.yml"
    batch.write_text(text.replace("../vars/controller.yml", str(controller)))
    return str(batch)


def record(server: Small) -> dict[str, t.Any]:
    return module("mcp_release_info", server=server.name)["record"]


def ended(server: Small) -> float:
    return datetime.fromisoformat(record(server)["ended"]).timestamp()


CASES = [
    pytest.param(
        strategy,
        forks,
        False,
        id=f"{strategy}-{forks}",
        marks=() if (strategy, forks) == ("linear", 1) else soak,
    )
    for strategy, forks in itertools.product(("linear", "free", "host_pinned"), (1, 2, 5))
]


@pytest.mark.parametrize(
    ("strategy", "forks", "serial"), [*CASES, pytest.param("linear", 5, True, id="serial", marks=soak)]
)
def test_each_goes_its_own_steps_and_the_bad_one_goes_back_at_once(
    strategy: str, forks: int, serial: bool, tmp_path: Path
) -> None:
    """The bad one comes first, so that others go on beside it; but a batch in which all fail ends the play, so there it
    comes last.
    """
    names = sorted(STEPS, key=lambda name: (name == "bad") is serial)
    beside = forks > 1 and not serial  # whether others are under way at the same time
    with small_servers(PLACE, names, {"bad": TURNS_BAD}) as servers, ExitStack() as stack:
        own = {
            name: {
                "mcp_steps": steps(STEPS[name], 60 if name == "bad" else STEP),
                "mcp_warm_seconds": WARM if beside else 1,
            }
            for name in names
        }
        seen = {name: stack.enter_context(clients(tmp_path, 20, host=server.host)) for name, server in servers.items()}
        words = (*inventory(tmp_path, servers, **own), "-f", str(forks), "-e", "version=v1.2.0")
        with History(servers.values()) as history:
            start = time.monotonic()
            code, output = play(playbook(tmp_path, serial), *words, seconds=420, ANSIBLE_STRATEGY=strategy)
            took = time.monotonic() - start
        stack.close()  # what the clients saw is told when they end
        found = {name: history.weights(server) for name, server in servers.items()}
        assert found == {"bad": [0, 50, 0], "two": [0, 10, 100], "three": [0, 20, 60, 100]}, output
        outcomes = {name: record(server)["outcome"] for name, server in servers.items()}
        assert outcomes == {"bad": "rolled_back", "two": "succeeded", "three": "succeeded"}, output
        assert code and "Traceback" not in output, output

        bad = [failure for kind in ("new", "kept") for failure in seen["bad"][kind]["failures"].values()]
        assert bad, output
        first, last = min(failure["first"] for failure in bad), max(failure["last"] for failure in bad)
        back = history.last(servers["bad"])
        print(
            f"{took:.0f} s; of the bad one: {sum(failure['count'] for failure in bad)} bad answers in "
            f"{last - first:.1f} s (goal {GOAL:g}), "
            f"the weights back after {back - first:.1f} s"
        )
        under_way = [
            server
            for name, server in servers.items()
            if name != "bad" and history.begun(server) < first < ended(server)
        ]
        assert bool(under_way) is beside
        assert all(back < ended(server) for server in under_way), output
        assert last - first < 3 * GOAL, output
        assert {name: seen[name]["failed"] for name in ("two", "three")} == {"two": 0, "three": 0}, seen


@contextmanager
def black_hole(folder: Path) -> t.Iterator[Path]:
    """A kubeconfig whose API server takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        file = folder / "silent.kubeconfig"
        address = f"https://127.0.0.1:{silent.getsockname()[1]}"
        file.write_text(re.sub(r"https://[^\"\s,]+", address, Path(CONFIG["kubeconfig"]).read_text()))
        yield file


def test_an_emergency_of_all_waits_for_no_api_server_that_is_away(tmp_path: Path) -> None:
    """One after the other (forks 1), and the one whose API server is away comes first: the traffic of the others is
    back before anybody waits for it.
    """
    names = ("away", "one", "other")
    patience = 30
    with small_servers(PLACE, names) as servers, black_hole(tmp_path) as silent:
        own = {name: {"mcp_steps": steps([100], 1), "mcp_warm_seconds": 0} for name in names}
        released = play(
            "playbooks/bluegreen.yml",
            *inventory(tmp_path, servers, **own),
            "-e",
            "version=v1.2.0",
            ANSIBLE_STRATEGY="free",
        )
        assert released[0] == 0, released[1]
        words = (
            *inventory(tmp_path, servers, away={"mcp_kubeconfig": str(silent)}),
            "-f",
            "1",
            "-e",
            f"mcp_rollback_api_retry_timeout={patience}",
        )
        with History(servers.values()) as history:
            keystroke, waited, said = time.time(), 0.0, ""
            with running("playbooks/rollback.yml", *words) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    said += line
                    if f" of {patience} s" in line and not waited:
                        waited = time.time()
                said += rest(process)
        assert {name: history.weights(server) for name, server in servers.items()} == {
            "away": [100],
            "one": [100, 0],
            "other": [100, 0],
        }, said
        backs = {name: history.last(servers[name]) for name in ("one", "other")}
        print(
            f"back after {', '.join(f'{at - keystroke:.1f} s' for at in backs.values())}, waiting for the one that "
            f"is away after {waited - keystroke:.1f} s"
        )
        assert waited and max(backs.values()) < waited, said
        assert max(backs.values()) - keystroke < patience / 2, said  # nor did they wait without a word
        assert process.returncode and "Traceback" not in said, said
        assert [record(servers[name])["outcome"] for name in ("one", "other")] == ["rolled_back"] * 2, said
        pools = {name: module("mcp_rollout_info", server=servers[name].name)["pools"] for name in ("one", "other")}
        assert {name: found["green"]["replicas"] for name, found in pools.items()} == {"one": 0, "other": 0}, said


def test_a_watch_of_two_takes_the_bad_one_back_at_once(tmp_path: Path) -> None:
    """While the other one is watched on; and with less forks than servers, nobody is watched."""
    names, seconds = ("bad", "good"), 45
    with small_servers(PLACE, names, {"bad": {**TURNS_BAD, "FAULT_AFTER": "30"}}) as servers, ExitStack() as stack:
        own = {name: {"mcp_steps": steps([100], 1), "mcp_warm_seconds": 0} for name in names}
        words = inventory(tmp_path, servers, **own)
        code, output = play("playbooks/bluegreen.yml", *words, "-e", "version=v1.2.0")
        assert code == 0, output
        code, output = play("playbooks/watch.yml", *words, "-f", "1")
        assert code and "Run it with -f 2" in output, output
        for server in servers.values():
            stack.enter_context(clients(tmp_path, 20, host=server.host))
        with History(servers.values()) as history:
            watch = {"mcp_watch_seconds": seconds, "mcp_watch_rollback": True}
            begun = time.time()
            code, output = play("playbooks/watch.yml", *words, "-f", "2", "-e", json.dumps(watch))
        back, end = history.last(servers["bad"]), time.time()
        assert code and "The release was rolled back:" in output and "Traceback" not in output, output
        assert [history.weights(servers[name]) for name in names] == [[100, 0], [100]], output
        print(f"back {back - begun:.1f} s after the start of the watch, which ended after {end - begun:.1f} s")
        assert end - begun > seconds > back - begun, output
        assert record(servers["bad"])["outcome"] == "rolled_back" and record(servers["good"])["outcome"] == "succeeded"
