# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of the cluster that are away, or take no more writes.

60 s without the API server, which is gone (nothing listens) or hangs (connections are accepted, and not answered);
an emergency
without the image registry, DNS and Prometheus, and without the gateway's controller.
"""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import time
import typing as t
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from playing import CONFIG, blue_again, clients, kubectl, module, play, rest, running, until, weights
from soaking import SOAK, soak

from sandbox import machine

BLUE = {"blue": 100, "green": 0}
SECONDS = 60
MANIFEST = Path("/etc/kubernetes/manifests/kube-apiserver.yaml")
ASIDE = MANIFEST.parents[1] / "kube-apiserver.yaml.aside"
# Break-glass has a Role of its own, which the releaser of the sandbox does not have.
AS_ADMIN = ("-e", f"mcp_kubeconfig={CONFIG['admin_kubeconfig']}")
GLASS = ("-e", "mcp_reason=INC-42", "-e", "mcp_break_glass_pool=blue")
ETCD_CERTIFICATES = MANIFEST.parents[1] / "pki" / "etcd"

pytestmark = pytest.mark.skipif(
    not (CONFIG["admin_kubeconfig"] and MANIFEST.exists()),
    reason="takes parts of the cluster away, which is only done to the sandbox on this machine",
)


@pytest.fixture(autouse=True)
def start() -> None:
    blue_again()
    # A Contour that has just started reports that it accepts what its Envoy may not know for another half minute.
    module(
        "mcp_traffic_shift",
        pool="blue",
        weight=100,
        timeout=120,
        endpoint={"url": CONFIG["public_url"], "host": CONFIG["public_host"]},
    )


@pytest.fixture(autouse=True, scope="module")
def end() -> t.Iterator[None]:
    yield
    blue_again()


def pid() -> int:
    def command(one: int) -> bytes:
        try:
            return Path(f"/proc/{one}/cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            return b""

    return next(one for one in machine.our_processes() if command(one).startswith(b"kube-apiserver\0"))


def answers() -> bool:
    try:
        return kubectl("get", "--raw", "/readyz", "--request-timeout=2s") == "ok"
    except subprocess.CalledProcessError:
        return False


def away(hangs: bool, seconds: float = SECONDS) -> None:
    """Takes the API server away for so long, and returns when it serves again."""
    stopped = pid() if hangs else 0
    try:
        if hangs:
            os.kill(stopped, signal.SIGSTOP)
        else:
            MANIFEST.rename(ASIDE)
        time.sleep(seconds)
        assert not answers()
    finally:
        if hangs:
            os.kill(stopped, signal.SIGCONT)
        else:
            ASIDE.rename(MANIFEST)
        deadline = time.monotonic() + 90
        while not answers() and time.monotonic() < deadline:
            time.sleep(0.5)


def judge_outages(said: str, number: int, seen: dict[str, t.Any], seconds: float = SECONDS) -> None:
    late = sum(number for reason, number in seen["failures"].items() if reason.endswith("TimeoutError"))
    # An API server that starts beside other tests takes two cores for seconds: the soak, with fewer, allows nothing.
    assert seen["failed"] == late <= (0 if SOAK else seen["sent"] / 50) and seen["sent"] > 1000, seen
    assert "Traceback" not in said, said
    waits = [int(wait) for wait in re.findall(r"answers again, after (\d+) s", said)]
    assert len(waits) >= number and max(waits) >= seconds - 25, (waits, said)
    assert re.search(
        r"The API server \S+ does not answer \(.*\); (waiting for it, \d+ of \d+ s|continuing without it)", said
    ), said


def roll_back_while_it_hangs() -> None:
    stopped = pid()
    os.kill(stopped, signal.SIGSTOP)
    try:
        with running("playbooks/rollback.yml") as process:
            said = until(process, "waiting for it, 1")  # seconds and more
            os.kill(stopped, signal.SIGCONT)
            said += rest(process)
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert process.returncode == 0, said
    assert "of 600 s" in said and "answers again" in said
    assert weights() == BLUE


def test_a_watch_goes_on_and_so_does_an_emergency(tmp_path: Path) -> None:
    """The short twin of all that follows: the API server is gone for 35 s of a watch, and hangs when it is to be rolled
    back.
    """
    steps = [{"weight": 50, "seconds": 75}, {"weight": 100, "seconds": 1}]
    words = ("-e", "version=v1.2.0", "-e", json.dumps({"bluegreen_steps": steps}))
    with clients(tmp_path, 40) as seen, running("playbooks/bluegreen.yml", *words) as process:
        said = until(process, " of 75 s: ")
        away(hangs=False, seconds=35)
        said += rest(process)
    assert process.returncode == 0, said
    judge_outages(said, 1, seen, 35)
    assert weights() == {"blue": 0, "green": 100}
    record = module("mcp_release_info")["record"]
    assert record["outcome"] == "succeeded" and [step["weights"]["green"] for step in record["steps"]] == [50, 100]
    roll_back_while_it_hangs()


@soak
def test_a_release_goes_on(tmp_path: Path) -> None:
    """Gone while pods start, hanging after weights were written, gone in the middle of a watch."""
    steps = [{"weight": 10, "seconds": 1}, {"weight": 50, "seconds": 45}, {"weight": 100, "seconds": 1}]
    words = ("-e", "version=v1.2.0", "-e", json.dumps({"bluegreen_steps": steps}))
    with clients(tmp_path, 40) as seen, running("playbooks/bluegreen.yml", *words) as process:
        said = until(process, "green: 0 of 2 pods ready")
        away(hangs=False)
        said += until(process, "written: blue 90 %, green 10 %")
        away(hangs=True)
        said += until(process, "step 2 of 3")
        said += until(process, " of 45 s: ")
        away(hangs=False)
        said += rest(process)
    assert process.returncode == 0, said
    judge_outages(said, 3, seen)
    assert weights() == {"blue": 0, "green": 100}
    record = module("mcp_release_info")["record"]
    assert record["outcome"] == "succeeded"
    assert [step["weights"]["green"] for step in record["steps"]] == [10, 50, 100]


@soak
def test_a_release_rolls_back_when_it_is_told_to(tmp_path: Path) -> None:
    steps = [{"weight": 50, "seconds": 50}, {"weight": 100, "seconds": 1}]
    words = ("-e", "version=v1.2.0", "-e", "mcp_on_outage=rollback", "-e", json.dumps({"bluegreen_steps": steps}))
    with clients(tmp_path, 40) as seen, running("playbooks/bluegreen.yml", *words) as process:
        said = until(process, " of 50 s: ")
        away(hangs=False)
        said += rest(process)
    assert process.returncode, said
    judge_outages(said, 1, seen)
    assert re.search(r"all traffic is on blue .*again\. Cause: The API server", said)
    assert weights() == BLUE
    assert module("mcp_release_info")["record"]["outcome"] == "rolled_back"


def green_is_live() -> None:
    code, output = play(
        "playbooks/bluegreen.yml",
        "-e",
        "version=v1.2.0",
        "-e",
        json.dumps({"bluegreen_steps": [{"weight": 100, "seconds": 1}]}),
    )
    assert code == 0, output


@contextmanager
def at_zero(deployment: str, namespace: str) -> t.Iterator[None]:
    size = kubectl("-n", namespace, "get", "deployment", deployment, "-o", "jsonpath={.spec.replicas}")
    kubectl("-n", namespace, "scale", "deployment", deployment, "--replicas=0")
    try:
        deadline = time.monotonic() + 40
        while (
            kubectl("-n", namespace, "get", "deployment", deployment, "-o", "jsonpath={.status.replicas}")
            and time.monotonic() < deadline
        ):
            time.sleep(0.5)
        yield
    finally:
        kubectl("-n", namespace, "scale", "deployment", deployment, f"--replicas={size}")
        kubectl("-n", namespace, "rollout", "status", "deployment", deployment, "--timeout=50s")


@contextmanager
def stopped(*command: str) -> t.Iterator[None]:
    """A daemon of the sandbox that does not answer for a while."""
    wanted = [word.encode() for word in command]
    (pid,) = [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if _words(path)[: len(wanted)] == wanted
    ]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _words(cmdline: Path) -> list[bytes]:
    try:
        return cmdline.read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []


@soak
def test_an_emergency_with_registry_dns_and_prometheus_down() -> None:
    green_is_live()
    with stopped("docker-registry", "serve"), at_zero("coredns", "kube-system"):
        code, output = play(
            "playbooks/rollback.yml", MCP_REGISTRY="http://127.0.0.1:9", MCP_PROMETHEUS="http://127.0.0.1:9"
        )
        assert code == 0, output
        assert weights() == BLUE


@soak
def test_an_emergency_with_the_gateways_controller_down() -> None:
    """The weights are written; that they are not in force is said after a few seconds; the same command ends well once
    it is back.
    """
    green_is_live()
    with at_zero("contour", "projectcontour"):
        start, said = time.monotonic(), 0.0
        with running("playbooks/rollback.yml", "-e", "mcp_shift_timeout=20") as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "not been confirmed" in line and not said:
                    said = time.monotonic() - start
            assert process.wait(60) != 0
        assert 0 < said < 10 and weights() == BLUE and module("mcp_release_info")["record"]["outcome"] == "rolled_back"
    code, output = play("playbooks/rollback.yml")
    assert code == 0, output
    assert module("mcp_rollout_info")["pools"]["green"]["replicas"] == 0


@soak
def test_break_glass_with_the_gateways_controller_down() -> None:
    green_is_live()
    with at_zero("contour", "projectcontour"):
        code, said = play("playbooks/break_glass.yml", *AS_ADMIN, *GLASS)
        assert code == 0 and "the weights have no effect yet" in said, said
        assert weights() == BLUE
    code, said = play("playbooks/break_glass.yml", *AS_ADMIN, "-e", "mcp_restore=true")
    assert code == 0 and weights() == {"blue": 0, "green": 100}, said


def ask_etcd(path: str, **asked: t.Any) -> dict[str, t.Any]:
    trusted = ssl.create_default_context(cafile=str(ETCD_CERTIFICATES / "ca.crt"))
    trusted.load_cert_chain(ETCD_CERTIFICATES / "server.crt", ETCD_CERTIFICATES / "server.key")
    request = urllib.request.Request(f"https://127.0.0.1:2379/v3/{path}", json.dumps(asked).encode())
    with urllib.request.urlopen(request, context=trusted, timeout=10) as answer:
        found: dict[str, t.Any] = json.load(answer)
    return found


@contextmanager
def etcd_without_space() -> t.Iterator[None]:
    """The alarm that etcd raises itself when its database is full: from then on it takes no write."""
    (member,) = ask_etcd("cluster/member/list")["members"]
    alarm = {"memberID": member["ID"], "alarm": "NOSPACE"}
    ask_etcd("maintenance/alarm", action="ACTIVATE", **alarm)
    try:
        yield
    finally:
        ask_etcd("maintenance/alarm", action="DEACTIVATE", **alarm)


@soak
def test_etcd_without_space() -> None:
    """The real one. In worst_days a proxy says the same for one server, so that others can use the cluster."""
    green_is_live()
    quick = ("-e", "mcp_rollback_api_retry_timeout=10")
    with etcd_without_space():
        code, said = play("playbooks/status.yml")
        assert code == 0 and "green (live)" in said, said
        for playbook, words in (("break_glass", (*AS_ADMIN, *GLASS)), ("rollback", quick)):
            code, said = play(f"playbooks/{playbook}.yml", *words)
            flat = " ".join(said.split())
            assert code and "database space exceeded" in flat and "etcdctl alarm disarm" in flat, said
            assert weights() == {"blue": 0, "green": 100}
    code, said = play("playbooks/rollback.yml")
    assert code == 0 and weights() == BLUE, said
