# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An MCP endpoint and nothing else: no health path, no labels or names of ours, by the real ansible against the fake
API server. The route's header says which pool answered.
"""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/weather"
HEADER = "X-MCP-Pool"
NAMES = {"blue": "forecast", "green": "forecast-two"}


def objects():
    """Return what a stranger may have: names and labels that say nothing of pools."""
    found = {"/api/v1/namespaces/prod": {"status": {"phase": "Active"}}}
    backends = []
    for pool, name in NAMES.items():
        labels = {"component": name}
        container = {"name": "main", "image": "r.io/weather:v1.1.5", "ports": [{"containerPort": 3000}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        found[f"/apis/apps/v1/namespaces/prod/deployments/{name}"] = {"spec": spec}
        found[f"/api/v1/namespaces/prod/services/{name}"] = {
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 3000}]}
        }
        changed = {"set": [{"name": HEADER, "value": pool}]}
        backends.append(
            {
                "name": name,
                "port": 80,
                "weight": 100 if pool == "blue" else 0,
                "filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": changed}],
            }
        )
    parent = {"name": "edge", "namespace": "gateways"}
    found[ROUTE] = {"spec": {"parentRefs": [parent], "rules": [{"backendRefs": backends}]}}
    return found


class AnyPod(dict):
    """The port of every pod."""

    def __init__(self, port):
        super().__init__()
        self.port = port

    def __contains__(self, _pod):
        return True

    def __getitem__(self, _pod):
        return self.port


@contextmanager
def mcp_server(seen, pool=lambda: None):
    """Serve stateless MCP at /mcp and nothing else, on loopback; give the port. pool: whose header answers get."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            seen.append(f"GET {self.path}")
            self.answer(405 if self.path == "/mcp" else 404)

        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(message["method"])
            results = {
                "initialize": {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "weather", "version": "0.3.1"},
                },
                "ping": {},
                "tools/list": {"tools": [{"name": "forecast", "inputSchema": {"type": "object"}}]},
            }
            if "id" not in message:
                self.answer(202)
                return
            answer = {"jsonrpc": "2.0", "id": message["id"]}
            if message["method"] in results:
                answer["result"] = results[message["method"]]
            else:
                answer["error"] = {"code": -32601, "message": "Method not found"}
            self.answer(200, answer)

        def answer(self, status, document=None):
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if (answering := pool()) is not None:
                self.send_header(HEADER, answering)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def world():
    """Return the fake cluster, the variables of a server in it, and what the gateway and the pods were asked."""
    api, turn, public, pods = ApiServer(objects()), itertools.count(), [], []
    Controllers(api)

    def answering():
        backends = api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
        return "blue" if next(turn) * 37 % 100 < backends[0]["weight"] else "green"

    with ExitStack() as stack:
        url = stack.enter_context(serving(api))
        gateway = stack.enter_context(mcp_server(public, answering))
        api.ports = AnyPod(stack.enter_context(mcp_server(pods)))
        yield (
            api,
            {
                "mcp_namespace": "prod",
                "mcp_server": "weather",
                "mcp_api_host": url,
                "mcp_api_key": "planted-key",
                "mcp_image": "r.io/weather",
                "mcp_check_registry": "false",
                "mcp_endpoint": {"url": f"http://127.0.0.1:{gateway}"},
                # As -e, a survey or the environment gives them
                "mcp_blue": NAMES["blue"],
                "mcp_green": json.dumps({"deployment": NAMES["green"], "service": NAMES["green"]}),
                "mcp_health_path": "",
                "mcp_health_checks": "[]",
                "mcp_pool_header": HEADER,
                "mcp_compare_version": "",
                "mcp_steps": json.dumps([{"weight": 20, "seconds": 1}, {"weight": 100, "seconds": 1}]),
                "mcp_warm_seconds": "0",
                "mcp_rollback_verify_seconds": "0",
                "version": "v1.2.0",
            },
            public,
            pods,
        )


def run(play, variables, *roles, check=False):
    tasks = [
        {
            "ansible.builtin.import_role": {"name": f"mcp.server.{role}", "rolespec_validate": False},
            "vars": variables,
        }
        for role in roles
    ]
    process = play(tasks, *(["--check", "--diff"] if check else []))
    output, _none = process.communicate(timeout=180)
    return process.returncode, output


def weights(api):
    return [one["weight"] for one in api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]]


def test_a_plan(play, world):
    api, variables, _public, _pods = world
    code, output = run(play, variables, "preflight", "bluegreen", check=True)
    assert code == 0 and "Plan: v1.2.0 of prod/weather" in output and "PROBLEM" not in output, output
    assert weights(api) == [100, 0]


def test_a_release_and_a_rollback(play, world):
    api, variables, public, pods = world
    code, output = run(play, variables, "preflight", "bluegreen")
    assert code == 0 and weights(api) == [0, 100], output
    record = json.loads(api.objects["/api/v1/namespaces/prod/configmaps/weather-release"]["data"]["current"])
    assert record["outcome"] == "succeeded"
    assert {step["share"]["measured_by"] for step in record["steps"] if step.get("share")} <= {"header"}
    assert not [one for one in (*public, *pods) if one.startswith("GET /health")]
    code, output = run(play, variables, "status", "rollback")
    assert code == 0 and weights(api) == [100, 0], output


@pytest.mark.parametrize("wrong", ["status == 'HEALTHY'", "{"])
def test_an_emergency_does_without_what_it_measures_by(play, world, wrong):
    api, variables, _public, _pods = world
    assert run(play, variables, "bluegreen")[0] == 0
    bad = {
        "mcp_health_checks": wrong,
        "mcp_pool_key": {"a": 1},
        "mcp_port": "many",
        "mcp_compare_version": "everything",
    }
    code, output = run(play, variables | bad, "rollback")
    assert code == 0 and weights(api) == [100, 0], output
