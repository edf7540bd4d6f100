# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody else writes during a release or a rollback: they are named, and nothing is a lie or an outage."""

from __future__ import annotations

import json
import threading
import time
import typing as t
from pathlib import Path

import pytest
from playing import CONFIG, kubectl, module, rest, running, until, variables
from small_servers import Place, Small, manifests, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes servers of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PLACE = Place(kubectl, CONFIG["test_namespace"], CONFIG["public_host"], CONFIG["public_url"])
WHERE = ("-n", CONFIG["test_namespace"])
EVERY = 3.0  # seconds between looks of a loop, as Argo CD's self-heal has them
CLIENT = ("apply", "-f", "-")
SERVER = ("apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-")


class Loop:
    """Apply a manifest every 3 s, until the block is left or so many seconds are over. first: when it changed something
    first.
    """

    def __init__(self, words: tuple[str, ...], manifest: dict[str, t.Any], seconds: float = 120) -> None:
        self.first: float | None = None
        self._words, self._manifest, self._seconds = words, json.dumps(manifest), seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join(70)

    def _work(self) -> None:
        bound = time.monotonic() + self._seconds
        while not self._over.is_set() and time.monotonic() < bound:
            begun = time.time()
            if "unchanged" not in kubectl(*self._words, stdin=self._manifest):
                self.first = self.first or begun
            self._over.wait(EVERY)


@pytest.fixture(scope="module")
def servers() -> t.Iterator[dict[str, Small]]:
    with small_servers(PLACE, ["client", "server", "image", "emergency", "end"]) as made:
        yield made


def route(server: Small, green: int = 0) -> dict[str, t.Any]:
    """Return the manifest that somebody's repository has."""
    found = manifests(server, CONFIG["test_namespace"], server.name.rpartition("-")[2], {})[0]
    for backend in found["spec"]["rules"][0]["backendRefs"]:
        backend["weight"] = green if backend["name"].endswith("-green") else 100 - green
    return found


def words(folder: Path, server: Small, steps: list[dict[str, float]], **more: t.Any) -> tuple[str, ...]:
    hosts = {"small": variables(server.name, server.host, **{"mcp_warm_seconds": 0, "mcp_steps": steps, **more})}
    file = folder / f"{server.name}.yml"
    file.write_text(json.dumps({"small": {"hosts": hosts}}))
    return ("-i", str(file), "-l", "small", "-e", "version=v1.2.0")


def pools(server: Small) -> dict[str, tuple[str, int]]:
    found = module("mcp_rollout_info", server=server.name)["pools"]
    return {
        pool: (one["image_ref"].partition("@")[0].rpartition(":")[2], one["replicas"]) for pool, one in found.items()
    }


def green(server: Small) -> int:
    return module("mcp_release_info", server=server.name)["weights"]["green"]


def outcome(server: Small) -> tuple[str, str]:
    record = module("mcp_release_info", server=server.name)["record"]
    return record["outcome"], record["reason"]


@pytest.mark.parametrize(
    ("name", "how", "writer"),
    [("client", CLIENT, "kubectl (kubectl-client-side-apply"), ("server", SERVER, "Argo CD (argocd-controller")],
)
def test_a_route_that_is_put_back(
    servers: dict[str, Small], tmp_path: Path, name: str, how: tuple[str, ...], writer: str
) -> None:
    server = servers[name]
    steps = [{"weight": 10, "seconds": 60}, {"weight": 100, "seconds": 5}]
    with running("playbooks/bluegreen.yml", *words(tmp_path, server, steps)) as play:
        said = until(play, "green 10 %: measured")
        with Loop(how, route(server)) as loop:
            said += until(play, "overwritten:")
            named = time.time()
            said += rest(play)
            assert loop.first is not None and named - loop.first < 10, said
    assert (
        play.returncode != 0 and writer in said and "gives blue 100 %, green 0 % now, not blue 90 %, green 10 %" in said
    ), said
    assert "Nothing was scaled." in said and green(server) == 0
    assert pools(server) == {"blue": ("v1.1.5", 1), "green": ("v1.2.0", 1)}
    ended, reason = outcome(server)
    assert ended == "rolled_back" and writer in reason


def test_an_image_that_is_put_back(servers: dict[str, Small], tmp_path: Path) -> None:
    server = servers["image"]
    steps = [{"weight": 10, "seconds": 60}, {"weight": 100, "seconds": 5}]
    with running("playbooks/bluegreen.yml", *words(tmp_path, server, steps)) as play:
        said = until(play, "green 10 %: measured")
        put_back = time.time()
        kubectl(*WHERE, "set", "image", f"deployment/{server.name}-green", f"{server.name}={CONFIG['image']}:v1.1.5")
        said += until(play, "overwritten:")
        assert time.time() - put_back < 10
        said += rest(play)
    assert play.returncode != 0 and f"{server.name}-green runs" in said and "kubectl (kubectl-set" in said, said
    assert green(server) == 0 and pools(server)["green"][1] == 1 and outcome(server)[0] == "rolled_back"


def test_an_emergency_that_is_undone_for_a_while(servers: dict[str, Small]) -> None:
    server = servers["emergency"]
    endpoint = {"url": CONFIG["public_url"], "host": server.host}
    its: dict[str, t.Any] = {"server": server.name}
    module("mcp_rollout", pool="green", image_ref=f"{CONFIG['image']}:v1.2.0", replicas=1, **its)
    module("mcp_traffic_shift", pool="green", weight=100, endpoint=endpoint, **its)
    with Loop(SERVER, route(server, 100), seconds=15):
        time.sleep(0.5)
        back = module(
            "mcp_traffic_shift", rollback=True, rollback_pool="blue", verify_seconds=8, endpoint=endpoint, **its
        )
    assert green(server) == 0 and len(back["reverted"]) >= 2 and {one["by"] for one in back["reverted"]} == {"Argo CD"}
    assert back["share"]["blue"] == 100 and back["scale_down"] is False


def test_nothing_is_scaled_down_that_gets_the_traffic_back(servers: dict[str, Small], tmp_path: Path) -> None:
    """At the very end of a release, when its last weights were seen."""
    server = servers["end"]
    with running(
        "playbooks/bluegreen.yml", *words(tmp_path, server, [{"weight": 100, "seconds": 0}], mcp_warm_replicas=0)
    ) as play:
        said = until(play, "green 100 %: measured")
        with Loop(SERVER, route(server)):
            said += rest(play)
    assert play.returncode != 0 and "Argo CD (argocd-controller" in said and "Nothing was scaled." in said, said
    assert green(server) == 0 and pools(server)["blue"][1] == 1 and outcome(server)[0] == "rolled_back"
    refused = module("mcp_rollout", pool="blue", replicas=0, server=server.name, fails=True)
    assert "the route gives it 100 % of the traffic" in refused["msg"] and pools(server)["blue"][1] == 1
