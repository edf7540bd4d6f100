# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that other projects publish, unmodified: each is adopted, released to another version and rolled back, while
official clients call it. What they saw is a row of docs/servers.md.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from playing import CONFIG, kubectl, play
from soaking import SOAK, soak

from ansible_collections.mcp.server.tests.strangers import manifests, measured
from ansible_collections.mcp.server.tests.strangers.load import SESSIONS, Seen, load
from ansible_collections.mcp.server.tests.strangers.table import Server, servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes namespaces of its own, and needs images that only the sandbox's registry has",
)

RATE = 50.0  # requests a second
CLIENTS = 2 * SESSIONS
AT_ONCE = 3  # releases
STEPS = {
    "stateful": [{"weight": 100, "seconds": 5}],
    "stateless": [{"weight": 10, "seconds": 3}, {"weight": 50, "seconds": 3}, {"weight": 100, "seconds": 5}],
}
# `make soak` has all of them again.
WANTED = [pytest.param(one, id=one.name, marks=soak if SOAK else ()) for one in servers().values() if SOAK or one.short]


@contextmanager
def deployed(server: Server) -> t.Iterator[tuple[str, str]]:
    """Run a server as its users do, in a namespace of its own; give that and the server's host."""
    namespace = f"strangers-{server.name}-{secrets.token_hex(3)}"
    host = f"{namespace}.example"
    objects = manifests.deployed(server, namespace, host, server.versions[0])
    try:
        kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        kubectl("-n", namespace, "rollout", "status", f"deployment/{manifests.workload(server)}", "--timeout=50s")
        yield namespace, host
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


def inventory(folder: Path, server: Server, namespace: str, host: str, **more: t.Any) -> tuple[str, ...]:
    """Return the words for a play on the server, of the lines that adopting it asks for."""
    workload, service = manifests.workload(server), manifests.service(server)
    its = {
        "mcp_namespace": namespace,
        "mcp_kubeconfig": CONFIG["kubeconfig"],
        "mcp_image": f"ghcr.io/{server.repository}",
        "mcp_registry": CONFIG["registry_url"],
        "mcp_endpoint": {"url": CONFIG["public_url"], "host": host, "mcp_path": server.path},
        "mcp_blue": {"deployment": workload, "service": service},
        "mcp_green": {"deployment": f"{workload}-green", "service": f"{service}-green"},
        "mcp_route": manifests.route(server),
        "mcp_sessions": "break" if server.stateful else "keep",
        "mcp_steps": STEPS[server.session_mode],
        "mcp_warm_seconds": 1,
        "mcp_contract_accept": list(server.accept),
        **more,
    }
    file = folder / "inventory.yml"
    file.write_text(json.dumps({"strangers": {"hosts": {server.name: its}}}))
    return ("-i", str(file), "-l", server.name)


def timed(playbook: str, *words: str) -> tuple[str, float]:
    """Play, and return what it said and the seconds that it took."""
    start = time.monotonic()
    code, said = play(playbook, *words)
    assert code == 0, said
    return said, round(time.monotonic() - start, 1)


def adopted(folder: Path, server: Server, namespace: str, host: str) -> float:
    """Make two pools of one, as an administrator, and give the releaser of this run the rights; return the seconds."""
    releaser = {"kind": "ServiceAccount", "name": "mcp-releaser", "namespace": CONFIG["test_namespace"]}
    given = {"mcp_kubeconfig": CONFIG["admin_kubeconfig"], "mcp_adopt_releasers": [releaser]}
    _said, seconds = timed("playbooks/adopt.yml", *inventory(folder, server, namespace, host, **given))
    return seconds


def released(server: Server, folder: Path) -> tuple[dict[str, t.Any], Seen]:
    """Adopt, release and roll back a server; return what was measured, and what clients saw."""
    version = server.versions[1].removeprefix("v")
    row: dict[str, t.Any] = {"versions": list(server.versions)}
    with deployed(server) as place, load(server, CONFIG["public_url"], place[1], RATE) as seen:
        namespace, host = place
        time.sleep(3)
        row["adopt_seconds"] = adopted(folder, server, namespace, host)
        words = inventory(folder, server, namespace, host)
        said, row["release_seconds"] = timed("playbooks/bluegreen.yml", *words, "-e", f"version={version}")
        row |= measured.shares(said)
        _said, row["rollback_seconds"] = timed("playbooks/rollback.yml", *words)
        time.sleep(2)
    row |= {name: value for name, value in dataclasses.asdict(seen).items() if name in measured.COUNTS}
    row["left"] = measured.switches(seen.left) if loses_sessions(server) else {}
    return row, seen


@pytest.fixture(scope="module")
def releases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[dict[str, Future[tuple[dict[str, t.Any], Seen]]]]:
    """Start the releases of all servers that are wanted, some at a time, as each waits most of the time."""
    wanted = [item.callspec.params["server"] for item in request.session.items if item.fspath == request.fspath]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {one.name: pool.submit(released, one, tmp_path_factory.mktemp(one.name)) for one in wanted}


@pytest.mark.parametrize("server", WANTED)
def test_a_stranger_is_adopted_released_and_rolled_back(
    server: Server, releases: dict[str, Future[tuple[dict[str, t.Any], Seen]]]
) -> None:
    row, seen = releases[server.name].result()
    print("row:", json.dumps(row))
    judge(server, seen)
    assert row["measured_by"] == ["header X-MCP-Pool"], row
    assert [planned for planned, _measured in row["shares"]] == [step["weight"] for step in STEPS[server.session_mode]]
    measured.keep(server.name, row)


def loses_sessions(server: Server) -> bool:
    """Return whether sessions are in one pool only."""
    return server.stateful and not server.any_id


def judge(server: Server, seen: Seen) -> None:
    """No request failed, and no session was lost but those that were open when all traffic went to the other pool."""
    assert seen.failed == 0, seen
    assert seen.rate > 0.6 * RATE, seen  # the machine has other work, too
    assert seen.pools.keys() == {"blue", "green"}, seen
    if not loses_sessions(server):
        assert seen.lost == seen.outdated == 0, seen
        return
    left = measured.switches(seen.left)
    assert left.keys() == {"blue", "green"}, seen
    for pool, ways in left.items():
        seconds = ways.pop("seconds")
        assert seconds < 5, (pool, seen)  # each client asks five times a second
        assert sum(ways.values()) == CLIENTS, (pool, seen)  # each of them leaves it once
    assert "outdated" not in left["blue"], seen
    assert server.is_newer or not seen.outdated, seen
