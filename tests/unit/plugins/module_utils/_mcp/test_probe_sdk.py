# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Against real servers of the official SDK, with its client as the oracle."""

from __future__ import annotations

import asyncio
import json
import typing as t
import urllib.request

import pytest
from mcp import Client


def open_sessions(url: str) -> int:
    with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
        return json.load(answer)["open"]


@pytest.mark.parametrize("server", ["stateful", "stateless"])
@pytest.mark.parametrize(
    ("era", "revision", "steps"),
    [
        ("auto", "2026-07-28", ["server/discover", "tools/list", "initialize"]),
        ("modern", "2026-07-28", ["server/discover", "tools/list"]),
        ("legacy", "2025-11-25", ["initialize", "notifications/initialized", "tools/list"]),
    ],
)
def test_a_healthy_server(
    sdk: dict[str, str], probed: t.Any, server: str, era: str, revision: str, steps: list[str]
) -> None:
    found = probed(sdk[server], era, version="v1.2.0")
    assert found["healthy"], found["reason"]
    assert (found["era"], found["protocol_version"]) == ("legacy" if era == "legacy" else "modern", revision)
    assert found["session_mode"] == ("modern" if era == "modern" else server)
    assert found["server_info"] == {"name": "weather", "version": "1.2.0"}
    ends = ["DELETE"] if server == "stateful" and era != "modern" else []
    assert [step["name"] for step in found["steps"]] == ["connection", "GET /health", *steps, *ends]
    assert open_sessions(sdk[server]) == 0


def test_the_official_client_lists_the_same(sdk: dict[str, str], probed: t.Any) -> None:
    async def tools(mode: str) -> list[str]:
        async with Client(f"{sdk['stateful']}/mcp", mode=mode) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    for era in ("auto", "legacy"):
        assert probed(sdk["stateful"], era)["tools"] == asyncio.run(tools(era)) == ["forecast", "stations"]


def test_a_host_that_the_server_does_not_accept(sdk: dict[str, str], probed: t.Any) -> None:
    found = probed(sdk["stateful"], host="mcp.example.com")
    assert "server/discover is answered 421 (Invalid Host header)" in found["reason"]
    assert "endpoint.host" in found["reason"]


def test_a_path_that_is_redirected(sdk: dict[str, str], probed: t.Any) -> None:
    assert "is redirected (307) to " in probed(sdk["stateful"], mcp_path="/mcp/")["reason"]


def test_a_path_that_is_not_there(sdk: dict[str, str], probed: t.Any) -> None:
    assert probed(sdk["stateful"], mcp_path="/other")["reason"].startswith("initialize is answered 404")


def test_no_session_is_left_after_bad_probes(sdk: dict[str, str], probed: t.Any) -> None:
    for given in (
        {"version": "9"},
        {"step_timeout": 0.001},
        {"step_timeout": 0.0015},
        {"host": "nowhere.example"},
        {"health": []},
    ) * 10:
        probed(sdk["stateful"], "legacy", **given)
    assert open_sessions(sdk["stateful"]) == 0
