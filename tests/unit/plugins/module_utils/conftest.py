# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import gc
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe

SDK = Path(__file__).parents[2] / "fakes" / "mcp_server" / "sdk.py"

Option = t.Callable[..., dict[str, t.Any]]
Probe = t.Callable[..., dict[str, t.Any]]


class CpuTime:
    """CPU seconds of this thread in a with block, whatever runs beside it and whatever other tests left in memory."""

    seconds: float

    def __enter__(self) -> CpuTime:
        gc.freeze()
        self.start = time.thread_time()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.seconds = time.thread_time() - self.start
        gc.unfreeze()


@pytest.fixture
def cpu_time() -> CpuTime:
    return CpuTime()


@pytest.fixture
def option() -> Option:
    """The option endpoint, as Ansible fills it in."""
    return lambda **given: {**endpoint.defaults(), **given}


@pytest.fixture
def probed(option: Option) -> Probe:
    """The verdict about a URL, with few seconds for it."""

    def call(
        url: str, era: str | None = "auto", timeout: float = 5, step_timeout: float = 5, **given: t.Any
    ) -> dict[str, t.Any]:
        checks = given.pop("health", ["status == 'HEALTHY'"])
        answering = Answering("/health", tuple(checks)) if checks else Answering()
        expected = given.pop("version", None)
        more = {field.name: given.pop(field.name) for field in dataclasses.fields(Settings) if field.name in given}
        public = endpoint.public(option(url=url, **given), answering=answering)
        return probe(
            public, Settings(era, timeout, step_timeout, health=True, expect_version=expected, **more)
        )

    return call


@pytest.fixture(scope="session")
def sdk() -> t.Iterator[dict[str, str]]:
    """URLs of a stateful and a stateless server of the official SDK."""
    ports = {mode: free_port() for mode in ("stateful", "stateless")}
    processes = [subprocess.Popen([sys.executable, SDK, str(port), mode]) for mode, port in ports.items()]
    try:
        for port in ports.values():
            wait_for(port)
        yield {mode: f"http://127.0.0.1:{port}" for mode, port in ports.items()}
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")
