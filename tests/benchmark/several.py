# SPDX-License-Identifier: GPL-3.0-or-later
"""What one play with many servers costs: time, memory of each process, and requests for each server.

python tests/benchmark/several.py live [SERVERS ...]: one bluegreen.yml of 10 and of 25 servers of the sandbox, or
of other numbers, with one small
pod for each pool. It makes them beside the server of MCP_NAMESPACE, MCP_HOST and KUBECONFIG, or the first one, and
takes them away again. API calls are
counted by a proxy before the API server, synthetic requests by the gateway; the sandbox's clients are quiet meanwhile.

python tests/benchmark/several.py fakes [SERVERS ...]: 50 and 200 servers against a fake API server and a fake
gateway, 25 at a time. Nothing is
deployed: it is the record, the traffic task, and what it does at its end.
"""

from __future__ import annotations

import base64
import json
import math
import os
import ssl
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "integration")]

import fake_servers  # noqa: E402
from counted import Cost, measured, proxy  # noqa: E402
from small_servers import Place, small_servers  # noqa: E402

STATE = Path("/var/lib/mcp-sandbox/sandbox.json")
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
VERSION = "v1.2.0"
STEPS = [{"weight": 10, "seconds": 20}, {"weight": 50, "seconds": 20}, {"weight": 100, "seconds": 10}]
WARM = 20
LIVE, FAKES = (10, 25), (50, 200)
FORKS = 25
COLUMNS = (
    "servers",
    "forks",
    "watched s",
    "seconds",
    "play MiB",
    "worker MiB",
    "all MiB",
    "API calls",
    "synthetic requests",
    "succeeded",
)
# What comes after the deployment, with the role's own tasks.
ONLY_THE_TRAFFIC = [
    {
        "hosts": "all",
        "gather_facts": False,
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {
            "group/mcp.server.mcp": {
                "namespace": "{{ mcp_namespace }}",
                "server": "{{ inventory_hostname }}",
                "kubeconfig": "{{ mcp_kubeconfig }}",
                "run_id": "{{ bluegreen_release.run_id | default('') }}",
            }
        },
        "tasks": [
            {
                "mcp.server.mcp_release": {
                    "state": "begun",
                    "image_ref": f"{fake_servers.IMAGE}:{VERSION}",
                    "version": VERSION,
                    "force_version": VERSION,
                },
                "register": "bluegreen_release",
            },
            {"ansible.builtin.include_role": {"name": "mcp.server.bluegreen", "tasks_from": "shift.yml"}},
        ],
    }
]


def main() -> None:
    what, *numbers = sys.argv[1:] or ["", ""]
    rows = {"live": live, "fakes": against_fakes}
    if what not in rows:
        sys.exit(__doc__)
    print("  ".join(f"{name:>12}" for name in COLUMNS), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in map(int, numbers or (LIVE if what == "live" else FAKES)):
            rows[what](number, Path(folder))


def row(number: int, forks: int, cost: Cost, calls: int, own: int, outcomes: t.Sequence[str], log: Path) -> None:
    """Print what it cost; calls and synthetic requests for each server.

    watched: how long it takes if nothing but watching takes time, and servers wait only for a fork.
    """
    memory = cost.memory
    watched = math.ceil(number / forks) * (sum(step["seconds"] for step in STEPS) + WARM)
    values = (
        number,
        forks,
        watched,
        cost.seconds,
        memory.play,
        memory.worker,
        memory.together,
        calls / number,
        own / number,
    )
    succeeded = f"{outcomes.count('succeeded')} of {number}"
    print("  ".join([f"{value:>12.0f}" for value in values] + [f"{succeeded:>12}"]), flush=True)
    print(f"{own / cost.seconds:>12.0f} synthetic requests a second, of all servers together", flush=True)
    if cost.failed:
        kept = Path(tempfile.gettempdir()) / log.name
        kept.write_text(log.read_text())
        print(f"the play failed: {kept}", flush=True)


def play(playbook: str, inventory: dict[str, t.Any], forks: int, folder: Path, log: Path) -> Cost:
    file = folder / "inventory.yml"
    file.write_text(json.dumps({"all": {"hosts": inventory}}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_"))}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [
        PLAYBOOK,
        playbook,
        "-i",
        str(file),
        "-l",
        "all",
        "-f",
        str(forks),
        "-e",
        f"version={VERSION}",
        "-e",
        f"mcp_force_version={VERSION}",
    ]
    return measured(command, folder, environment, log)


def kubeconfig_at(url: str, folder: Path) -> str:
    """Return a kubeconfig for this address, without credentials."""
    context = {"cluster": "counted", "user": "nobody"}
    named = {
        "clusters": [{"name": "counted", "cluster": {"server": url}}],
        "contexts": [{"name": "counted", "context": context}],
    }
    users = [{"name": "nobody", "user": {}}]
    file = folder / "kubeconfig"
    file.write_text(
        json.dumps({"apiVersion": "v1", "kind": "Config", "users": users, **named, "current-context": "counted"})
    )
    return str(file)


# Live servers


class Live(t.NamedTuple):
    """Live servers. inventory: their variables, by host. requests: gives how many the API server got so far. outcomes:
    gives how their releases ended. requested: gives how many requests the gateway gave to them in so many seconds.
    """

    inventory: dict[str, dict[str, t.Any]]
    requests: t.Callable[[], int]
    outcomes: t.Callable[[], list[str]]
    requested: t.Callable[[float], int]


@contextmanager
def live_servers(number: int, folder: Path) -> t.Iterator[Live]:
    """Make so many small servers of the sandbox, for the block."""
    info = json.loads(STATE.read_text())
    kubeconfig = Path(os.environ.get("KUBECONFIG") or info["kubeconfig"])
    namespace, host = (
        os.environ.get("MCP_NAMESPACE") or info["namespace"],
        os.environ.get("MCP_HOST") or info["public_host"],
    )
    binary = str(sorted(Path.home().glob(".cache/mcp-sandbox/binaries-*/kubectl"))[-1])

    def kubectl(*words: str, stdin: str | None = None) -> str:
        command = [binary, "--kubeconfig", info["admin_kubeconfig"], *words]
        return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True, timeout=330).stdout

    place = Place(kubectl, namespace, host, info["public_url"])
    with (
        small_servers(place, [f"s{one:03d}" for one in range(number)], seconds=300) as servers,
        _api_server(kubeconfig) as counting,
    ):
        variables = {
            "mcp_namespace": namespace,
            "mcp_kubeconfig": kubeconfig_at(counting.url, folder),
            # As an option: what a kubeconfig has is not sent without TLS, and the proxy that counts has none.
            "mcp_api_key": yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"],
            "mcp_image": info["image"],
            "mcp_health_path": "/health",
            "mcp_registry": info["registry_url"],
            "mcp_prometheus": {"url": info["prometheus_url"], "source": ["envoy", "app", "kubelet"]},
            # Nobody asks but the watches.
            "mcp_gates": {"latency_rise": {"enabled": False}},
            "mcp_steps": STEPS,
            "mcp_warm_seconds": WARM,
            "mcp_inconclusive_timeout": 120,
            "mcp_ready_grace": 300,  # two cores start 25 interpreters at once
        }
        inventory = {
            name: {**variables, "mcp_server": one.name, "mcp_endpoint": {"url": place.url, "host": one.host}}
            for name, one in servers.items()
        }
        made = list(servers.values())[0].name.rpartition("-")[2]

        def outcomes() -> list[str]:
            records = json.loads(kubectl("-n", namespace, "get", "configmap", "-o", "json"))["items"]
            return [_outcome(one) for one in records if made in one["metadata"]["name"]]

        def requested(seconds: float) -> int:
            return _own_requests(info["prometheus_url"], namespace, f".+-{made}", seconds)

        yield Live(inventory, lambda: counting.requests, outcomes, requested)


def live(number: int, folder: Path) -> None:
    log = folder / f"live-{number}.log"
    with live_servers(number, folder) as servers:
        hosts = {name: {**variables, "mcp_waves": []} for name, variables in servers.inventory.items()}
        cost = play(str(ROOT / "playbooks" / "bluegreen.yml"), hosts, number, folder, log)
        time.sleep(5)  # Prometheus has seen the last of it
        own = servers.requested(cost.seconds + 60)
        row(number, number, cost, servers.requests(), own, servers.outcomes(), log)


def _api_server(kubeconfig: Path) -> t.ContextManager[t.Any]:
    """Return a counting proxy before the API server of a kubeconfig."""
    cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
    address = urllib.parse.urlsplit(cluster["server"])
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return proxy(address.hostname or "", address.port or 443, ssl.create_default_context(cadata=authority))


def _own_requests(prometheus: str, namespace: str, servers: str, seconds: float) -> int:
    """Return how many requests the gateway gave to these servers."""
    series = f'envoy_cluster_upstream_rq_total{{namespace="{namespace}",server=~"{servers}"}}'
    query = f"sum(max_over_time({series}[{seconds:.0f}s]))"
    with urllib.request.urlopen(
        f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=20
    ) as answer:
        found = json.load(answer)["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def _outcome(record: dict[str, t.Any] | None) -> str:
    """Return how the release of a ConfigMap ended, empty when it has not."""
    return str(json.loads(record["data"]["current"]).get("outcome")) if record else ""


# Fakes


def against_fakes(number: int, folder: Path) -> None:
    names = [f"s{one:03d}" for one in range(number)]
    playbook, log = folder / "traffic.yml", folder / f"fakes-{number}.log"
    playbook.write_text(json.dumps(ONLY_THE_TRAFFIC))
    forks = min(FORKS, number)
    with fake_servers.fakes(names) as fakes:
        inventory = {name: fake_variables(fakes, name, folder) for name in names}
        cost = play(str(playbook), inventory, forks, folder, log)
        calls, own = fakes.counts()
        outcomes = fake_outcomes(fakes, names)
        row(number, forks, cost, calls, own, outcomes, log)


def fake_variables(fakes: fake_servers.Fakes, name: str, folder: Path) -> dict[str, t.Any]:
    """Return the variables of a fake server."""
    return {
        "mcp_namespace": fake_servers.NAMESPACE,
        "mcp_kubeconfig": kubeconfig_at(fakes.api, folder),
        "mcp_image": fake_servers.IMAGE,
        "mcp_health_path": "/health",
        "mcp_session_mode": "stateless",  # no pod can be asked
        "mcp_steps": STEPS,
        "mcp_warm_seconds": WARM,
        "mcp_endpoint": {"url": fakes.gateway, "host": f"{name}.{fake_servers.DOMAIN}"},
    }


def fake_outcomes(fakes: fake_servers.Fakes, names: t.Iterable[str]) -> list[str]:
    """Return how the releases of fake servers ended."""
    maps = f"{fakes.api}/api/v1/namespaces/{fake_servers.NAMESPACE}/configmaps"
    return [_outcome(_get(f"{maps}/{name}-release")) for name in names]


def _get(url: str) -> t.Any:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)
    except OSError:  # there is none
        return None


if __name__ == "__main__":
    main()
