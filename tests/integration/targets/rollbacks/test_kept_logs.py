# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollback keeps the bad pool's logs before its pods end, without the secrets that they have."""

from __future__ import annotations

import json
import typing as t
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playing import CONFIG, kubectl, module, play, variables
from small_servers import Place, Small, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a server of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PLACE = Place(kubectl, CONFIG["test_namespace"], CONFIG["public_host"], CONFIG["public_url"])
NAMESPACE = ("-n", CONFIG["test_namespace"])
PLANTED = [f"planted{number}of5e1c" for number in range(8)]
# What the pods of green write when they begin.
LINES = [
    "the shop opens",
    f"Authorization: Bearer {PLANTED[0]}",
    f"db is postgres://kim:{PLANTED[1]}@db:5432/shop",
    json.dumps({"msg": "login", "password": PLANTED[2]}),
    f"GET /mcp?access_token={PLANTED[3]}&page=2",
    "-----BEGIN PRIVATE KEY-----",
    PLANTED[4] * 4,
    "-----END PRIVATE KEY-----",
    f"Set-Cookie: sid={PLANTED[5]}; Path=/",
    f"the key is {PLANTED[6]}",  # by its name only the environment tells that it is secret
    f"x-api-key: {PLANTED[7]}",
    "<b>& the shop is open</b>",
]
SERVE = "import runpy; runpy.run_module('mcp_server_example', {}, '__main__')"
BEGIN = f"print({chr(10).join(LINES)!r}, flush=True); {SERVE}"


class Text(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.said = ""
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.fixture(scope="module")
def server() -> t.Iterator[Small]:
    with small_servers(PLACE, ["kept"], {"kept": {"DRAIN_SECONDS": "0.5", "SHOP_API_KEY": PLANTED[6]}}) as made:
        one = made["kept"]
        container = {"name": one.name, "command": ["python3", "-c", BEGIN]}
        patch = json.dumps({"spec": {"template": {"spec": {"containers": [container]}}}})
        kubectl(*NAMESPACE, "patch", "deployment", f"{one.name}-green", "-p", patch)
        yield one


def run(server: Small, folder: Path, playbook: str, *words: str) -> tuple[int, str]:
    more = {"mcp_steps": [{"weight": 100, "seconds": 1}], "mcp_warm_seconds": 1, "mcp_report_dir": str(folder)}
    host = variables(server.name, server.host, **more)
    file = folder / "kept.yml"
    file.write_text(json.dumps({"shops": {"hosts": {"kept": host}}}))
    code, output = play(f"playbooks/{playbook}.yml", "-i", str(file), "-l", "kept", *words)
    assert not [secret for secret in PLANTED if secret in output]
    return code, output


def kept(server: Small) -> dict[str, t.Any]:
    """Return what the ConfigMap has. No part of it has a planted secret."""
    found = kubectl(*NAMESPACE, "get", "configmap", f"{server.name}-release", "-o", "json")
    assert not [secret for secret in PLANTED if secret in found]
    return json.loads(json.loads(found)["data"]["logs"])


def test_of_pods_that_crash_the_run_before_is_kept(server: Small, tmp_path: Path) -> None:
    code, output = run(server, tmp_path, "bluegreen", "-e", "version=v1.2.1-crash")
    assert code != 0 and "before its pods end" in output, output
    found = kept(server)
    assert (
        found["pool"] == "green" and found["release"] == module("mcp_release_info", server=server.name)["record"]["id"]
    )
    before = [log for log in found["logs"] if log["previous"]]
    assert before and any("the shop opens" in line for log in before for line in log["lines"])


def test_after_the_traffic_is_back_the_report_shows_the_last_lines(server: Small, tmp_path: Path) -> None:
    code, output = run(server, tmp_path, "bluegreen", "-e", "version=v1.2.0")
    assert code == 0, output
    before = kept(server)
    code, output = run(server, tmp_path, "rollback")
    assert code == 0 and "WARNING" not in output, output
    assert output.index("written: blue 100 %") < output.index("before its pods end")
    found = kept(server)
    assert found["at"] != before["at"]
    (log,) = found["logs"]
    assert log["container"] == server.name and log["problem"] == "" and len(log["lines"]) >= len(LINES)
    (report,) = tmp_path.glob("*.html")
    written = report.read_text()
    assert not [secret for secret in PLANTED if secret in written]
    said = Text(written).said
    for part in (
        "Logs of the bad pool",
        "the shop opens",
        "<b>& the shop is open</b>",
        "page=2",
        "kim:********@db:5432",
    ):
        assert part in said, part
    assert "<b>&" not in written

    # A second one changes nothing, and keeps them.
    code, output = run(server, tmp_path, "rollback")
    assert code == 0 and "changed=0" in output and kept(server) == found, output
