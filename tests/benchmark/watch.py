# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long watch costs: one mcp_watch of the sandbox's live pool with its metrics, in a process of its own. Memory,
processor time, and calls.

python tests/benchmark/watch.py [SECONDS] [KIND]: 300 seconds, unless told otherwise, as watch.yml watches (KIND:
watch, which has limits), or as a
release does (KIND: step, for comparison: it is short, and looks at more, and more often). What a longer one would
cost is told by its second half.
MCP_NAMESPACE, MCP_HOST and KUBECONFIG name another server of the sandbox.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INFO = json.loads(Path("/var/lib/mcp-sandbox/sandbox.json").read_text())
PROMETHEUS = "http://127.0.0.1:9090"
EVERY = 5.0  # seconds between looks at the process
SETTLED = 60.0  # seconds after which its memory should not grow any more
KINDS = {
    # As roles/watch.
    "watch": {"checks": ["triggers"], "rate": 5.0, "poll_interval": 15.0},
    # As roles/bluegreen. It holds the Lease.
    "step": {"checks": ["shift", "triggers"], "rate": 40.0, "poll_interval": 5.0, "run_id": "benchmark"},
}
LIMITS = {"peak": 80.0, "core": 2.0, "calls": 10.0}  # MiB, percent, a minute

# What the libraries send is counted where both of them do it.
CHILD = """
import json, os, sys
from collections import Counter
import urllib3.connectionpool as pool
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease, this_process
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.watch import SPEC, run

calls, send = Counter(), pool.HTTPConnectionPool.urlopen
def counted(self, *words, **more):
    calls[f"{self.host}:{self.port}"] += 1
    return send(self, *words, **more)
pool.HTTPConnectionPool.urlopen = counted

arguments = json.loads(sys.argv[1])
validation = ArgumentSpecValidator(SPEC.options, **SPEC.rules()).validate(arguments)
assert not validation.error_messages, validation.error_messages
params = validation.validated_parameters
lease = Lease(connection.connect(params), params["namespace"], params["server"])
if params["run_id"]:
    lease.acquire(params["run_id"], "tests/benchmark/watch.py", this_process(os.getpid()))
try:
    result = run(Task(params, progress=lambda line: print(line, file=sys.stderr, flush=True)))
except Failure as failure:
    result = {"msg": failure.msg, **failure.evidence}
finally:
    if params["run_id"]:
        lease.release(params["run_id"])
keys = ("verdict", "msg", "requests", "failed_requests", "seconds")
print(json.dumps({"calls": calls, **{key: result.get(key) for key in keys}}))
"""


def main(seconds: float, kind: str) -> None:
    arguments = {
        "namespace": os.environ.get("MCP_NAMESPACE", INFO["namespace"]),
        "server": "mcp-server",
        "kubeconfig": os.environ.get("KUBECONFIG", INFO["kubeconfig"]),
        "pool": "blue",
        **KINDS[kind],
        "endpoint": {"url": INFO["public_url"], "host": os.environ.get("MCP_HOST", INFO["public_host"])},
        "health_path": "/health",
        "prometheus": {"url": PROMETHEUS},
        "seconds": seconds,
        "inconclusive_timeout": 30,
    }
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "playbooks" / "collections")}
    started = time.monotonic()
    looks: list[tuple[float, float, float]] = []
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(arguments)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            if look := looked(process.pid):
                looks.append((time.monotonic() - started, *look))
            time.sleep(EVERY)
        document = json.loads(process.stdout.read() if process.stdout else "null")
    report(looks, document, seconds, kind)


def looked(pid: int) -> tuple[float, float] | None:
    """MiB that a process has now, and seconds of a core that it has used; None when it is over."""
    try:
        status, stat = (Path(f"/proc/{pid}/{name}").read_text() for name in ("status", "stat"))
        resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(resident[1]) / 1024, (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")) if resident else None


def report(looks: list[tuple[float, float, float]], document: dict, seconds: float, kind: str) -> None:
    print(
        f"{kind}, {seconds:g} s: {document['verdict']}, {document['requests']} answers, "
        f"{document['failed_requests']} failed {document['msg'] or ''}"
    )
    for part in range(10):
        at, mebibytes, core = looks[(len(looks) - 1) * part // 9]
        print(f"{at:>7.0f} s {mebibytes:>6.1f} MiB {core:>7.1f} s of a core")
    steady = [look for look in looks if look[0] >= SETTLED] or looks
    (begin, _first, before), (end, _last, after) = steady[0], steady[-1]
    half = steady[len(steady) // 2 :]
    growth = 3600 * (half[-1][1] - half[0][1]) / max(1.0, half[-1][0] - half[0][0])
    minutes = looks[-1][0] / 60
    calls = {
        ("prometheus" if host.endswith(":9090") else "cluster"): number / minutes
        for host, number in document["calls"].items()
    }
    found = {
        "peak": max(look[1] for look in looks),
        "core": 100 * (after - before) / max(1.0, end - begin),
        "calls": calls.get("cluster", 0.0),
    }
    print(
        f"peak {found['peak']:.1f} MiB (limit {LIMITS['peak']:g}), in its second half it grew by {growth:.1f} MiB an "
        f"hour"
    )
    print(f"{found['core']:.2f} % of a core (limit {LIMITS['core']:g}) after the first {SETTLED:g} s")
    print(
        f"{found['calls']:.1f} calls a minute of the cluster's API (limit {LIMITS['calls']:g}), "
        f"{calls.get('prometheus', 0.0):.1f} of Prometheus"
    )
    missed = [name for name, limit in LIMITS.items() if kind == "watch" and found[name] > limit]
    if missed or document["verdict"] != "pass":
        sys.exit(f"missed: {', '.join(missed) or document['verdict']}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0, sys.argv[2] if len(sys.argv) > 2 else "watch")
