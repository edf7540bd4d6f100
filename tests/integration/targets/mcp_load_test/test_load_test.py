# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load test on the sandbox, by vegeta: small loads through the gateway, which is on loopback.

The machine has other tests to run, so the goals of the throughput are small; the decisions are tables of the unit
tests. k6 is not here (it is AGPL, and the user's): a program that writes what k6 documents stands in for it there.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import time
import typing as t
from pathlib import Path

import pytest
from playing import CACHE, CONFIG, ENVIRONMENT, kubectl, module, rest, running, until

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

# The faults begin with the load: the handshake and the measure of the generator, of two seconds, come before.
SERVERS = {
    "keeping": {
        "MCP_SESSIONS": "stateful",
        "DATABASE_URL": "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp",
    },
    "failing": {"FAULT": "errors", "FAULT_RATE": "0.3", "FAULT_FROM": "gateway", "FAULT_AFTER": "3"},
    "slow": {"FAULT": "slow", "FAULT_DELAY": "0.6"},
}


@pytest.fixture(scope="module")
def vegeta() -> str:
    built = sorted(CACHE.glob("vegeta-*/vegeta"), key=lambda path: path.stat().st_mtime)
    assert built, "build it first: python -m sandbox.load_tool"
    return str(built[-1])


@pytest.fixture(scope="module")
def namespace() -> t.Iterator[str]:
    """Yield a namespace with these servers, of one pod each."""
    name = f"load-try-{secrets.token_hex(3)}"
    try:
        kubectl("create", "namespace", name)
        for server, environment in SERVERS.items():
            module(
                "mcp_install",
                namespace=name,
                server=server,
                kubeconfig=CONFIG["admin_kubeconfig"],
                image_ref=f"{CONFIG['image']}:v1.1.5",
                hostname=host_of(server, name),
                gateway={"name": "sandbox", "namespace": "projectcontour"},
                replicas=1,
                ready_path="/ready",
                run_as_user=10001,
                env=[{"name": key, "value": value} for key, value in environment.items()],
                resources={"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
            )
        for server in SERVERS:
            kubectl("-n", name, "rollout", "status", f"deployment/{server}-blue", "--timeout=90s")
        for server in ("keeping", "slow"):  # the third one would begin to fail
            module(
                "mcp_health", endpoint=endpoint_of(server, name), health_path=None, health_checks=[], wait_timeout=30
            )
        yield name
    finally:
        kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def host_of(server: str, namespace: str) -> str:
    return f"{server}.{namespace}.{CONFIG['public_host']}"


def endpoint_of(server: str, namespace: str) -> dict[str, str]:
    return {"url": CONFIG["public_url"], "host": host_of(server, namespace)}


def loaded(server: str, namespace: str, vegeta: str, **options: t.Any) -> dict[str, t.Any]:
    given = {"rate": 40, "duration": 4, "tool_path": vegeta, "endpoint": endpoint_of(server, namespace)}
    return module("mcp_load_test", **{**given, **options})


def verdicts(result: dict[str, t.Any]) -> dict[str, str]:
    return {one["id"].removeprefix("load_"): one["verdict"] for one in result["checks"]}


def open_sessions(namespace: str) -> float:
    """Return how many sessions the server keeps, by its own gauge."""
    pod = kubectl("-n", namespace, "get", "pods", "-l", "pool=blue,app=keeping", "-o", "name").split("/")[1].strip()
    said = kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/pods/{pod}:9090/proxy/metrics")
    (found,) = re.findall(r"^mcp_server_sessions_open (\S+)", said, re.MULTILINE)
    return float(found)


def processes(name: str) -> list[str]:
    """Return the command lines that have this text."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if name in line and f"/{os.getpid()}/" not in str(file):
            found.append(line)
    return found


def test_a_good_server_in_sessions_which_are_all_ended(namespace: str, vegeta: str) -> None:
    found = loaded("keeping", namespace, vegeta, era="legacy", sessions=4, max_p95_ms=1000, min_throughput=20)
    assert set(verdicts(found).values()) == {"passed"}, found
    load = found["load"]
    assert (load["session_mode"], load["sessions"], load["method"]) == ("stateful", 4, "tools/list"), load
    assert load["sent"] >= 150 and load["failed"] == 0 and load["throughput"] > 20, load
    assert open_sessions(namespace) == 0


def test_a_tool_is_called_without_a_session_in_the_modern_era(namespace: str, vegeta: str) -> None:
    # A tool without the database, whose time limit a busy machine may pass: its errors would be true.
    request = {"tool": "reorder_point", "arguments": {"daily_demand": 2, "lead_time_days": 3}}
    found = loaded("keeping", namespace, vegeta, max_p95_ms=2000, request=request)
    assert (found["load"]["session_mode"], found["load"]["method"]) == ("modern", "tools/call"), found
    assert verdicts(found) == {
        "generator": "passed",
        "errors": "passed",
        "p95": "passed",
        "throughput": "skipped",
    }, found


def test_errors_and_slow_answers_fail(namespace: str, vegeta: str) -> None:
    found = loaded("failing", namespace, vegeta, duration=5, max_p95_ms=5000, fails=True)
    assert verdicts(found)["errors"] == "failed" and "HTTP status 500" in found["msg"], found
    assert found["load"]["failed"] >= 10 and found["load"]["problems"].keys() == {"HTTP status 500"}, found
    # Long enough for the 100 requests that it takes to judge errors, where the machine makes it slower still.
    found = loaded("slow", namespace, vegeta, duration=15, min_throughput=30, answer_timeout=5, fails=True)
    assert verdicts(found)["p95"] == "failed" and found["load"]["p95_ms"] >= 600, found
    # 16 may wait at the same time, and each waits for 0.6 s.
    assert verdicts(found)["throughput"] == "failed" and verdicts(found)["errors"] == "passed", found
    assert "waited for the server" in found["msg"], found


def test_what_the_generator_cannot_send_is_not_judged(namespace: str, vegeta: str, tmp_path: Path) -> None:
    slow = tmp_path / "vegeta"  # with one worker, and answers that come no faster than it sends
    slow.write_text(f'#!/bin/sh\nif [ "$1" = attack ]; then\n  shift\n  exec {vegeta} attack "$@" -rate=10/1s\nfi\n')
    with slow.open("a") as file:
        file.write(f'exec {vegeta} "$@"\n')
    slow.chmod(0o755)
    found = loaded("keeping", namespace, str(slow), min_throughput=30, fails=True)
    assert set(verdicts(found).values()) == {"cannot_measure"}, found
    assert "sends 10 requests a second on this machine" in found["msg"] and "sent" not in found["load"], found


@pytest.mark.parametrize("way", ["interrupted", "killed"])
def test_nothing_is_left_of_a_load_that_is(way: str, namespace: str, vegeta: str, tmp_path: Path) -> None:
    tool = tmp_path / "vegeta"  # by which its processes are found
    tool.symlink_to(vegeta)
    options = {
        "endpoint": endpoint_of("keeping", namespace),
        "era": "legacy",
        "tool_path": str(tool),
        "rate": 20,
        "duration": 60,
        "auth": {"token_env": "MCP_TEST_TOKEN"},
    }
    tasks = [{"name": "Send a load", "mcp.server.mcp_load_test": options}]
    play = tmp_path / "load.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    before = open_sessions(namespace)
    with running(str(play), "-i", "localhost,", "-c", "local") as process:
        until(process, "sending 20 tools/list a second")
        until_true(lambda: bool(processes(f"{tool} attack")))
        assert open_sessions(namespace) == before + 5
        seen = processes(str(tool))
        assert len(seen) >= 2 and not [line for line in seen if ENVIRONMENT["MCP_TEST_TOKEN"] in line], seen
        if way == "killed":
            os.killpg(process.pid, signal.SIGKILL)
            until_true(lambda: not processes(str(tool)))
            return
        process.terminate()
        said = rest(process, 20)
        assert "was stopped by SIGTERM" in said, said
        assert not processes(str(tool)) and open_sessions(namespace) == before


def until_true(ready: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)
