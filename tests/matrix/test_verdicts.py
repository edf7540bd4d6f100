# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict of mcp_health on each server, against what is known of it and what the official client sees."""

from __future__ import annotations

import asyncio
import re
import typing as t
from urllib.parse import urlsplit

import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, hosts, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import ERAS
from ansible_collections.mcp.server.plugins.module_utils._mcp.listing import KINDS
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import probe
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

from .conftest import Server
from .fleet import TOKEN
from .rows import LEGACY, PROMPTS, RESOURCES, TEMPLATES, TOOLS


@pytest.mark.parametrize("era", ERAS)
def test_the_verdict(server: Server, era: str) -> None:
    row, before = server.row, server.counts()["requests"]
    found = server.probe_all_lists(era)
    sent = server.counts()["requests"] - before
    assert found["requests"] == sent
    if era not in row.requests:
        assert not found["healthy"]
        assert found["level"] == "handshake"
        assert re.search(r"set era to ((modern|legacy|sse) or )?auto", found["reason"]), found["reason"]
        return
    assert found["healthy"], found["reason"]
    revision = LEGACY[-1] if era == "legacy" else row.protocol_version
    assert (found["era"], found["protocol_version"]) == ("modern" if revision not in LEGACY else "legacy", revision)
    assert found["session_mode"] == ("modern" if era == "modern" else row.session_mode)
    assert {"name": found["server_info"]["name"], "version": found["server_info"]["version"]} == {
        "name": "weather",
        "version": row.server_version,
    }
    assert {"tools", "prompts", "resources"} <= found["capabilities"].keys()
    assert found["tools"] == row.names(TOOLS)
    assert found["prompts"] == row.names(PROMPTS)
    assert (found["resources"], found["resource_templates"]) == (RESOURCES, TEMPLATES)
    assert sent == row.requests[era]
    reached = {level for level, verdict in found["levels"].items() if verdict}
    assert reached == {"transport", "handshake", "list"}
    assert all(found["levels"][level]["ok"] for level in reached)


def test_the_protocol_versions_that_clients_get(server: Server) -> None:
    params = server.params()
    settings = mcp_health.settings_of(params)
    settings = type(settings)(**{**vars(settings), "offer": True})
    (public,) = targets.finder(params)()
    assert probe(public, settings)["offer"]["protocol_versions"] == list(server.row.versions)


def test_the_official_client_lists_the_same(server: Server) -> None:
    for era in server.row.requests:
        found = server.probe_all_lists(era)
        mode = "legacy" if era in ("legacy", "sse") or server.row.session_mode == "sse" else "auto"
        assert asyncio.run(_official(server, mode)) == {
            "protocol_version": found["protocol_version"],
            **{name: found[name] for name in KINDS},
        }


async def _official(server: Server, mode: t.Any) -> dict[str, t.Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"} if server.row.guarded else {}
    url = server.url + server.row.path
    async with create_mcp_http_client(headers=headers) as http:
        transport = (
            sse_client(url, headers)
            if server.row.session_mode == "sse"
            else streamable_http_client(url, http_client=http)
        )
        async with asyncio.timeout(20), Client(transport, mode=mode) as client:

            async def names(method: t.Any, key: str, name: str) -> list[str]:
                found, cursor = [], None
                while True:
                    page = await method(cursor=cursor)
                    found += [str(getattr(item, name)) for item in getattr(page, key)]
                    cursor = page.next_cursor
                    if cursor is None:
                        return found

            return {
                "protocol_version": client.protocol_version,
                "tools": await names(client.list_tools, "tools", "name"),
                "prompts": await names(client.list_prompts, "prompts", "name"),
                "resources": await names(client.list_resources, "resources", "uri"),
                "resource_templates": await names(client.list_resource_templates, "resource_templates", "uri_template"),
            }


def test_a_host_that_the_server_does_not_accept(server: Server) -> None:
    row = server.row
    for era in row.requests:
        found = server.probe(era=era, host="mcp.example.com")
        if row.guards_host:
            assert not found["healthy"]
            assert "endpoint.host" in found["reason"]
            # A server that keeps sessions of refused requests does not tell their ids then: one request is the minimum.
            assert found["requests"] == 1 or row.session_mode == "sse"
        else:
            assert found["healthy"], found["reason"]


def test_a_pod_that_does_not_accept_the_public_host(server: Server) -> None:
    """Through a port-forward, each is asked as localhost then."""
    row, cluster = server.row, ApiServer()
    cluster.put("/api/v1/namespaces/mcp/pods/weather", {})
    cluster.ports["weather"] = urlsplit(server.url).port or 0
    for era in row.requests:
        params = server.params(era=era, host="mcp.example.com")
        pod = endpoint.in_pod(cluster, "mcp", "weather", 8080, params["endpoint"], f"{row.name} {era}")
        found = probe(pod, mcp_health.settings_of(params))
        assert found["healthy"], found["reason"]
        assert found["host"] == ("localhost:8080" if row.guards_host else "mcp.example.com")
        noted = [note for note in hosts.notes() if note.startswith(f"{row.name} {era}".capitalize())]
        assert len(noted) == row.guards_host


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"tool": "forecast", "arguments": {"city": "Oslo"}, "that": ["content[0].text == 'Oslo: rain'"]}, None),
        ({"tool": "measure", "that": ["structuredContent.temperature == `21.5`", "isError != `true`"]}, None),
        (
            {"tool": "forecast", "arguments": {"city": "Oslo"}, "that": ["content[0].text == 'Oslo: sun'"]},
            "'Oslo: sun'",
        ),
        ({"tool": "forecast"}, "failed: "),
        ({"tool": "broken"}, "failed: "),
        ({"tool": "nowhere"}, "does not list"),
    ],
    ids=["good", "structured", "assertion", "argument missing", "isError", "no such tool"],
)
def test_a_smoke_call(server: Server, call: dict[str, t.Any], reason: str | None) -> None:
    for era in server.row.requests:
        found = server.probe(era=era, calls=[call])
        if reason is None:
            assert found["healthy"], found["reason"]
            assert found["levels"]["call"]["ok"]
        else:
            assert (found["healthy"], found["level"]) == (False, "call")
            assert found["reason"].startswith(f"tools/call {call['tool']} ")
            assert reason in found["reason"]


def test_it_stays_well_over_many_rounds(server: Server) -> None:
    before = server.counts()["requests"]
    base = server.probe()["requests"]
    found = server.probe(stability={"rounds": 20, "max_p95": 2})
    assert found["healthy"], found["reason"]
    assert found["stability"]["rounds"] == 20
    # A server of both eras is also asked in a legacy session, after its whole handshake: modern requests have none.
    asked = 20 + (1 + 20 if (found["era"], found["session_mode"]) == ("modern", "stateful") else 0)
    assert found["requests"] == base + asked
    assert server.counts()["requests"] - before == 2 * base + asked


@pytest.mark.rows(only=lambda row: row.guarded)
def test_a_guarded_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert TOKEN not in str(server.probe())
    monkeypatch.setenv("MATRIX_WRONG", "another-token-than-theirs")
    for auth in ({}, {"token_env": "MATRIX_WRONG"}):
        for era in server.row.requests:
            found = server.probe(auth=auth, era=era)
            assert not found["healthy"]
            assert "returned 401: " in found["reason"]
            assert "another-token" not in str(found)
    found = server.probe(auth={"expect_401": True})
    assert found["healthy"], found["reason"]
    assert [url.rstrip("/") for url in found["authorization_servers"]] == ["https://login.example"]


@pytest.mark.rows(only=lambda row: not row.guarded)
def test_an_open_server_where_a_guarded_one_is_expected(server: Server) -> None:
    found = server.probe(auth={"expect_401": True})
    assert not found["healthy"]
    assert "expected 401" in found["reason"]
