# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test alerts through a real Alertmanager of the tests' own, whose routes and receivers are made wrong."""

from __future__ import annotations

import http.server
import json
import secrets
import socket
import threading
import time
import typing as t
import urllib.parse
import urllib.request

import pytest
from playing import CONFIG, kubectl, module

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"], reason="makes an Alertmanager of its own, which takes the sandbox and its images"
)

IMAGE = "127.0.0.1:5000/sandbox/alertmanager:bookworm"
LOADED = ["McpServerErrors", "McpServerSlow"]


def free_port(host: str) -> int:
    with socket.socket() as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])


class Sink(http.server.BaseHTTPRequestHandler):
    """A receiver that takes everything."""

    taken: t.ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.taken.append(body["receiver"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: t.Any) -> None:
        pass


class Place(t.NamedTuple):
    """Where the tests' own Alertmanager is, and where its webhooks lead to."""

    url: str
    namespace: str
    host: str
    port: int  # at which nobody listens, unless the module does


@pytest.fixture(scope="module")
def place() -> t.Iterator[Place]:
    namespace = f"alerts-try-{secrets.token_hex(3)}"
    (node,) = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    host = [one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"][0]
    port, closed = free_port(host), free_port(host)
    sink = http.server.ThreadingHTTPServer((host, 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    try:
        kubectl("apply", "-f", "-", stdin=json.dumps(objects(namespace, host, port, closed, sink.server_port)))
        kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/alertmanager", "--timeout=60s")
        pod = json.loads(kubectl("-n", namespace, "get", "pod", "alertmanager", "-o", "json"))
        yield Place(f"http://{pod['status']['podIP']}:9093", namespace, host, port)
    finally:
        sink.shutdown()
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


def objects(namespace: str, host: str, port: int, closed: int, sink: int) -> dict[str, t.Any]:
    def webhook(name: str, to: int) -> dict[str, t.Any]:
        return {"name": name, "webhook_configs": [{"url": f"http://{host}:{to}/", "send_resolved": False}]}

    def route(receiver: str, matcher: str, **more: t.Any) -> dict[str, t.Any]:
        return {"receiver": receiver, "matchers": [matcher], "group_by": ["alertname"], **more}

    config = {
        "route": {
            "receiver": "pager",
            "group_wait": "1s",
            "routes": [
                route("ours", 'mcp_test="ours"'),
                route("counted", 'mcp_test=~"true|silenced"'),
                route("counted", 'mcp_test="paged"', **{"continue": True}),
                route("pager", 'mcp_test=~"pag.*"'),
                route("broken", 'mcp_test="broken"'),
                route("empty", 'mcp_test="empty"'),
            ],
        },
        "receivers": [
            webhook("pager", sink),
            webhook("ours", port),
            webhook("counted", sink),
            webhook("broken", closed),
            {"name": "empty"},
        ],
    }
    container = {
        "name": "alertmanager",
        "image": IMAGE,
        "command": ["/usr/bin/prometheus-alertmanager"],
        "args": [
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/tmp",
            "--cluster.listen-address=",
        ],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": 9093}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/alertmanager"}],
    }
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "config", "namespace": namespace},
            "data": {"alertmanager.yml": json.dumps(config)},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "alertmanager", "namespace": namespace},
            "spec": {
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 1,
                "containers": [container],
                "volumes": [{"name": "config", "configMap": {"name": "config"}}],
            },
        },
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def checked(place: Place, label: str, receiver: str = "counted", **options: t.Any) -> dict[str, tuple[str, str]]:
    """Return verdict and sentence of each check."""
    options = {
        "alertmanager": {"url": place.url},
        "test_receiver": receiver,
        "test_labels": {"mcp_test": label},
    } | options
    begun = time.monotonic()
    found = module("mcp_alert_check", prometheus={"url": CONFIG["prometheus_url"]}, **options)
    print(f"{label}: {time.monotonic() - begun:.1f} s")
    for one in found["checks"]:
        print(f"  {one['verdict']:15} {one['message']}")
    return {one["id"]: (one["verdict"], one["message"]) for one in found["checks"]}


def alerts(place: Place) -> list[dict[str, t.Any]]:
    """Return the test alerts that Alertmanager still has as firing."""
    with urllib.request.urlopen(f"{place.url}/api/v2/alerts?active=true", timeout=5) as answer:
        found = json.load(answer)
    now = time.time()
    return [one for one in found if time.mktime(time.strptime(one["endsAt"][:19], "%Y-%m-%dT%H:%M:%S")) > now + 5]


def test_it_is_notified_and_arrives(place: Place) -> None:
    counted = checked(place, "true", rules=LOADED)
    assert counted["alert_rules"][0] == counted["alert_sender"][0] == "passed", counted
    assert counted["alert_route"][0] == counted["alert_notification"][0] == "passed", counted
    # At once again: it is in a group of its own.
    assert checked(place, "true")["alert_notification"][0] == "passed"
    ours = checked(place, "ours", "ours", receiver_listen=f"{place.host}:{place.port}")
    assert ours["alert_notification"][0] == "passed" and "arrived" in ours["alert_notification"][1]
    assert "pager" not in Sink.taken and Sink.taken.count("counted") == 2, Sink.taken
    assert alerts(place) == []


def test_check_mode_sends_nothing(place: Place) -> None:
    before = len(Sink.taken)
    found = checked(place, "true", check=True)
    assert found["alert_route"][0] == "passed" and found["alert_notification"][0] == "skipped"
    time.sleep(2)
    assert len(Sink.taken) == before


def test_what_is_wrong_is_told_and_pages_nobody(place: Place) -> None:
    paged = checked(place, "paged", fails=True)
    assert paged["alert_route"][0] == "failed" and "to counted, pager and not" in paged["alert_route"][1], paged
    unknown = checked(place, "unrouted", fails=True)
    assert unknown["alert_route"][0] == "failed" and unknown["alert_notification"][0] == "skipped", unknown
    missing = checked(place, "true", "nobody-has-this", fails=True, rules=["McpServerErrors", "NotLoaded"])
    assert "no receiver nobody-has-this" in missing["alert_route"][1], missing
    assert missing["alert_rules"][0] == "failed" and "NotLoaded not loaded" in missing["alert_rules"][1], missing
    assert "notifies nobody" in checked(place, "empty", "empty", fails=True)["alert_route"][1]
    broken = checked(place, "broken", "broken", fails=True)
    assert broken["alert_notification"][0] == "failed" and "could not deliver" in broken["alert_notification"][1]
    assert "pager" not in Sink.taken and alerts(place) == []


def test_a_silence_and_a_dead_alertmanager_are_told(place: Place) -> None:
    silence = {
        "matchers": [{"name": "mcp_test", "value": "silenced", "isRegex": False}],
        "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "endsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600)),
        "createdBy": "somebody",
        "comment": "not ours",
    }
    request = urllib.request.Request(
        f"{place.url}/api/v2/silences", json.dumps(silence).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        identifier = json.load(answer)["silenceID"]
    found = checked(place, "silenced", fails=True)["alert_notification"]
    assert found[0] == "cannot_measure" and identifier in found[1], found
    dead = checked(place, "true", fails=True, alertmanager={"url": f"http://{place.host}:{place.port}"})
    assert dead["alert_route"][0] == "cannot_measure" and dead["alert_notification"][0] == "skipped", dead
