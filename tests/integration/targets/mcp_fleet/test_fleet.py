# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bluegreen.yml over several servers: waves, a bad server in the second one, a run that is killed, two clusters."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import typing as t
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playing import CONFIG, kubectl, module, play, running, until, variables
from small_servers import Place, Small, small_servers
from soaking import soak

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes servers of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PLACE = Place(kubectl, CONFIG["test_namespace"], CONFIG["public_host"], CONFIG["public_url"])
NAMES = ("canary", "one", "two", "last", "end")
WAVES = [1, 2]  # of five servers: one, two, two
STEPS = [{"weight": 50, "seconds": 3}, {"weight": 100, "seconds": 2}]
# It answers with 500 from so many seconds after its first traffic.
TURNS_BAD = {"FAULT": "errors", "FAULT_RATE": "1", "FAULT_FROM": "gateway", "FAULT_AFTER": "25"}
SECRET = "planted-webhook-fleet-52ac"


@contextmanager
def webhook() -> t.Iterator[tuple[dict[str, str], list[t.Any]]]:
    """Give the environment of plays that announce, and what came there."""
    came: list[t.Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {"MCP_JSON": f"http://127.0.0.1:{server.server_port}/{SECRET}"}, came
    finally:
        server.shutdown()
        server.server_close()


def words(
    folder: Path, servers: t.Mapping[str, Small], own: t.Mapping[str, t.Any] | None = None, **more: t.Any
) -> tuple[str, ...]:
    """Return the words that name these servers. own: variables of some of them. more: of all."""
    given = {"mcp_steps": STEPS, "mcp_warm_seconds": 1, "mcp_waves": WAVES, "mcp_announce": [{"url_env": "MCP_JSON"}]}
    hosts = {
        name: variables(server.name, server.host, **{**given, **more, **(own or {}).get(name, {})})
        for name, server in servers.items()
    }
    file = folder / "fleet.yml"
    file.write_text(json.dumps({"fleet": {"hosts": hosts}}))
    return ("-i", str(file), "-l", "fleet", "-e", "version=v1.2.0")


def release(given: tuple[str, ...], environment: t.Mapping[str, str]) -> tuple[int, str]:
    code, output = play("playbooks/bluegreen.yml", *given, seconds=900, **environment)
    assert SECRET not in output, output
    return code, output


def outcome(server: Small) -> str:
    found = module("mcp_release_info", server=server.name)
    return found["record"]["outcome"] if found["record"] else ""


def live(server: Small) -> dict[str, int]:
    return module("mcp_release_info", server=server.name)["weights"]


def test_a_bad_server_in_the_second_wave_stops_the_fleet(tmp_path: Path) -> None:
    """Its wave goes back, the canary stays, the last wave is not touched, and one announcement is made."""
    environments = {"two": TURNS_BAD}
    output_file = tmp_path / "fleet.json"
    with small_servers(PLACE, NAMES, environments) as servers, webhook() as (environment, came):
        # The other one of its wave is released by the time it turns bad, so that the last play takes it back.
        soon = [{"weight": 100, "seconds": 1}]
        own = {"one": {"mcp_steps": soon}, "two": {"mcp_steps": [{"weight": 50, "seconds": 60}, *soon]}}
        given = words(tmp_path, servers, own, mcp_output=str(output_file), mcp_report_dir=str(tmp_path / "reports"))
        code, output = release(given, environment)
        assert code == 2, output
        outcomes = {name: outcome(server) for name, server in servers.items()}
        assert outcomes == {"canary": "succeeded", "one": "rolled_back", "two": "rolled_back", "last": "", "end": ""}
        weights = {name: live(server)["green"] for name, server in servers.items()}
        assert weights == {"canary": 100, "one": 0, "two": 0, "last": 0, "end": 0}, output
        (told,) = came
        assert told["outcome"] == "failed" and "two (wave 2) failed" in told["summary"], told
        rows = {row["host"]: row for row in json.loads(output_file.read_text())["servers"]}
        assert {name: (row["wave"], row["state"]) for name, row in rows.items()} == {
            "canary": (1, "released"),
            "one": (2, "taken back"),
            "two": (2, "rolled back"),
            "last": (3, "not begun"),
            "end": (3, "not begun"),
        }, output
        (report,) = (tmp_path / "reports").glob("fleet-*.html")
        assert "<td>last</td>" in report.read_text() and len(list(report.parent.iterdir())) == 4, output
        assert re.search(r"two +2/3 +rolled back +0 %", output) and re.search(r"last +3/3 +not begun", output), output


@pytest.mark.parametrize("forks", [pytest.param("1", marks=soak), "5"])
def test_a_good_fleet_is_released_whole_and_a_killed_run_goes_on(forks: str, tmp_path: Path) -> None:
    names = NAMES[:4]
    with small_servers(PLACE, names) as servers, webhook() as (environment, came):
        given = (*words(tmp_path, servers), "-f", forks)
        with running("playbooks/bluegreen.yml", *given, **environment) as process:
            said = until(process, "  2/3  ")
            os.killpg(process.pid, signal.SIGKILL)
        assert live(servers["canary"])["green"] == 100 and live(servers["last"])["green"] == 0, said
        assert came == []
        code, output = release(given, environment)
        assert code == 0, output
        assert {live(server)["green"] for server in servers.values()} == {100}, output
        assert re.search(r"canary +1/3 +released before", output) and len(came) == 1, output
        assert came[0]["outcome"] == "succeeded" and len(came[0]["fleet"]) == len(names)
        code, output = release(given, environment)
        assert code == 0 and "4 released before" in output, output


def test_a_cluster_that_is_away_fails_alone_and_stops_the_fleet(tmp_path: Path) -> None:
    """Each host has its own kubeconfig; one of them leads nowhere."""
    names = ("near", "dead", "far")
    with small_servers(PLACE, names) as servers, webhook() as (environment, came):
        dead = tmp_path / "dead.kubeconfig"
        dead.write_text(re.sub(r"https://[^\"\s,]+", "https://127.0.0.1:9", Path(CONFIG["kubeconfig"]).read_text()))
        other = tmp_path / "other.kubeconfig"
        other.write_text(Path(CONFIG["kubeconfig"]).read_text())
        own = {"dead": {"mcp_kubeconfig": str(dead)}, "far": {"mcp_kubeconfig": str(other)}}
        given = words(tmp_path, servers, own, mcp_waves=[1], mcp_api_retry_timeout=2, mcp_fleet_on_failure="stop")
        code, output = release(given, environment)
        assert code == 2, output
        assert {name: live(servers[name])["green"] for name in names} == {"near": 100, "dead": 0, "far": 0}, output
        assert outcome(servers["near"]) == "succeeded" and outcome(servers["far"]) == "", output
        assert len(came) == 1 and "dead (wave 2) failed" in came[0]["summary"], came
        given = words(tmp_path, servers, {**own, "dead": {}}, mcp_waves=[1], mcp_api_retry_timeout=2)
        code, output = release(given, environment)
        assert code == 0 and {live(server)["green"] for server in servers.values()} == {100}, output
