# SPDX-License-Identifier: GPL-3.0-or-later
"""One check of a healthy server of the official SDK on loopback, by mcp_health's probe and by the official client, in
turns.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "playbooks" / "collections"), str(ROOT)]

from mcp import Client  # noqa: E402
from tests.unit.plugins.module_utils._mcp.conftest import SDK, free_port, wait_for  # noqa: E402

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe  # noqa: E402

ROUNDS = 100
# Health document, greeting, list, and whether legacy clients get sessions. The official client does less: it asks for
# no health document.
LIMIT_REQUESTS = 5
LIMIT_SECONDS = 0.060


def ours(url: str, era: str) -> tuple[float, int]:
    settings = Settings(era, timeout=10, step_timeout=5, health=True)
    answering = Answering("/health", ("status == 'HEALTHY'",))
    started = time.perf_counter()
    found = probe(endpoint.public({**endpoint.defaults(), "url": url}, answering=answering), settings)
    seconds = time.perf_counter() - started
    assert found["healthy"], found["reason"]
    return seconds, found["requests"]


def official(url: str, era: str) -> float:
    async def talk() -> float:
        started = time.perf_counter()
        async with Client(f"{url}/mcp", mode=era) as client:
            await client.list_tools()
        return time.perf_counter() - started

    return asyncio.run(talk())


def main() -> None:
    print(f"{'server':<10} {'era':<7} {'requests':>8} {'ours, ms (p95)':>16} {'official, ms (p95)':>20} {'ratio':>6}")
    for mode in ("stateless", "stateful"):
        port = free_port()
        server = subprocess.Popen([sys.executable, SDK, str(port), mode])
        try:
            wait_for(port)
            for era in ("auto", "legacy"):
                row(mode, era, f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait(10)


def row(mode: str, era: str, url: str) -> None:
    mine: list[float] = []
    theirs: list[float] = []
    requests = 0
    for number in range(ROUNDS + 5):
        seconds, requests = ours(url, era)
        other = official(url, era)
        if number >= 5:  # the first ones import and warm up
            mine.append(seconds)
            theirs.append(other)
    within = requests <= LIMIT_REQUESTS and statistics.median(mine) <= LIMIT_SECONDS
    times = [f"{1000 * statistics.median(values):.1f} ({1000 * p95(values):.1f})" for values in (mine, theirs)]
    ratio = statistics.median(mine) / statistics.median(theirs)
    print(
        f"{mode:<10} {era:<7} {requests:>8} {times[0]:>16} {times[1]:>20} "
        f"{ratio:>6.2f}{'' if within else '  over the limit'}",
        flush=True,
    )


def p95(values: t.Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
