# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine below the sandbox: what it must have, commands, daemons, and taking everything away again."""

from __future__ import annotations

import ipaddress
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

from .paths import (
    ALERTMANAGER,
    GATEWAY,
    KUBELET,
    KUBERNETES,
    LOGS,
    NODE_BRIDGE,
    POD_RANGE,
    PROMETHEUS,
    REGISTRY,
    RUN,
    STATE,
)

CGROUP = "mcp-sandbox"
MARKER = KUBERNETES / ".mcp-sandbox"
PACKAGES = [
    "buildah",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "docker-registry",
    "iproute2",
    "iptables",
    "mmdebstrap",
    "runc",
]
# etcd, the API server, the kubelet, kube-proxy, the controller manager, the scheduler
KUBERNETES_PORTS = (2379, 2380, 6443, 10250, 10256, 10257, 10259)
OTHER_WAY = "or set KUBECONFIG to use a cluster that exists."

_started = time.monotonic()
_print = threading.Lock()


class SandboxError(Exception):
    """One sentence for the person at the keyboard."""


def say(text: str) -> None:
    minutes, seconds = divmod(int(time.monotonic() - _started), 60)
    with _print:
        print(f"[{minutes:2d}:{seconds:02d}] {text}", flush=True)


def requirements() -> None:
    """Raises SandboxError naming the first thing that this machine lacks."""
    if platform.system() != "Linux":
        raise SandboxError(
            f"The sandbox needs Linux (this is {platform.system()}): run it on a Linux machine, {OTHER_WAY}"
        )
    if os.geteuid() != 0:
        raise SandboxError(f"The sandbox needs root, for containers and network devices: run it as root, {OTHER_WAY}")
    if shutil.which("go") is None:
        raise SandboxError(f"The sandbox needs Go, to build Kubernetes: install Go 1.26 or newer, {OTHER_WAY}")
    if shutil.which("apt-get") is None:
        raise SandboxError(
            f"The sandbox needs Debian's apt-get, for containerd and PostgreSQL: use Debian 12, {OTHER_WAY}"
        )
    if KUBERNETES.exists() and any(KUBERNETES.iterdir()) and not MARKER.exists():
        raise SandboxError(
            f"{KUBERNETES} belongs to another Kubernetes on this machine: remove that with 'kubeadm reset', {OTHER_WAY}"
        )


def install_packages(names: t.Sequence[str] = tuple(PACKAGES)) -> None:
    """Debian packages, only those that are missing; their services are ours to start, not the package's."""
    missing = [
        name
        for name in names
        if run(["dpkg-query", "-W", "-f", "${Status}", name], check=False).find("ok installed") < 0
    ]
    if not missing:
        return
    say(f"packages: installing {' '.join(missing)}")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-q", "update"], env=environment, timeout=300)
        run(["apt-get", "-q", "install", "-y", "--no-install-recommends", *missing], env=environment, timeout=900)
    finally:
        if ours:
            policy.unlink()


def run(
    command: t.Sequence[str | Path],
    *,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
    timeout: float = 120,
    stdin: str | None = None,
) -> str:
    """A command's output (both streams). Raises SandboxError with the last lines when it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"{' '.join(words[:4])}: {error}") from None
    if check and done.returncode != 0:
        raise SandboxError(
            f"{' '.join(words[:4])} failed ({done.returncode}): {' | '.join(done.stdout.strip().splitlines()[-6:])}"
        )
    return done.stdout


def wait_for(what: str, ready: t.Callable[[], bool], seconds: float, pause: float = 0.25) -> None:
    """Polls until it is so, with a line every 10 s. Raises SandboxError at the time-out."""
    start = said = time.monotonic()
    while not ready():
        now = time.monotonic()
        if now - start > seconds:
            raise SandboxError(f"{what}: not so after {seconds:.0f} s; the logs are in {LOGS}.")
        if now - said > 10:
            said = now
            say(f"waiting for {what} ({now - start:.0f} s)")
        time.sleep(pause)


def listens(address: str) -> bool:
    host, _colon, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def refuse_taken_ports() -> None:
    """Raise SandboxError when another program listens where the sandbox will. For when nothing of it runs."""
    for address in (REGISTRY, GATEWAY, PROMETHEUS, ALERTMANAGER, *(f"127.0.0.1:{port}" for port in KUBERNETES_PORTS)):
        if listens(address):
            raise SandboxError(f"Port {address} is taken by another program: stop it, {OTHER_WAY}")


# Daemons live in a cgroup of ours, so that whatever is left of a sandbox, its own
# processes or another checkout's, is found without process-id files.


def cgroup_roots() -> list[Path]:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]


def make_cgroups() -> None:
    for root in cgroup_roots():
        ours = root / CGROUP
        for group in (ours, ours / "daemons"):
            group.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):  # cgroup v1 starts them empty, and then takes no process
                if (group / name).exists() and root.name == "cpuset":
                    (group / name).write_text((root / name).read_text())


def start_daemon(name: str, command: t.Sequence[str | Path], env: dict[str, str] | None = None) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(env or {})},
            cwd="/",
            start_new_session=True,
        )
    for root in cgroup_roots():
        if root.name != "cpuset":
            (root / CGROUP / "daemons" / "cgroup.procs").write_text(str(process.pid))


def our_processes() -> set[int]:
    found: set[int] = set()
    for root in cgroup_roots():
        for file in (root / CGROUP).rglob("cgroup.procs"):
            try:
                found.update(int(line) for line in file.read_text().split())
            except OSError:
                continue  # the group went away under us
    return found - {0}


def our_mounts() -> list[str]:
    places = tuple(f"{place}/" for place in (STATE, RUN, KUBELET))
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in points if point.startswith(places)]


def our_interfaces() -> list[str]:
    return [name for name in os.listdir("/sys/class/net") if name == NODE_BRIDGE]


def pod_interfaces(routes: str) -> list[str]:
    """Return the interfaces that lead to a pod. routes: what ip -json route shows."""
    pods = ipaddress.ip_network(POD_RANGE)
    found = []
    for route in json.loads(routes or "[]"):
        try:
            leads_to_a_pod = ipaddress.ip_address(route["dst"]) in pods
        except ValueError:  # a network, or "default"
            continue
        if leads_to_a_pod and route.get("dev", NODE_BRIDGE) != NODE_BRIDGE:
            found.append(route["dev"])
    return found


def our_rules(save: str) -> list[str]:
    lines = run([save], check=False).splitlines()
    return [line for line in lines if "KUBE-" in line or "CNI-" in line]


def tear_down() -> None:
    """Takes away all that a sandbox made, alive, dead or half-made. Safe to repeat."""
    deadline = time.monotonic() + 30
    while (pids := our_processes()) and time.monotonic() < deadline:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.1)
    for _attempt in range(5):
        for point in reversed(our_mounts()):
            run(["umount", "--lazy", point], check=False)
    for root in cgroup_roots():
        for group in sorted((root / CGROUP).rglob("*/"), key=lambda path: -len(path.parts)):
            _rmdir(group)
        _rmdir(root / CGROUP)
    if shutil.which("ip"):
        for name in our_interfaces():
            run(["ip", "link", "delete", name], check=False)
        # The kernel takes the networks of pods apart some time after their last process. The route to a pod of the next
        # sandbox with the same address would go with them.
        while (names := pod_interfaces(run(["ip", "-json", "route"], check=False))) and time.monotonic() < deadline:
            for name in names:
                run(["ip", "link", "delete", name], check=False)
            time.sleep(0.1)
    if shutil.which("iptables-save"):
        for save in ("iptables-save", "ip6tables-save"):
            if our_rules(save):
                kept = [line for line in run([save]).splitlines() if "KUBE-" not in line and "CNI-" not in line]
                run([save.replace("save", "restore")], stdin="\n".join(kept) + "\n")
    if MARKER.exists():
        for place in (KUBELET, KUBERNETES):
            shutil.rmtree(place, ignore_errors=True)
    for place in (RUN, STATE):
        shutil.rmtree(place, ignore_errors=True)


def _rmdir(group: Path) -> None:
    for _attempt in range(50):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return


def leftovers() -> list[str]:
    """What of a sandbox is on this machine, a line each; empty after tear_down."""
    found = [f"process {pid}" for pid in our_processes()]
    found += [f"mount {point}" for point in our_mounts()]
    found += [f"interface {name}" for name in our_interfaces()]
    if shutil.which("ip"):
        found += [f"interface {name}" for name in pod_interfaces(run(["ip", "-json", "route"], check=False))]
    found += [f"cgroup {root / CGROUP}" for root in cgroup_roots() if (root / CGROUP).exists()]
    if shutil.which("iptables-save"):
        found += [f"rule {line}" for save in ("iptables-save", "ip6tables-save") for line in our_rules(save)]
    return found + [f"state {place}" for place in (STATE, RUN, MARKER) if place.exists()]


def fail(error: SandboxError) -> t.NoReturn:
    print(f"sandbox: {error}", file=sys.stderr)
    raise SystemExit(1)
