# SPDX-License-Identifier: GPL-3.0-or-later
"""From the keystroke to the last answer of a bad version, for new connections, held ones and streams: our rollback beside other ways.

Each way, in turn and several rounds of them, takes the traffic of the sandbox's server back from green to blue while clients ask; MCP_NAMESPACE,
MCP_HOST and KUBECONFIG name another server on the same machine.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INFO = json.loads(Path("/var/lib/mcp-sandbox/sandbox.json").read_text())
NAMESPACE = os.environ.get("MCP_NAMESPACE") or INFO["namespace"]
HOST = os.environ.get("MCP_HOST") or INFO["public_host"]
KUBECONFIG = os.environ.get("KUBECONFIG") or INFO["kubeconfig"]
ADMIN = INFO["admin_kubeconfig"]
KUBECTL = str(sorted(Path.home().glob(".cache/mcp-sandbox/binaries-*/kubectl"))[-1])
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
INVENTORY = str(ROOT / "inventory" / "sandbox")
SERVICE = "rollback-benchmark"
GOOD, BAD = "v1.1.5", "v1.2.0"
ROUNDS = int(sys.argv[1]) if sys.argv[1:] else 5
RATE = 300
STREAMS = 4
BEFORE = 1.5  # seconds of load before the keystroke
AFTER = 4.0  # seconds of load after the command's end: what has not left the bad version then counts as never
KINDS = ("new", "kept", "streams")


def kubectl(*words: str) -> str:
    command = [KUBECTL, "--kubeconfig", ADMIN, "-n", NAMESPACE, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=180).stdout


def play(*words: str) -> list[str]:
    return [PLAYBOOK, "-i", INVENTORY, *words]


def weights(blue: int) -> str:
    operations = [
        {"op": "replace", "path": f"/spec/rules/0/backendRefs/{at}/weight", "value": value}
        for at, value in enumerate((blue, 100 - blue))
    ]
    return json.dumps(operations)


def selector(pool: str) -> str:
    return json.dumps({"spec": {"selector": {"app": "mcp-server", "pool": pool}}})


def community(folder: Path) -> list[str]:
    """A play of kubernetes.core that looks at what ours looks at as far as its modules go, and leaves out record, lock and share."""
    target = {"namespace": NAMESPACE, "kubeconfig": ADMIN}
    route = {"api_version": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "name": "mcp-server", **target}
    endpoints = {
        "api_version": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "label_selectors": ["kubernetes.io/service-name=mcp-server-blue"],
        **target,
    }
    scale = {
        "api_version": "apps/v1",
        "kind": "Deployment",
        "name": "mcp-server-green",
        "replicas": 0,
        "wait": True,
        **target,
    }
    ready = "slices.resources | map(attribute='endpoints') | flatten | selectattr('conditions.ready') | length > 0"
    accepted = "route.resources[0].status.parents[0].conditions | rejectattr('status', 'eq', 'True') | length == 0"
    tasks = [
        {"name": "Read the weights", "kubernetes.core.k8s_info": route, "register": "route"},
        {"name": "Read the good pool's endpoints", "kubernetes.core.k8s_info": endpoints, "register": "slices"},
        {"name": "It can answer", "ansible.builtin.assert": {"that": [ready]}},
        {"name": "Set the weights", "kubernetes.core.k8s_json_patch": {**route, "patch": json.loads(weights(100))}},
        {
            "name": "Wait",
            "kubernetes.core.k8s_info": route,
            "register": "route",
            "until": accepted,
            "retries": 10,
            "delay": 1,
        },
        {"name": "Ask", "ansible.builtin.uri": {"url": f"{INFO['public_url']}/health", "headers": {"Host": HOST}}},
        {"name": "Scale the bad pool down", "kubernetes.core.k8s_scale": scale},
    ]
    file = folder / "community.yml"
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    file.write_text(
        json.dumps(
            [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}]
        )
    )
    venv = subprocess.run(
        [sys.executable, ROOT / "tests" / "tools" / "venv.py", "kubernetes-core"],
        check=True,
        capture_output=True,
        text=True,
    )
    return [f"{venv.stdout.strip()}/bin/ansible-playbook", "-i", "localhost,", str(file)]


def release() -> None:
    """The bad version has all the traffic, and the record says where from."""
    kubectl("patch", "httproute", "mcp-server", "--type=json", "-p", weights(100))
    steps = json.dumps({"bluegreen_steps": [{"weight": 100, "seconds": 0}]})
    done = subprocess.run(
        play("playbooks/bluegreen.yml", "-e", f"version={BAD}", "-e", f"mcp_force_version={BAD}", "-e", steps),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout.decode()}{done.stderr.decode()}")


def bad_again() -> None:
    """The same without a record: only ours reads one."""
    kubectl("scale", "deployment/mcp-server-green", "--replicas=2")
    kubectl("rollout", "status", "deployment/mcp-server-green", "--timeout=120s")
    kubectl("patch", "httproute", "mcp-server", "--type=json", "-p", weights(0))
    kubectl("patch", "service", SERVICE, "-p", selector("green"))


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_"))}
    named = {"KUBECONFIG": KUBECONFIG, "MCP_NAMESPACE": NAMESPACE, "MCP_HOST": HOST, "MCP_URL": INFO["public_url"]}
    return {**clean, **named, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections")}


def measure(command: list[str], url: str, folder: Path) -> dict[str, t.Any]:
    """seconds: of the command. new, kept, streams: from the keystroke to the last of the bad version, None when it did not end. failed: requests."""
    file = folder / "load.json"
    arguments = [url, HOST, str(file), "--rate", str(RATE), "--streams", str(STREAMS)]
    load = subprocess.Popen([sys.executable, "-m", "sandbox.load", *arguments], cwd=ROOT)
    try:
        time.sleep(BEFORE)
        keystroke = time.time()
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120, check=False
        )
        seconds = time.time() - keystroke
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
        time.sleep(AFTER)
        end = time.time()
    finally:
        load.send_signal(signal.SIGTERM)
        load.wait(30)
    clients = json.loads(file.read_text())
    found: dict[str, t.Any] = {"seconds": seconds, "failed": clients["failed"], "failures": clients["failures"]}
    for kind in ("new", "kept"):
        last = clients[kind]["answers"][f"{BAD[1:]} green"]["last"]
        found[kind] = last - keystroke if last < end - 1 else None
    held = [stream for stream in clients["held"] if stream["opened"] < keystroke]
    cut = {stream["why"] for stream in held if stream["ended"]} - {"the server ended it"}
    if cut:
        sys.exit(f"streams were cut: {cut}")
    ends = [stream["ended"] for stream in held]
    if len(ends) != STREAMS:
        sys.exit(f"{len(ends)} of {STREAMS} streams were open at the keystroke: {clients['streams']}")
    found["streams"] = None if None in ends else max(ends) - keystroke
    return found


def middle(values: list[float | None]) -> float | None:
    """The median, None (it did not end) counting as longer than any."""
    return statistics.median_low([float("inf") if value is None else value for value in values])


def print_table(found: dict[str, list[dict[str, t.Any]]]) -> None:
    empty = statistics.median([run["seconds"] for run in found["empty playbook"]])
    print(f"\nSeconds, medians of {ROUNDS} rounds at {RATE} requests a second; in brackets: times the empty playbook")
    print(f"{'':24}" + "".join(f"{name:>16}" for name in (*KINDS, "command", "failed")))
    for way, runs in found.items():
        cells = []
        for kind in (*KINDS, "seconds"):
            value = None if way == "empty playbook" and kind in KINDS else middle([run[kind] for run in runs])
            cells.append(
                "" if value is None else "never" if value == float("inf") else f"{value:.2f} ({value / empty:.1f})"
            )
        print(f"{way:24}" + "".join(f"{cell:>16}" for cell in (*cells, str(sum(run["failed"] for run in runs)))))
    ours = middle([max(run["new"] or 99, run["kept"] or 99) for run in found["our rollback.yml"]])
    print(f"our last bad answer to a request: an empty playbook + {ours - empty:.2f} s; the aim is + 1.00 s")
    for way, runs in found.items():
        for run in runs:
            if run["failures"]:
                print(f"{way}: {run['failures']}")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit("stopped"))  # what is made here is taken away all the same
    kubectl("set", "image", "deployment/mcp-server-blue", f"mcp-server={INFO['image']}:{GOOD}")
    kubectl("scale", "deployment/mcp-server-blue", "--replicas=2")
    kubectl("rollout", "status", "deployment/mcp-server-blue", "--timeout=120s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = folder / "empty.yml"
        empty.write_text("- hosts: all\n  gather_facts: false\n")
        try:
            kubectl("create", "service", "nodeport", SERVICE, "--tcp=8080:8080")
            port = kubectl("get", "service", SERVICE, "-o", "jsonpath={.spec.ports[0].nodePort}")
            kubectl("patch", "service", SERVICE, "--type=json", "-p", '[{"op": "remove", "path": "/spec/selector"}]')
            node_port = f"http://127.0.0.1:{port}"
            patch_route = [
                KUBECTL,
                "--kubeconfig",
                KUBECONFIG,
                "-n",
                NAMESPACE,
                "patch",
                "httproute",
                "mcp-server",
                "--type=json",
                "-p",
                weights(100),
            ]
            patch_service = [
                KUBECTL,
                "--kubeconfig",
                ADMIN,
                "-n",
                NAMESPACE,
                "patch",
                "service",
                SERVICE,
                "-p",
                selector("blue"),
            ]
            ways: dict[str, tuple[list[str], str]] = {
                "empty playbook": (play(str(empty)), INFO["public_url"]),
                "our rollback.yml": (play("playbooks/rollback.yml"), INFO["public_url"]),
                "kubectl patch route": (patch_route, INFO["public_url"]),
                "kubectl patch selector": (patch_service, node_port),
                "kubernetes.core": (community(folder), INFO["public_url"]),
            }
            found: dict[str, list[dict[str, t.Any]]] = {way: [] for way in ways}
            for number in range(ROUNDS):
                release()
                for way, (command, url) in ways.items():
                    bad_again()
                    run = measure(command, url, folder)
                    found[way].append(run)
                    print(
                        f"round {number + 1}, {way}: "
                        + json.dumps(
                            {key: round(run[key], 2) if run[key] is not None else None for key in (*KINDS, "seconds")}
                        ),
                        flush=True,
                    )
            print_table(found)
        finally:
            kubectl("delete", "service", SERVICE, "--ignore-not-found")
            kubectl("patch", "httproute", "mcp-server", "--type=json", "-p", weights(100))
            kubectl("scale", "deployment/mcp-server-green", "--replicas=0")


if __name__ == "__main__":
    main()
