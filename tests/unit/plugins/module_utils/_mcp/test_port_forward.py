# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods behind real port-forwards: the client of this collection, WebSockets on loopback, and TLS inside of them."""

from __future__ import annotations

import ssl
import typing as t
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import tls
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.certificates import Authority, Pair
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.host_rules import GO, PYTHON, Rule, guarded
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import MODERN, Script, Scripted
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

PUBLIC = "mcp.example.com"
AUTHORITY = Authority()


class Pods:
    """Pods of pool green, behind an API server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.lines: list[str] = []

    def check(self, **given: t.Any) -> dict[str, t.Any]:
        """Return what mcp_health finds. Raise Failure."""
        options = {"host": self._url, "api_retry_timeout": 0, "namespace": "mcp", "server": "weather", "pool": "green"}
        spec = mcp_health.SPEC
        validation = ArgumentSpecValidator(spec.options, **spec.rules()).validate({**options, **given})
        assert not validation.error_messages
        return mcp_health.run(Task(validation.validated_parameters, progress=self.lines.append))


@contextmanager
def pods(*servers: Scripted) -> t.Iterator[Pods]:
    api = ApiServer(pool_services("mcp", "weather"))
    for index, server in enumerate(servers):
        metadata = {"labels": {"app": "weather", "pool": "green"}}
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        api.put(f"/api/v1/namespaces/mcp/pods/green-{index}", {"metadata": metadata, "status": status})
        api.ports[f"green-{index}"] = server.server_port
    with serving(api) as url:
        yield Pods(url)


class Secure(Scripted):
    """Speaks TLS. names: the server names that clients have sent (SNI)."""

    def __init__(self, scripts: dict[str, Script], pair: Pair) -> None:
        super().__init__(scripts)
        self.names: list[str | None] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tls.as_file((pair.certificate + pair.key).encode()) as path:
            self._context.load_cert_chain(path)
        self._context.sni_callback = lambda _sock, name, _context: self.names.append(name)

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        with self._context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)


@pytest.mark.parametrize("rule", [GO, PYTHON], ids=["go", "python"])
def test_two_pods_that_refuse_the_public_host(rule: Rule) -> None:
    scripts = guarded(MODERN, rule)
    with Scripted(scripts) as first, Scripted(scripts) as second, pods(first, second) as green:
        found = green.check(endpoint={"url": f"https://{PUBLIC}"})
        again = green.check(endpoint={"url": f"https://{PUBLIC}"})
    assert [one["host"] for one in found["servers"]] == ["localhost:8080"] * 2
    assert [one["requests"] for one in again["servers"]] == [3, 3]
    assert found["host_notes"] == again["host_notes"]
    assert [line for line in green.lines if "Pool green refuses the Host mcp.example.com" in line] == found[
        "host_notes"
    ]


@pytest.fixture
def ca(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_text(AUTHORITY.pem)
    return str(path)


@pytest.mark.parametrize(
    ("made_for", "endpoint", "server_name"),
    [
        (PUBLIC, {"url": f"https://{PUBLIC}"}, PUBLIC),
        (PUBLIC, {"url": "http://127.0.0.1:30080", "host": f"{PUBLIC}:8443"}, PUBLIC),
        (
            "weather.internal",
            {"url": f"https://{PUBLIC}", "pods": {"server_name": "weather.internal"}},
            "weather.internal",
        ),
        ("weather.internal", {"pods": {"server_name": "weather.internal"}}, "weather.internal"),
        ("elsewhere", {"url": f"https://{PUBLIC}", "pods": {"validate_certs": False}}, PUBLIC),
        ("elsewhere", {"pods": {"validate_certs": False}}, "localhost"),
    ],
)
def test_tls_inside_the_pod(made_for: str, endpoint: dict[str, t.Any], server_name: str, ca: str) -> None:
    of_pods = {"scheme": "https", "ca_cert": ca, **endpoint.get("pods", {})}
    with Secure(guarded(MODERN, GO), AUTHORITY.pair(made_for)) as server, pods(server) as green:
        found = green.check(endpoint={**endpoint, "pods": of_pods})
    assert found["healthy"]
    assert set(server.names) == {server_name}
    assert found["servers"][0]["host"] == "localhost:8080"


def test_the_ca_of_the_endpoint_is_the_default(ca: str) -> None:
    given = {"url": f"https://{PUBLIC}", "ca_cert": ca, "pods": {"scheme": "https"}}
    with Secure(MODERN, AUTHORITY.pair(PUBLIC)) as server, pods(server) as green:
        assert green.check(endpoint=given)["healthy"]


@pytest.mark.parametrize(
    ("made_for", "of_pods", "said"),
    [
        ("elsewhere", {"scheme": "https"}, "name the one that it is made for in endpoint.pods.server_name"),
        (PUBLIC, {"scheme": "https", "ca_cert": None}, "name its CA in endpoint.pods.ca_cert"),
        (PUBLIC, {"scheme": "http"}, "was cut without an answer: .* and speak what endpoint.pods.scheme says"),
    ],
)
def test_tls_that_fails(made_for: str, of_pods: dict[str, t.Any], said: str, ca: str) -> None:
    """endpoint.validate_certs is for the public address: it does not switch the pods' verification off."""
    endpoint = {"url": f"https://{PUBLIC}", "validate_certs": False, "pods": {"ca_cert": ca, **of_pods}}
    with Secure(MODERN, AUTHORITY.pair(made_for)) as server, pods(server) as green, pytest.raises(Failure, match=said):
        green.check(endpoint=endpoint)
    assert not server.seen


def test_a_pod_that_does_not_speak_tls(ca: str) -> None:
    endpoint = {"url": f"https://{PUBLIC}", "pods": {"scheme": "https", "ca_cert": ca}}
    with Scripted(MODERN) as server, pods(server) as green, pytest.raises(Failure) as caught:
        green.check(endpoint=endpoint)
    assert "does not speak TLS here, so set endpoint.pods.scheme to http" in caught.value.msg


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"pods": {"scheme": "https"}}, "endpoint.pods.server_name is missing"),
        (
            {"url": f"https://{PUBLIC}", "pods": {"scheme": "https", "ca_cert": "/nowhere"}},
            "endpoint.pods.ca_cert /nowhere cannot be used",
        ),
        (
            {"url": f"https://{PUBLIC}", "pods": {"scheme": "https", "server_name": "a b"}},
            "endpoint.pods.server_name is not the address",
        ),
        ({"pods": {"host": "a\r\nX: y"}}, "endpoint.pods.host is not the address"),
    ],
)
def test_bad_input(endpoint: dict[str, t.Any], said: str) -> None:
    with Scripted(MODERN) as server, pods(server) as green, pytest.raises(Failure, match=said):
        green.check(endpoint=endpoint)
    assert not server.seen


def test_pod_options_are_checked_with_the_public_address_already() -> None:
    """A release asks that first, and its pods minutes later."""
    with Scripted(MODERN) as server, pods(server) as green, pytest.raises(Failure, match=r"endpoint.pods.ca_cert /no"):
        green.check(pool=None, endpoint={"url": server.url, "pods": {"scheme": "https", "ca_cert": "/no"}})
    assert not server.seen
