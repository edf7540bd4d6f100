# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server is healthy when official clients can use it: the verdict on each quirk, against theirs."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import typing as t
from contextlib import ExitStack
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import Scripted

from . import fleet
from .quirks import PLAIN, QUIRKS


def python_problem(url: str) -> str | None:
    """Return why the official Python client cannot use the server, None when it can."""

    async def use() -> None:
        async with asyncio.timeout(5), Client(streamable_http_client(url), mode="legacy") as client:
            await client.list_tools()

    try:
        asyncio.run(use())
    except BaseException as error:  # of many kinds, also groups
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return f"{type(error).__name__}: {error}"[:200]
    return None


def typescript_problems(folder: Path, urls: list[str]) -> list[str | None]:
    """Return the same of the official TypeScript client, for each server."""
    shutil.copy(Path(__file__).parent / "clients" / "list_tools.mjs", folder)
    (folder / "node_modules").symlink_to(fleet.node_modules())
    done = subprocess.run(["node", folder / "list_tools.mjs", *urls], check=True, capture_output=True, timeout=120)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str | None]]:
    if not shutil.which("npm"):
        # The other oracle is of another language, whose tools a developer's machine need not have; CI's has them.
        pytest.skip("npm is not installed")
    found: dict[str, dict[str, str | None]] = {}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(Scripted({**PLAIN, **quirk})).url for name, quirk in QUIRKS.items()}
        theirs = typescript_problems(tmp_path_factory.mktemp("client"), [f"{url}/mcp" for url in urls.values()])
        for (name, url), typescript in zip(urls.items(), theirs, strict=True):
            option = {**endpoint.defaults(), "url": url}
            ours = probe(endpoint.public(option), Settings("auto", 6, 3))
            found[name] = {"python": python_problem(f"{url}/mcp"), "typescript": typescript, "ours": ours["reason"]}
    return found


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk(name: str, problems: dict[str, dict[str, t.Any]]) -> None:
    found = problems[name]
    assert (found["ours"] is None) == (found["python"] is None and found["typescript"] is None), found
