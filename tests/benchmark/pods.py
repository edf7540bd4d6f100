# SPDX-License-Identifier: GPL-3.0-or-later
"""One mcp_health, as a module of its own process, of 1, 10 and 50 pods of the sandbox at once: seconds and memory."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import kubernetes.client
import kubernetes.config

ROOT = Path(__file__).resolve().parents[2]
INFO = json.loads(Path("/var/lib/mcp-sandbox/sandbox.json").read_text())
NAME = "mcp-health-benchmark"
COUNTS = (1, 10, 50)
RUNS = 3
# The kernel's maximum for children would count our own memory, before they become another program.
MEASURED = """
import atexit, re, runpy, sys
atexit.register(lambda: sys.stderr.write(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]))
runpy.run_path(sys.argv.pop(), run_name="__main__")
"""
LIMITS = {10: "60 MiB", 50: "2 s"}


def main() -> None:
    kubernetes.config.load_kube_config(INFO["admin_kubeconfig"])
    apps = kubernetes.client.AppsV1Api()
    try:
        print(f"{'pods':>5} {'seconds (the servers alone)':>30} {'MiB':>5}  limit")
        for count in COUNTS:
            scale(apps, count)
            for _run in range(RUNS):
                seconds, servers, mebibytes = health()
                print(
                    f"{count:>5} {f'{seconds:.2f} ({servers:.2f})':>30} {mebibytes:>5.0f}  {LIMITS.get(count, '')}",
                    flush=True,
                )
    finally:
        apps.delete_namespaced_deployment(NAME, INFO["namespace"])


def scale(apps: t.Any, count: int) -> None:
    """As many ready pods of the example server, under a name and labels of their own."""
    namespace = INFO["namespace"]
    try:
        apps.patch_namespaced_deployment_scale(NAME, namespace, {"spec": {"replicas": count}})
    except kubernetes.client.ApiException:
        apps.create_namespaced_deployment(
            namespace, like(apps.read_namespaced_deployment("mcp-server-blue", namespace), count)
        )
    for _second in range(300):
        if (apps.read_namespaced_deployment(NAME, namespace).status.ready_replicas or 0) == count:
            return
        time.sleep(1)
    raise SystemExit(f"{count} pods are not ready after 300 s")


def like(deployment: t.Any, count: int) -> t.Any:
    labels = {"app": NAME, "pool": "blue"}
    spec = copy.deepcopy(deployment.spec)
    spec.replicas, spec.selector.match_labels, spec.template.metadata.labels = count, labels, labels
    for container in spec.template.spec.containers:
        container.resources = None
    return {"metadata": {"name": NAME}, "spec": spec}


def health() -> tuple[float, float, float]:
    arguments = {
        "kubeconfig": INFO["kubeconfig"],
        "namespace": INFO["namespace"],
        "server": NAME,
        "pool": "blue",
        # The database of the sandbox has fewer connections than these pods want.
        "health_path": "/health",
        "health_checks": ["instance_id != `null`"],
    }
    command = [sys.executable, "-c", MEASURED, ROOT / "plugins" / "modules" / "mcp_health.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "playbooks" / "collections")}
    started = time.perf_counter()
    done = subprocess.run(
        command,
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    seconds = time.perf_counter() - started
    result = json.loads(done.stdout)
    assert result.get("healthy"), result.get("msg", done.stderr)
    return seconds, result["seconds"], int(done.stderr) / 1024


if __name__ == "__main__":
    main()
