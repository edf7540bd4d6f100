# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import threading

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions.open_sessions import (
    count,
    open_sessions,
    value,
)
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
METRIC = {"name": "open", "port": 9090, "path": "/metrics"}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("open 3", 3),
        ("open 3.0\n", 3),
        ("# HELP open sessions\n# TYPE open gauge\nopen 3\nopened 9\nis_open 9\n", 3),
        ('open{pod="a"} 1\nopen{pod="b",x="}"} 2 1700000000000\n', 3),
        ('open{pod="a \\"quoted\\" }{"} 4\n', 4),
        ("open{} 0\n", 0),
        ("open 1e2\n", 100),
        ("", None),
        ("opened 3\n", None),
        ("open\n", None),
        ("open many\n", None),
    ],
)
def test_value(text, expected):
    assert value(text, "open") == expected


class Pods(ApiServer):
    """An API server whose ready pods show these texts, each at its own port of this machine."""

    def __init__(self, *texts):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, text = self.server.said
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        super().__init__(pool_services())
        self.servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _text in texts]
        for server, text in zip(self.servers, texts, strict=True):
            server.said = text if isinstance(text, tuple) else (200, text)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            name = f"pod-{len(self.ports)}"
            self.ports[name] = server.server_port
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            self.put(
                f"/api/v1/namespaces/prod/pods/{name}",
                {"metadata": {"labels": {"app": "mcp", "pool": "blue"}}, "status": ready},
            )

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize(
    "texts, expected", [((), 0), (("open 3",), 3), (("open 3", 'open{a="b"} 4\nopen 1', "open 0"), 8)]
)
def test_sessions_of_all_pods(texts, expected):
    with Pods(*texts) as pods:
        assert open_sessions(pods, SERVER, "blue", METRIC, 5) == expected
    assert all(one.query == {"ports": "9090"} for one in pods.log[2:])


@pytest.mark.parametrize("bad", ["opened 3", "open NaN", "open +Inf", "open -1", (404, "open 3")])
def test_one_pod_that_does_not_tell_makes_the_number_unknown(bad):
    with Pods("open 3", bad) as pods:
        with pytest.raises(Failure, match="pod prod/pod-1: GET /metrics on port 9090 .* without a number for open"):
            open_sessions(pods, SERVER, "blue", METRIC, 5)
        warnings = []
        assert count(Task({"sessions_metric": METRIC}, warn=warnings.append), pods, SERVER, "blue", 5) is None
        assert "Open sessions of pool blue of prod/mcp could not be counted" in warnings[0]


def test_without_a_metric_nobody_is_asked():
    assert count(Task({"sessions_metric": None}), None, SERVER, "blue", 5) is None


@pytest.mark.parametrize(("port", "expected"), [(9090, None), (8080, 3)])
def test_a_metric_on_the_port_of_mcp_is_asked_as_mcp_is(port, expected):
    """Here by TLS, for which a name is missing."""
    warnings = []
    params = {
        "sessions_metric": METRIC,
        "endpoint": {**endpoint.defaults(), "pods": {"scheme": "https"}},
    }
    with Pods("open 3") as pods:
        pods.objects["/api/v1/namespaces/prod/services/mcp-blue"]["spec"]["ports"][0]["targetPort"] = port
        assert count(Task(params, warn=warnings.append), pods, SERVER, "blue", 5) == expected
    assert ["endpoint.pods.server_name is missing" in warning for warning in warnings] == [True] * (expected is None)
