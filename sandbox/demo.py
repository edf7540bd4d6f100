# SPDX-License-Identifier: GPL-3.0-or-later
"""make demo: release v1.2.0 over v1.1.5 under load, roll it back, and report what was measured.

Runs in the collection's virtual environment. With KUBECONFIG set it uses that
cluster, where manifests/mcp-server have been applied; MCP_URL, MCP_REGISTRY
say where its gateway and its registry are.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import addons
from .paths import GATEWAY, SOURCE

ROOT = SOURCE.parent
RATE = 320.0  # requests a second, unless --rate says otherwise
URL = os.environ.get("MCP_URL") or f"http://{GATEWAY}"
KUBECONFIG = os.environ.get("KUBECONFIG") or str(addons.RELEASER_KUBECONFIG)
COLLECTIONS = ROOT / "playbooks" / "collections"
NAMESPACE = os.environ.get("MCP_NAMESPACE") or addons.NAMESPACE
PUBLIC_HOST = os.environ.get("MCP_HOST") or addons.PUBLIC_HOST
OLD, NEW = "v1.1.5", "v1.2.0"


def ansible(*words: str, quiet: bool = False) -> float:
    """Run ansible-playbook or ansible as a user would, and return its seconds. Exit when it fails."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "KUBECONFIG": KUBECONFIG}
    start = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL if quiet else None, check=False)
    if done.returncode != 0:
        sys.exit(f"demo: {' '.join(words)} failed ({done.returncode}).")
    return round(time.monotonic() - start, 2)


def playbook(name: str, *words: str) -> float:
    print(f"\n$ ansible-playbook playbooks/{name}.yml -i inventory/sandbox {' '.join(words)}", flush=True)
    return ansible("ansible-playbook", f"playbooks/{name}.yml", "-i", "inventory/sandbox", *words)


def record() -> dict:
    """Return the release record, as the cluster has it."""
    return module("mcp_release_info")["record"]


def module(name: str, arguments: str = "") -> dict:
    """Return the result of a module of the collection. Exit when it failed."""
    target = f"namespace={NAMESPACE} server=mcp-server kubeconfig={KUBECONFIG} {arguments}".strip()
    one_line = {"ANSIBLE_LOAD_CALLBACK_PLUGINS": "1", "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline"}
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), **one_line}
    command = ["ansible", "localhost", "-c", "local", "-m", f"mcp.server.{name}", "-a", target]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"demo: {name} failed: {done.stdout.strip() or done.stderr.strip()}")
    return json.JSONDecoder().raw_decode(done.stdout[done.stdout.index("=> ") + 3 :])[0]


def start_over() -> None:
    """Set blue to the old version with all the traffic, and green to no pods, as before a first release."""
    print(f"Setting blue to {OLD}, with all the traffic", flush=True)
    module("mcp_rollout", f"pool=blue image_ref=ghcr.io/org/mcp-server:{OLD} replicas=2")
    module("mcp_traffic_shift", "pool=blue weight=100")
    module("mcp_rollout", "pool=green replicas=0")
    if record() is not None:
        module("mcp_release", "state=ended outcome=rolled_back")


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.demo", description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    rate = parser.parse_args().rate
    start_over()
    folder = Path(tempfile.mkdtemp(prefix="mcp-demo-"))
    empty = folder / "empty.yml"
    empty.write_text("- hosts: all\n  gather_facts: false\n")
    empty_seconds = min(
        ansible("ansible-playbook", str(empty), "-i", "inventory/sandbox", quiet=True) for _run in range(3)
    )

    load_file = folder / "load.json"
    print(
        f"Clients: {rate:.0f} requests a second to {URL}, half over kept connections and half over new ones, and "
        f"open streams",
        flush=True,
    )
    load = subprocess.Popen(
        [sys.executable, "-m", "sandbox.load", URL, PUBLIC_HOST, str(load_file), "--rate", str(rate)], cwd=ROOT
    )
    try:
        release_seconds = playbook(
            "bluegreen", "-e", f"version={NEW}", "-e", f"mcp_force_version={NEW}"
        )  # the last demo rolled it back
        steps = record()["steps"]
        time.sleep(2)
        rollback_at = time.time()
        rollback_seconds = playbook("rollback")
        time.sleep(2)
    finally:
        load.send_signal(signal.SIGTERM)
        load.wait(30)
    clients = json.loads(load_file.read_text())
    answers = [(version, seen) for kind in ("kept", "new") for version, seen in clients[kind]["answers"].items()]
    last_new = max(seen["last"] for version, seen in answers if version.startswith(f"{NEW[1:]} "))
    summary = {
        "steps": [
            {"set": step["weights"], "measured": step["share"], "seconds_to_follow": step["seconds_to_follow"]}
            for step in steps
        ],
        "release_seconds": release_seconds,
        "rollback_seconds": rollback_seconds,
        "rollback_to_last_new_answer_seconds": round(last_new - rollback_at, 2),
        "empty_playbook_seconds": empty_seconds,
        "requests": {name: clients[name] for name in ("sent", "failed", "rate", "failures")},
        "outcome": record()["outcome"],
    }
    result = folder / "summary.json"
    result.write_text(json.dumps(summary, indent=1))
    print("\nSummary")
    for step in summary["steps"]:
        percent, share = step["set"]["green"], step["measured"]
        print(
            f"  green set to {percent:3d} %: measured {share['green']:5.1f} % of {share['requests']} answers, "
            f"followed after {step['seconds_to_follow']} s"
        )
    print(f"  release {release_seconds} s, rollback {rollback_seconds} s; an empty playbook takes {empty_seconds} s")
    print(
        f"  from the start of the rollback to the last answer of {NEW}: "
        f"{summary['rollback_to_last_new_answer_seconds']} s"
    )
    print(
        f"  clients: {clients['sent']} requests at {clients['rate']} a second, {clients['failed']} failed "
        f"{clients['failures'] or ''}"
    )
    if not os.environ.get("KUBECONFIG"):
        print("The sandbox stays up; 'make sandbox-down' removes it.")
    print(f"The same as JSON: {result}")
    if clients["failed"] or summary["outcome"] != "rolled_back":
        sys.exit(1)


if __name__ == "__main__":
    main()
