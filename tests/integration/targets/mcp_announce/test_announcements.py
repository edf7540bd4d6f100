# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How releases and rollbacks on the real cluster are told to people: webhooks, whom to call, reports, the status."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playing import blue_again, module, play

# Part of the webhooks' addresses, which nothing may show.
SECRET = "planted-webhook-7d31f0"
QUICK = {"bluegreen_steps": [{"weight": 50, "seconds": 3}, {"weight": 100, "seconds": 2}]}


@pytest.fixture(autouse=True, scope="module")
def start():
    blue_again()
    yield
    blue_again()


@contextmanager
def webhooks(status=200):
    """Where to, for plays, and what came there. status: what is answered; 0 is no answer."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            if not status:
                time.sleep(30)
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/{SECRET}"
    try:
        yield {"MCP_SLACK": f"{address}/slack", "MCP_JSON": f"{address}/json"}, came
    finally:
        server.shutdown()
        server.server_close()


def told(playbook, environment, **variables):
    """The exit code and the output of a play that announces, with as much output as there is."""
    given = {
        "mcp_announce": [{"url_env": "MCP_SLACK", "format": "slack"}, {"url_env": "MCP_JSON"}],
        **QUICK,
        **variables,
    }
    code, output = play(f"playbooks/{playbook}.yml", "-vvv", "--diff", "-e", json.dumps(given), **environment)
    assert SECRET not in output
    return code, " ".join(output.split())


def test_a_release_and_a_rollback_are_announced_once_and_reported(tmp_path):
    report = {"mcp_report_dir": str(tmp_path)}
    with webhooks() as (environment, came):
        code, output = told("bluegreen", environment, version="v1.2.0", **report)
        assert code == 0 and "mcp_release" in output, output
        assert sorted(path.rpartition("/")[2] for path, _body in came) == ["json", "slack"]
        bodies = {path.rpartition("/")[2]: body for path, body in came}
        assert bodies["json"]["outcome"] == "succeeded" and bodies["json"]["release"]["weights"] == {
            "blue": 0,
            "green": 100,
        }
        assert len(bodies["json"]["release"]["steps"]) == 2 and bodies["json"]["escalation"] == []
        assert "v1.2.0 is released, v1.1.5 was live before" in bodies["slack"]["text"] and "blocks" in bodies["slack"]
        (file,) = tmp_path.glob("*.html")
        assert "v1.2.0 is released" in file.read_text()

        code, output = told("bluegreen", environment, version="v1.2.0", **report)
        assert code == 0 and "changed=0" in output and len(came) == 2, output

        code, output = told("rollback", environment, mcp_reason="It was odd.", **report)
        assert code == 0 and len(came) == 4, output
        assert {body["outcome"] for path, body in came[2:] if path.endswith("json")} == {"rolled_back"}
        assert "was rolled back to v1.1.5" in file.read_text() and "It was odd." in file.read_text()
        code, output = told("rollback", environment, **report)
        assert code == 0 and "changed=0" in output and len(came) == 4, output

    name = module("mcp_release_info")["record"]["id"]
    # Without metrics, which go on.
    later = {"mcp_report_dir": str(tmp_path / "one.html"), "mcp_prometheus": None}
    code, output = play("playbooks/report.yml", "-e", json.dumps({"mcp_release_id": name, **later}))
    assert code == 0, output
    assert (
        "was rolled back to v1.1.5" in (tmp_path / "one.html").read_text()
        and "It was odd." in (tmp_path / "one.html").read_text()
    )
    assert "changed=0" in play("playbooks/report.yml", "-e", json.dumps(later))[1]
    code, output = play("playbooks/report.yml", "-e", "mcp_release_id=v7")
    assert code != 0 and "has no release v7" in output and name in output


def test_webhooks_that_hang_hold_nothing_up():
    reason = "no answer within"
    with webhooks(0) as (environment, came):
        start = time.monotonic()
        code, output = told("bluegreen", environment, version="v1.2.0")
        assert code == 0 and f"Not announced to webhook 1 (environment variable MCP_SLACK): {reason}" in output, output
        code, output = told("rollback", environment)
        assert code == 0 and reason in output and len(came) >= 4, output
        assert time.monotonic() - start < 120
    with webhooks() as (environment, came):
        assert told("rollback", environment)[0] == 0 and len(came) == 2  # now that they are back


def test_a_bad_version_and_whom_to_call():
    with webhooks() as (environment, came):
        code, output = told("bluegreen", environment, version="v1.2.1-not-mcp")
    assert code != 0
    assert "1. Application issues: MCP Development Team Lead" in output and "Deployment issues" not in output
    (body,) = [body for path, body in came if path.endswith("json")]
    assert body["outcome"] == "rolled_back" and "HTML" in body["release"]["reason"]
    assert body["kind"] == "application"
    assert [one["name"] for one in body["escalation"]][1] == "Engineering Director"


def test_a_rollback_that_fails_and_whom_to_call():
    """Where clients are said to be, nobody answers: the traffic can't be verified."""
    with webhooks() as (environment, came):
        code, output = told("rollback", environment, mcp_endpoint={"url": "http://127.0.0.1:9"}, mcp_shift_timeout=10)
    assert code != 0 and "1. Customer impact: Engineering VP + Customer Success" in output, output
    slack, generic = (next(body for path, body in came if path.endswith(form)) for form in ("slack", "json"))
    assert "the rollback FAILED" in slack["text"] and "*Whom to call (customer)*" in slack["text"]
    assert generic["failure"] and generic["failure"] in output and generic["kind"] == "customer"


def test_a_cluster_that_is_away_is_announced_too(tmp_path):
    with webhooks() as (environment, came):
        code, output = told("rollback", environment, mcp_kubeconfig=str(tmp_path / "nowhere"))
    # The endpoint answers, as the traffic needs no API server.
    assert code != 0 and "1. Business impact: Engineering Director" in output
    assert {body["kind"] for path, body in came if path.endswith("json")} == {"business"}
    assert {body["release"] is None for path, body in came if path.endswith("json")} == {True}


def test_status():
    code, output = play("playbooks/status.yml")
    assert code == 0 and "changed=0" in output, output
    for words in ("blue (live)  100 %   100.0 %  2 of 2 ", "no release in progress", "v1.2.0"):
        assert words in output
